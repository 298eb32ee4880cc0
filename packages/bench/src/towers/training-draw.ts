import { join, resolve } from 'node:path'
import { Rng } from '@sonotext/core/base'
import { type Clip, type ClipInput, readManifest, writeManifest } from '@sonotext/core/data'
import { captionScene, type ComposeOptions, composeScenes, type SoundBank } from '@sonotext/scenes'
import type { Recording } from './single-recordings.js'

/** What training clips are made of. */
export interface DrawOptions {
  readonly bank: SoundBank
  /** Where they go. */
  readonly folder: string
  /** Mixtures to train on, and those held out. */
  readonly scenes: number
  readonly heldOut: number
  /** Scenes of one thing alone. */
  readonly single: number
  /** Recordings that are heard as they are. */
  readonly recordings: readonly Recording[]
  readonly recordingsFolder: string
  readonly sampleRate: number
}

/**
 * Writes the manifest of a draw of the training clips: mixtures, scenes of one thing alone, and the recordings as they are; and the held-out
 * mixtures, which are the same for every draw. What is drawn is which sounds meet, when and how loud, and what is said of them; the recordings stay.
 */
export async function writeDraw(draw: number, options: DrawOptions): Promise<string> {
  const clips = [
    ...(await mixtures(draw, options)),
    ...(await alone(draw, options)),
    ...asTheyAre(draw, options),
  ]
  const manifest = join(options.folder, `${named('manifest', draw)}.jsonl`)
  await writeManifest(manifest, clips)
  return manifest
}

async function mixtures(draw: number, options: DrawOptions): Promise<readonly ClipInput[]> {
  const { bank, folder, sampleRate, scenes, heldOut } = options
  const compose = (of: number, splits: Record<string, number>) =>
    composed({ bank, scenes: splits, seed: seedOf(of, 1), sampleRate }, join(folder, named('scenes', of)))
  const first = await compose(1, { train: scenes, test: heldOut })
  if (draw === 1) return first
  return [...(await compose(draw, { train: scenes })), ...first.filter(({ split }) => split === 'test')]
}

/** What `sonotext compose --single` mixes in, here in a folder of their own so that the mixtures stay those of other tables. */
async function alone(draw: number, options: DrawOptions): Promise<readonly ClipInput[]> {
  const { bank, folder, sampleRate, single } = options
  if (single === 0) return []
  const clips = await composed(
    { bank, scenes: { train: single }, seed: seedOf(draw, 2), sampleRate, single: 1 },
    join(folder, named('single', draw)),
  )
  return clips.map((clip) => ({
    ...clip,
    id: `single-${clip.id}`,
    captions: clip.captions.map(({ text }, i) => ({ id: `single-${clip.id}#${i + 1}`, text })),
  }))
}

/** Recordings with what the grammar says of one thing alone. */
function asTheyAre(draw: number, { bank, recordings, recordingsFolder }: DrawOptions): readonly ClipInput[] {
  const words = new Rng(seedOf(draw, 3), 'captions of recordings')
  return recordings.map(({ file, label }, i) => {
    const one = { background: null, groups: [{ label, count: null }], relations: [] }
    const captions = captionScene(one, { rng: words.fork(i), lexeme: (name) => bank.lexeme(name) })
    return {
      id: file,
      audio: resolve(recordingsFolder, file),
      split: 'train',
      captions: captions.map(({ text }, c) => ({ id: `${file}#${c + 1}`, text })),
    }
  })
}

async function composed(options: ComposeOptions, folder: string): Promise<readonly Clip[]> {
  return (await readManifest((await composeScenes(options, folder)).manifest)).clips
}

/** The seeds of the first draw are 1, 2 and 3; no other draw has one of them. */
function seedOf(draw: number, which: 1 | 2 | 3): number {
  return 10 * (draw - 1) + which
}

function named(what: string, draw: number): string {
  return draw === 1 ? what : `${what}-${draw}`
}
