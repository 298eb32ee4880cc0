import { expected, nearest } from '../base/index.js'
import { averagePrecision } from './average-precision.js'
import type { Measure } from './measure.js'
import { medianRank } from './median-rank.js'
import { ndcg } from './ndcg.js'
import { hitRate, recall } from './recall.js'
import { reciprocalRank } from './reciprocal-rank.js'

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
