/**
 * `nx run bench:kernels [--quick] [--only gemm,conv2d] [--isa avx512] [--json FILE] [--markdown FILE]`: time and share of
 * the multiply-add peak of every kernel the product leans on, per instruction set, with one and with two threads. The peak
 * is measured in the same process, right before each burst of repetitions.
 */
import '../direct.js'
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { CheckError } from '../check/check-error.js'
import { type Environment, environment, environmentLine } from '../harness/environment.js'
import { measure, type Timing } from '../harness/measure.js'
import { type Column, digits, markdownTable } from '../harness/table.js'
import { kernelRows } from '../rows/kernel-rows.js'
import { type KernelSubject, kernelSubjects, supportedSets } from '../rows/kernel-subjects.js'

interface Result {
  readonly op: string
  readonly shape: string
  readonly isa: string
  readonly threads: number
  readonly operations: number
  readonly timing: Timing
}

const columns: readonly Column<Result>[] = [
  { title: 'op', align: 'left', text: ({ op }) => op },
  { title: 'shape', align: 'left', text: ({ shape }) => shape },
  { title: 'isa', align: 'left', text: ({ isa }) => isa },
  { title: 'threads', align: 'right', text: ({ threads }) => String(threads) },
  { title: 'ms', align: 'right', text: ({ timing }) => digits(timing.seconds * 1e3) },
  { title: 'spread', align: 'right', text: ({ timing }) => `${(timing.samples.spread * 100).toFixed(0)} %` },
  { title: 'GFLOP/s', align: 'right', text: ({ timing }) => digits(timing.speed / 1e9) },
  { title: 'peak', align: 'right', text: ({ timing }) => digits((timing.peak ?? Number.NaN) / 1e9) },
  {
    title: '% of peak',
    align: 'right',
    text: ({ timing }) => digits((timing.shareOfPeak ?? Number.NaN) * 100),
  },
]

function report(results: readonly Result[], env: Environment): string {
  return [
    '# Kernels',
    '',
    'Milliseconds, nominal operations per second, and their share of the multiply-add peak measured in the same process on the',
    'same number of threads. One thread: the median time that it had on a core. Two threads: the fastest round by the wall',
    'clock, which needs a quiet machine. The spread is the distance of the quartiles of the rounds. How operations are counted,',
    'and what was expected, is in [performance.md](../performance.md). Made by `nx run bench:kernels`.',
    '',
    environmentLine(env),
    '',
    markdownTable(columns, results),
    '',
  ].join('\n')
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      isa: { type: 'string' },
      json: { type: 'string' },
      markdown: { type: 'string' },
    },
  })
  const only = values.only?.split(',')
  const rows = (await kernelRows()).filter(({ op }) => only === undefined || only.includes(op))
  if (rows.length === 0)
    throw new CheckError(`Expected names of ops in the table for --only, got ${values.only}.`)
  const sets = supportedSets().filter((isa) => values.isa === undefined || isa === values.isa)
  if (sets.length === 0)
    throw new CheckError(`Expected one of ${supportedSets().join(', ')} for --isa, got ${values.isa}.`)

  const env = environment()
  const subjects = kernelSubjects(rows, sets, [1, 2])
  const rounds = values.quick ? 3 : 15
  const timings = measure(subjects, {
    rounds,
    seconds: values.quick ? 0.01 : 0.03,
    onRound: (round) => process.stderr.write(`round ${round + 1} of ${rounds}\n`),
  })
  const results = subjects.map((subject, i) => resultOf(subject, timings[i]!))
  const text = report(results, env)
  process.stdout.write(text)
  if (values.markdown !== undefined) await writeFile(values.markdown, text)
  if (values.json !== undefined) {
    await writeFile(values.json, `${JSON.stringify({ environment: env, rounds, results }, null, 1)}\n`)
  }
}

function resultOf({ row, isa, threads }: KernelSubject, timing: Timing): Result {
  return { op: row.op, shape: row.shape, isa, threads, operations: row.operations, timing }
}

await main()
