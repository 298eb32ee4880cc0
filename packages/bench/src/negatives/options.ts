import { parseArgs } from 'node:util'
import { CheckError } from '../check/check-error.js'

export const help = `nx run bench:negatives [-- options]

Trains models with every registered way of choosing negatives, on equal seeds and data, measures what each costs and how well the
models search, and says why. Ends with a table, a JSON file, a CSV file and a report in one HTML file.

  (nothing)          quick mode: small scenes of synthesised sounds, fixed random convolutions as a tower, three seeds; minutes
  --full             every strategy with ten seeds and every question; hours. What is there already is not computed again
  --onnx FILE        a frozen tower in place of the random convolutions: ONNX, log-mel patches [n, 96, 64] in, vectors out
  --bank DIR         labelled recordings besides the synthesised sounds (ESC-style folders)
  --csv FILE         their labels and folds: 1 to 3 to train on, 4 for the curve, 5 for the tests
  --seeds N          seeds of every cell in place of the planned number
  --epochs N         epochs of every model in place of the planned number
  --only TEXT        only cells whose "setting variant seed" has this text, such as "main hard"; "cost" for the cost alone
  --skip-cost        quality alone
  --report           train and time nothing: report the cells that are there
  --shard I/N        every N-th cell from the I-th, for several machines with one --work
  --jobs N           processes that train at once; default 1
  --device NAME      auto, cpu, cuda or reference; default cpu
  --work DIR         scenes, features and a file for every finished cell; default runs/negatives
  --out DIR          where results.json, results.csv and report.html go; default: the work folder
  --json             print the results as JSON in place of the table
  --help             this

A cell is one model: a setting (encoder, similarity, batch size …), a strategy and a seed. Stopped at any point, the same command goes on.
`

export interface StudyOptions {
  readonly full: boolean
  readonly onnx: string | undefined
  readonly bank: string | undefined
  readonly csv: string | undefined
  readonly seeds: number | undefined
  readonly epochs: number | undefined
  readonly only: string | undefined
  readonly skipCost: boolean
  readonly reportOnly: boolean
  readonly shard: readonly [index: number, of: number]
  readonly jobs: number
  readonly device: string
  readonly work: string
  readonly out: string
  readonly json: boolean
}

/** Null when only help is wanted. Throws with a line for people. */
export function studyOptions(argv: readonly string[]): StudyOptions | null {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      full: { type: 'boolean', default: false },
      onnx: { type: 'string' },
      bank: { type: 'string' },
      csv: { type: 'string' },
      seeds: { type: 'string' },
      epochs: { type: 'string' },
      only: { type: 'string' },
      'skip-cost': { type: 'boolean', default: false },
      report: { type: 'boolean', default: false },
      shard: { type: 'string', default: '1/1' },
      jobs: { type: 'string', default: '1' },
      device: { type: 'string', default: 'cpu' },
      work: { type: 'string', default: 'runs/negatives' },
      out: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return null
  const whole = (name: 'seeds' | 'epochs' | 'jobs'): number | undefined => {
    const text = values[name]
    if (text === undefined) return undefined
    if (!/^[1-9]\d*$/.test(text))
      throw new CheckError(`Expected a whole number from 1 for --${name}, got "${text}".`)
    return Number(text)
  }
  const shard = /^(\d+)\/(\d+)$/.exec(values.shard)?.slice(1).map(Number)
  if (shard === undefined || shard[0]! < 1 || shard[0]! > shard[1]!)
    throw new CheckError(`Expected I/N with I from 1 to N for --shard, got "${values.shard}".`)
  const { full, onnx, bank, csv, only, device, work, json } = values
  return {
    ...{ full, onnx, bank, csv, only, device, work, json },
    skipCost: values['skip-cost'] || values.report,
    reportOnly: values.report,
    seeds: whole('seeds'),
    epochs: whole('epochs'),
    jobs: whole('jobs')!,
    shard: [shard[0]!, shard[1]!],
    out: values.out ?? work,
  }
}
