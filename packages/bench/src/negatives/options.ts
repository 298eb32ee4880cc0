import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { CheckError } from '../check/check-error.js'

/** What the command takes; what each means is said at the head of suites/negatives.ts, which is its help. */
export const optionSpecs = {
  full: { type: 'boolean', default: false },
  onnx: { type: 'string' },
  bank: { type: 'string' },
  csv: { type: 'string' },
  seeds: { type: 'string' },
  epochs: { type: 'string' },
  strategies: { type: 'string' },
  plugin: { type: 'string', multiple: true, default: [] },
  only: { type: 'string' },
  'skip-cost': { type: 'boolean', default: false },
  report: { type: 'boolean', default: false },
  shard: { type: 'string', default: '1/1' },
  jobs: { type: 'string', default: '1' },
  device: { type: 'string', default: 'cpu' },
  work: { type: 'string', default: 'runs/negatives' },
  out: { type: 'string' },
  json: { type: 'boolean', default: false },
} satisfies ParseArgsOptionsConfig

export interface StudyOptions {
  readonly full: boolean
  readonly onnx: string | undefined
  readonly bank: string | undefined
  readonly csv: string | undefined
  readonly seeds: number | undefined
  readonly epochs: number | undefined
  /** Undefined for all. */
  readonly strategies: readonly string[] | undefined
  readonly plugins: readonly string[]
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

/** Throws with a line for people. */
export function studyOptions(argv: readonly string[]): StudyOptions {
  const { values } = parseArgs({ args: [...argv], options: optionSpecs })
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
    strategies: values.strategies?.split(',').map((name) => name.trim()),
    plugins: values.plugin,
  }
}
