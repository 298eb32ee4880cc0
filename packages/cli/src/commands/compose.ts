import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readManifest } from '@sonotext/core/data'
import { composeScenes, type Composition } from '@sonotext/scenes'
import { type BankOptions, bankOf, scenesOf } from '../bank-option.js'
import type { CommandBody } from '../command.js'
import { exitCode } from '../exit.js'
import { pathArgument, shellLine } from '../shell-line.js'

interface ComposeOptions extends BankOptions {
  out: string
  split: string[]
  duration: number
  sampleRate: number
  seed: number
  single: number
}

/** Mixes sounds into scenes with known events and captions. A stopped run goes on where it stopped. */
const compose: CommandBody<ComposeOptions> = async ({ terminal, signal }, options) => {
  const { out, duration, sampleRate, seed, single } = options
  const bank = await bankOf(options)
  const scenes = scenesOf(options.split, { train: 800, validation: 60, test: 150 })
  const total = Object.values(scenes).reduce((sum, count) => sum + count, 0)
  const progress = terminal.progress('compose', total, 'scenes')
  const composition = await composeScenes(
    {
      bank,
      scenes,
      duration,
      sampleRate,
      seed,
      single,
      signal,
      onProgress: ({ done }) => progress.update(done),
    },
    out,
  )
  progress.finish()
  for (const { file, reason } of composition.unusable) terminal.warn(`${file} was not used: ${reason}`)
  const { clips } = await readManifest(join(out, 'manifest.jsonl'), { signal })
  const example = clips[0]!
  terminal.result({ ...composition, example }, (result) =>
    text(
      result,
      example.captions.map((caption) => caption.text),
      Object.hasOwn(scenes, 'train') && Object.hasOwn(scenes, 'validation'),
    ),
  )
  return exitCode.ok
}
export default compose

function text(
  { manifest, scenes, reused }: Composition,
  captions: readonly string[],
  trains: boolean,
): string {
  return [
    `${scenes} scenes${reused > 0 ? ` (${reused} were there already)` : ''} → ${manifest}`,
    'the first one is described as:',
    ...captions.map((caption) => `  ${caption}`),
    `next: ${
      trains
        ? shellLine('sonotext', 'train', '--run', freeRun(), '--set', `data.manifest=${manifest}`)
        : shellLine('sonotext', 'check', pathArgument(manifest))
    }`,
  ].join('\n')
}

/** A folder that no run is in yet: train refuses to write over one. */
function freeRun(): string {
  for (let n = 1; ; n++) {
    const folder = join('runs', n === 1 ? 'first' : `first-${n}`)
    if (!existsSync(folder)) return folder
  }
}
