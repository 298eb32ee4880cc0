/**
 * What training and evaluation take of memory and disk when features are streamed:
 *
 *     nx run bench:corpus -- --work /tmp/corpus --out docs/results/corpus.md
 *
 * Generates as many different feature files as are asked for, then trains and evaluates from a warm cache, each in a process of its own,
 * and the same with few clips beside it. What was made is removed in the end unless --keep.
 */
import '../direct.js'
import { mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { answer, answerOfSuite } from '../answer-of-suite.js'
import { CheckError } from '../check/check-error.js'
import {
  type PhaseName,
  phaseNames,
  type PhaseOptions,
  type PhaseResult,
  runPhase,
} from '../corpus/phases.js'
import { environment, environmentLine } from '../harness/environment.js'
import { type Column, digits, markdownTable } from '../harness/table.js'

const { values } = parseArgs({
  options: {
    clips: { type: 'string', default: '50000' },
    beside: { type: 'string', default: '500' },
    captions: { type: 'string', default: '5' },
    frames: { type: 'string', default: '500' },
    steps: { type: 'string', default: '200' },
    split: { type: 'string', default: '1000' },
    workers: { type: 'string' },
    work: { type: 'string' },
    keep: { type: 'boolean', default: false },
    phase: { type: 'string' },
    out: { type: 'string' },
  },
})
const whole = (name: 'clips' | 'beside' | 'captions' | 'frames' | 'steps' | 'split'): number => {
  const value = Number(values[name])
  if (!Number.isInteger(value) || value < 1) throw new CheckError(`Expected a whole number for --${name}.`)
  return value
}
const [GiB, MiB] = [2 ** 30, 2 ** 20]

if (values.phase !== undefined)
  answer(await runPhase(values.phase as PhaseName, optionsFor(whole('clips'), values.work!)))
else await main()

function optionsFor(clips: number, folder: string): PhaseOptions {
  return {
    ...{ folder, clips, captions: whole('captions'), frames: whole('frames') },
    ...{ steps: whole('steps'), split: Math.min(whole('split'), clips) },
    workers: values.workers === undefined ? undefined : Number(values.workers),
  }
}

async function main(): Promise<void> {
  const folder = values.work ?? (await mkdtemp(join(tmpdir(), 'sonotext-corpus-')))
  await mkdir(folder, { recursive: true })
  const need = whole('clips') * (whole('frames') * 256 + 8192)
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize < 2 * need)
    throw new CheckError(`Expected ${digits((2 * need) / GiB)} GiB free for --work.`)
  const rows: (PhaseResult & { clips: number })[] = []
  try {
    for (const clips of [whole('clips'), whole('beside')]) {
      for (const phase of phaseNames) {
        const result = await inProcess(phase, clips, folder)
        console.error(
          `${clips} clips: ${phase}, ${result.what}, ${digits(result.seconds)} s, ${gib(result.peak)}`,
        )
        rows.push({ ...result, clips })
        // After every line: a run of hours that is cut short has told what it knows.
        if (values.out !== undefined) await writeFile(values.out, report(rows))
      }
    }
  } finally {
    // Of a folder that was named only what was made there.
    const made =
      values.work === undefined ? [folder] : ['audio', 'features'].map((name) => join(folder, name))
    if (!values.keep) for (const one of made) await rm(one, { recursive: true, force: true })
  }
  process.stdout.write(report(rows))
}

async function inProcess(phase: PhaseName, clips: number, folder: string): Promise<PhaseResult> {
  const given = process.argv.slice(2).filter((_, i, all) => !isOneOf(all, i, ['--out', '--work', '--clips']))
  const options = [...given, '--phase', phase, '--clips', String(clips), '--work', folder]
  return answerOfSuite('corpus', options, `The phase ${phase} with ${clips} clips`)
}

/** Whether an argument is one of these options, or the value of one. */
function isOneOf(all: readonly string[], at: number, names: readonly string[]): boolean {
  const name = (i: number) => all[i]?.split('=')[0] ?? ''
  return names.includes(name(at)) || (names.includes(all[at - 1] ?? '') && !all[at]!.startsWith('--'))
}

function gib(bytes: number): string {
  return `${(bytes / GiB).toFixed(2)} GiB`
}

function report(rows: readonly (PhaseResult & { clips: number })[]): string {
  type Row = (typeof rows)[number]
  const left = (title: string, of: (row: Row) => string): Column<Row> => ({ title, align: 'left', text: of })
  const right = (title: string, of: (row: Row) => string): Column<Row> => ({
    title,
    align: 'right',
    text: of,
  })
  const columns = [
    right('clips', ({ clips }) => clips.toLocaleString('en')),
    left('what', ({ what }) => what),
    right('s', ({ seconds }) => digits(seconds)),
    right('peak memory', ({ peak }) => gib(peak)),
    right('recordings opened', ({ audioFiles }) => audioFiles.toLocaleString('en')),
    right('read of the cache', ({ cacheBytes }) => `${digits(cacheBytes / MiB)} MiB`),
    right('main thread at work', ({ busy }) => `${(100 * busy).toFixed(1)} %`),
  ]
  const largest = Math.max(...rows.filter(({ phase }) => phase !== 'generate').map(({ peak }) => peak))
  return [
    '# Streamed features',
    '',
    `${whole('clips').toLocaleString('en')} different feature files of ${whole('frames')} frames × 64` +
      ` (${gib(whole('clips') * whole('frames') * 256)} in all), each line a process of its own. Peak memory from a warm cache: ${gib(largest)}.`,
    '',
    markdownTable(columns, rows),
    '',
    'Memory is the largest resident set. The first line of each size computes the features and writes them; the others open no recording.',
    'The main thread is at work when it computes or takes what was read ahead; the rest of the time it waits for features.',
    '',
    `\`nx run bench:corpus -- --clips ${whole('clips')} --beside ${whole('beside')} --steps ${whole('steps')} --split ${whole('split')} --captions ${whole('captions')}\``,
    '',
    environmentLine(environment()),
    '',
  ].join('\n')
}
