import { expected, nearest } from '../base/index.js'
import { averagePrecision } from './average-precision.js'
import { medianRank } from './median-rank.js'
import { ndcg } from './ndcg.js'
import { hitRate, recall } from './recall.js'
import { reciprocalRank } from './reciprocal-rank.js'

/** What a measure needs to know of a query before any ranking is seen: enough for its value by chance. */
export interface QueryShape {
  /** Number of relevant items R ≥ 1, whether the ranking holds them or not. */
  readonly relevant: number
  /** Gains above 0 of all the query's items, descending; absent = every relevant item gains 1. */
  readonly idealGains?: ArrayLike<number>
}

/** One query's outcome: where its relevant items came in the ranking. A query missing from a run has no ranks at all. */
export interface RankedQuery extends QueryShape {
  /** 1-based ranks of the relevant items that the ranking holds, ascending. */
  readonly ranks: ArrayLike<number>
  /** Ranks and gains of every held item whose gain is above 0; read by graded measures when the query has idealGains. */
  readonly graded?: { readonly ranks: ArrayLike<number>; readonly gains: ArrayLike<number> }
}

/** Mean or median over queries with its 95 % interval; null where the interval does not exist (fewer than 2 queries). */
export interface MeasureSummary {
  readonly value: number
  readonly interval: readonly [number, number] | null
}

/** How many items a ranking chooses from, and how many of them a run lists at most (a full ranking: all). */
export interface RankingSize {
  readonly items: number
  readonly depth: number
}

/** A measure is a value; `measure(m.name)` gives it back. */
export interface Measure {
  readonly name: string
  /** Value of one query; pure, larger is better except for medR. */
  score(query: RankedQuery): number
  /** From per-query values to one number. */
  summarize(perQuery: Float64Array): MeasureSummary
  /** Exact expectation of the summarised value when every ranking is uniformly random. */
  chance(queries: readonly QueryShape[], size: RankingSize): number
}

/** A row of the registry. To add a measure: one file with its maths and one row here. */
interface MeasureFamily {
  readonly name: string
  readonly cutoff: 'required' | 'optional' | 'none'
  readonly make: (name: string, k: number) => Measure
  /** What people coming from elsewhere call it; only used for suggestions. */
  readonly aliases: readonly string[]
}

const families: readonly MeasureFamily[] = [
  { name: 'R', cutoff: 'required', make: recall, aliases: ['recall', 'rec'] },
  {
    name: 'mAP',
    cutoff: 'optional',
    make: averagePrecision,
    aliases: ['AP', 'meanAveragePrecision', 'average_precision'],
  },
  { name: 'MRR', cutoff: 'optional', make: reciprocalRank, aliases: ['RR', 'mean_reciprocal_rank'] },
  { name: 'medR', cutoff: 'none', make: medianRank, aliases: ['medRank', 'medianRank', 'median_rank'] },
  { name: 'HR', cutoff: 'required', make: hitRate, aliases: ['hit', 'hits', 'hitRate', 'success'] },
  { name: 'nDCG', cutoff: 'optional', make: ndcg, aliases: ['DCG'] },
]

/** Measures reported when none are named. */
export const defaultMeasures = [
  'R@1',
  'R@5',
  'R@10',
  'mAP@10',
  'mAP',
  'MRR',
  'medR',
  'HR@1',
  'HR@5',
  'HR@10',
] as const

/**
 * Parses a measure's name: `R@k`, `HR@k`, `mAP`, `mAP@k`, `MRR`, `MRR@k`, `medR`, `nDCG`, `nDCG@k`, k = 1, 2, ...
 * Throws INVALID_ARGUMENT with the nearest name for anything else.
 */
export function measure(name: string): Measure {
  const [, base, k] = /^([A-Za-z]+)(?:@([1-9]\d{0,8}))?$/.exec(name) ?? []
  const family = families.find((row) => row.name === base)
  if (family && (k === undefined ? family.cutoff !== 'required' : family.cutoff !== 'none')) {
    return family.make(name, k === undefined ? Number.POSITIVE_INFINITY : Number(k))
  }
  throw expected(`a measure (${measureForms()})`, 'measure', name, {
    remedy: `Did you mean "${meant(name)}"?`,
  })
}

/** Several measures by name, in order. */
export function measures(...names: readonly string[]): Measure[] {
  return names.map(measure)
}

function measureForms(): string {
  const forms = {
    required: (n: string) => [`${n}@k`],
    optional: (n: string) => [n, `${n}@k`],
    none: (n: string) => [n],
  }
  return families.flatMap((row) => forms[row.cutoff](row.name)).join(', ')
}

/** The measure that a wrong name most likely meant; always one that parses. */
function meant(name: string): string {
  const base = /^[A-Za-z_ -]*/.exec(name)![0].replace(/[ -]+/g, '_')
  const spellings = new Map(
    families.flatMap((row) => [row.name, ...row.aliases].map((spelling) => [spelling, row])),
  )
  const family = spellings.get(nearest(base, spellings.keys()) ?? 'R')!
  if (family.cutoff === 'none') return family.name
  const k = Number(/\d+/.exec(name)?.[0] ?? 0)
  if (k > 0 && k < 1e9) return `${family.name}@${k}`
  return family.cutoff === 'required' ? `${family.name}@10` : family.name
}
