import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { writeWav } from '@sonotext/core/audio'
import { Rng } from '@sonotext/core/base'
import { writeToneClips } from '@sonotext/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, cliJson, notBuilt } from './testing/run-cli.js'

/**
 * What the guide shows of `align` and `moments`, done again: a model of synthetic sounds, and a recording of twelve seconds in which a hum is
 * heard for the first four seconds, then a hiss, and a whistle for the last four. Another instruction set may change last digits.
 */
const guide = await readFile(new URL('../../../docs/guide/cli.md', import.meta.url), 'utf8')

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-transcripts-'))
  if (notBuilt !== null) return
  const { manifest } = await writeToneClips(folder, { splits: { train: 24 }, seconds: 2 })
  const config = join(folder, 'run.json')
  const data = { manifest, validationSplit: null }
  const model = {
    audio: { type: 'projection', hidden: [32] },
    text: { type: 'words', dim: 16, trainable: true },
    similarity: { type: 'frame-word', reduction: 'STSQ' },
  }
  const training = { epochs: 60, batchSize: 12 }
  const optimizer = { type: 'adam', lr: 3e-3 }
  await writeFile(
    config,
    JSON.stringify({ seed: 2, data, model, loss: { type: 'info-nce' }, optimizer, training }),
  )
  await cliJson(['train', '--config', config, '--run', join(folder, 'tones')])
  const rate = 22_050
  const rng = new Rng(1, 'shift')
  const samples = Float32Array.from({ length: 12 * rate }, (_, i) => {
    const t = i / rate
    if (t < 4) return 0.3 * Math.sin(2 * Math.PI * 0.3 * 360 * t) + 1e-3 * rng.normal()
    if (t < 8) return 0.1 * rng.normal()
    return 0.3 * Math.sin(2 * Math.PI * 8 * 360 * t) + 1e-3 * rng.normal()
  })
  await writeWav(join(folder, 'shift.wav'), samples, rate)
})
afterAll(() => rm(folder, { recursive: true }))

/** Command line and output of every block of a section that calls the command on this recording. */
function shown(command: string): { args: string[]; output: string[] }[] {
  const section = new RegExp(`\\n## ${command}\\n([^]*?)(?=\\n## )`).exec(guide)![1]!
  return [...section.matchAll(/```console\n\$ sonotext (.*shift\.wav.*)\n([^]*?)```/g)].map(
    ([, line, output]) => ({
      args: [...line!.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!),
      output: output!.trimEnd().split('\n'),
    }),
  )
}

/** Seconds of `1.20` and `1:02.3`. */
const numberOf = (cell: string): number => cell.split(':').reduce((sum, part) => 60 * sum + Number(part), 0)

describe.skipIf(notBuilt !== null)(
  `transcripts of the guide${notBuilt === null ? '' : ` (${notBuilt})`}`,
  () => {
    it.each(['align', 'moments'])('%s prints what the guide shows', async (command) => {
      const blocks = shown(command)
      expect(blocks.length).toBeGreaterThan(0)
      for (const { args, output } of blocks) {
        const names: Record<string, string> = {
          'runs/tones': join(folder, 'tones'),
          'shift.wav': join(folder, 'shift.wav'),
        }
        const { stdout, stderr, code } = await cli(args.map((arg) => names[arg] ?? arg))
        expect(code, stderr).toBe(0)
        const found = stdout.trimEnd().split('\n')
        if (process.env.SONOTEXT_SHOW) process.stderr.write(`${stdout}\n`)
        expect(found.length, stdout).toBe(output.length)
        for (const [l, line] of output.entries()) {
          const cells = (text: string) => text.trim().split(/ {2,}/)
          const [wanted, own] = [cells(line), cells(found[l]!)]
          expect(own.length, found[l]).toBe(wanted.length)
          for (const [c, cell] of wanted.entries()) {
            if (/^[\d:.]+$/.test(cell))
              expect(Math.abs(numberOf(own[c]!) - numberOf(cell)), line).toBeLessThan(0.06)
            else expect(own[c]).toBe(cell)
          }
        }
      }
    })
  },
)
