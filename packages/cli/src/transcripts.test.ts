import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { encodeWav } from '@sonotext/core/audio'
import { Rng } from '@sonotext/core/base'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launcher, notBuilt } from './testing/run-cli.js'

/** A command of the guide, and what it is shown to print. */
interface Shown {
  readonly section: string
  readonly command: string
  readonly output: string
}

/** Sections whose programs take longer than a test may, or need files that are not the guide's; they have tests of their own. */
const elsewhere = new Set([
  'demo',
  'align',
  'moments',
  'embed',
  'classify',
  'export',
  'models',
  'report',
  'bench',
])

const guide = readFileSync(new URL('../../../docs/guide/cli.md', import.meta.url), 'utf8')
const shown = guide.split(/^## /m).flatMap((text): Shown[] => {
  const section = text.slice(0, text.indexOf('\n'))
  if (elsewhere.has(section)) return []
  return [...text.matchAll(/```console\n([^]*?)```/g)].flatMap(([, block]) =>
    block!
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const [command, ...lines] = part.split('\n')
        return { section, command: command!, output: lines.join('\n').trimEnd() }
      }),
  )
})

/** Those that need more than a folder with the guide's files. */
const left = [
  'sonotext evaluate --task',
  'sonotext evaluate --audio',
  // Pools of 30 want more clips than there are here.
  'sonotext evaluate runs/first --pool',
  'sonotext import --from folder Liste.csv',
  // Runs of several seeds: six trainings.
  'sonotext compare --group',
]

/** The same commands on fewer scenes. */
const fewer = [
  ['train=400', 'train=24'],
  ['validation=40', 'validation=6'],
  ['test=80', 'test=8'],
] as const

/** Exit codes other than 0. */
const codes = new Map([
  ['sonotext check recordings.jsonl --out good.jsonl', 1],
  ['sonotext train --run runs/second --config run.yaml --set training.epoch=3', 2],
  ['sonotext train --run runs/second --config run.yaml', 130],
])

let folder: string
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'sonotext-guide-')))
  const noise = new Rng(1)
  const rate = 44_100
  const wav = (seconds: number) =>
    encodeWav(
      Float32Array.from({ length: rate * seconds }, () => noise.between(-0.5, 0.5)),
      rate,
    ).bytes
  const files: Record<string, string | Uint8Array> = {
    'bin/sonotext': `#!/bin/sh\nexec '${process.execPath}' '${launcher}' "$@"\n`,
    'recordings/gate.wav': wav(2),
    'recordings/street.wav': wav(3),
    'recordings/broken.wav': wav(1).subarray(0, 12),
    'recordings/captions.csv':
      'file_name,caption\ngate.wav,a gate squeaks\ngate.wav,a gate is opened\nstreet.wav,cars pass\nbroken.wav,nothing is heard\n',
    'submission.csv': `caption,${names.map((_, i) => `file_name_${i + 1}`).join(',')}\n${captions
      .map((caption, i) => [caption, ...ranked(i)].join(','))
      .join('\n')}\n`,
    'truth.csv': `file_name,caption_1\n${captions.map((caption, i) => `${clip(i)},${caption}`).join('\n')}\n`,
  }
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(folder, path, '..'), { recursive: true })
    await writeFile(join(folder, path), content)
  }
  await chmod(join(folder, 'bin/sonotext'), 0o755)
})
afterAll(() => rm(folder, { recursive: true }))

const names = Array.from({ length: 10 })
const captions = Array.from({ length: 20 }, (_, i) => `caption number ${i}`)
const clip = (i: number): string => `clip-${i}.wav`
/** The right clip first for 13 of the 20, nowhere for the others. */
const ranked = (i: number): string[] =>
  names.map((_, rank) => (i < 13 ? clip((i + rank) % 20) : clip((i + rank + 1) % 20)))

interface Run {
  readonly code: number | null
  readonly output: string
}

/** As a shell runs it in that folder; `interrupt` sends SIGINT when this text was printed. */
function run(command: string, interrupt?: string): Promise<Run> {
  const env = { ...process.env, PATH: `${join(folder, 'bin')}:${process.env['PATH']}` }
  const child = spawn('bash', ['-c', `exec 2>&1; ${interrupt === undefined ? '' : 'exec '}${command}`], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let output = ''
  let sent = false
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    if (interrupt !== undefined && !sent && output.includes(interrupt)) sent = child.kill('SIGINT')
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output }))
  })
}

/** What two machines and two sizes print alike: progress and words that few captions do not have are left out, numbers, quotations and widths of columns are not looked at. */
function form(text: string): string[] {
  return text
    .replaceAll(folder, '/home/me')
    .split('\n')
    .filter((line) => !/^\w+ [\d,]+\/[\d,]+ |^warning: the model does not know/.test(line))
    .map((line) =>
      line
        .replace(/“[^”]*”/g, '“”')
        .replace(/\b(scalar|avx2|avx512|avx512bf16|neon)\b/g, 'isa')
        .replace(/ · best so far$/, '')
        .replace(/[-+]?(\d+(,\d{3})*(\.\d+)?(e-?\d+)?|\.\d+)|∞/g, '#')
        .replace(/─+/g, '─')
        .replace(/ {2,}/g, ' ')
        .trimEnd(),
    )
    .filter((line) => line !== '')
}

/** Whether lines are of the form shown; `…` stands for any lines. */
function fits(output: string, lines: readonly string[]): boolean {
  const escaped = form(output).map((line) =>
    line.trim() === '…' ? '(?:.*\n)*?' : `${line.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\n`,
  )
  return new RegExp(`^${escaped.join('')}$`).test(lines.map((line) => `${line}\n`).join(''))
}

describe.skipIf(notBuilt !== null)(
  `transcripts of the guide${notBuilt === null ? '' : ` (${notBuilt})`}`,
  () => {
    const tried = shown.filter(({ command }) => !left.some((start) => command.startsWith(start)))

    it('are of most commands', () => {
      expect(tried.filter(({ output }) => output !== '').length).toBeGreaterThan(12)
      expect(new Set(tried.map(({ section }) => section)).size).toBeGreaterThan(8)
    })

    it.each(tried.map(({ command, output }) => [command, output] as const))('%s', async (command, output) => {
      const [, file] = /^cat (\S+)$/.exec(command) ?? []
      if (file !== undefined) return void (await writeFile(join(folder, file), `${output}\n`))
      if (command.startsWith('sonotext doctor')) return void labelsFit(output, (await run(command)).output)
      const asked = fewer.reduce((text, [many, few]) => text.replace(many, few), command)
      const { code, output: printed } = await run(
        asked,
        output.includes('SIGINT') ? 'before training' : undefined,
      )
      expect(code, printed).toBe(codes.get(command) ?? 0)
      if (output !== '' && !fits(output, form(printed))) expect(form(printed)).toEqual(form(output))
    })
  },
)

/** What a machine can do differs; what is said of it does not. */
function labelsFit(output: string, printed: string): void {
  const some = (label: string | undefined) => label !== 'kernels' // only where CUDA was compiled in
  const labels = (text: string) => [...new Set(form(text).map((line) => line.split(' ')[0]))].filter(some)
  expect(labels(printed)).toEqual(labels(output))
}
