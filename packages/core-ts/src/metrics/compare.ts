import { checkOptions, SonotextError } from '../base/index.js'
import type { EvaluateOptions, Evaluation, PerQuery } from './evaluation.js'
import type { Measure } from './measure.js'
import { measure } from './registry.js'
import {
  clustersOf,
  holm,
  type Interval,
  pairedBootstrapInterval,
  randomizationTest,
  type ResamplingOptions,
} from './significance/index.js'

/** One measure of two systems in one direction. */
export interface Comparison {
  readonly direction: 'textToAudio' | 'audioToText'
  readonly measure: string
  /** Values of the two systems over the same queries. */
  readonly a: number
  readonly b: number
  /** a − b. */
  readonly difference: number
  /** 95 % of the difference by paired bootstrap over clusters; null with fewer than two clusters. */
  readonly interval: Interval | null
  /** Two-sided p of the paired randomisation test over clusters. */
  readonly p: number
  /** p after Holm's correction for all comparisons returned together. */
  readonly adjusted: number
  /** Whether p comes from all exchanges and not from random ones. */
  readonly exact: boolean
  readonly queries: number
  readonly clusters: number
}

/** Options of {@link compareEvaluations}. */
export interface CompareOptions extends ResamplingOptions {
  /** Names or values; default: every measure that both evaluations hold. Needed as values for measures of your own. */
  readonly measures?: EvaluateOptions['measures']
}

/**
 * Tests whether two systems differ on the same queries, measure by measure and in each direction that both were evaluated in, with whole
 * clusters of queries exchanged and resampled. Queries are matched by id, in whatever order. The comparisons returned are one family
 * for Holm's correction; for a larger family give all their `p` to {@link holm}. Measures that no query counts for are left out. Throws
 * INVALID_DATA when the evaluations do not hold the same queries in the same clusters, or have no direction or measure in common.
 */
export function compareEvaluations(a: Evaluation, b: Evaluation, options: CompareOptions = {}): Comparison[] {
  checkOptions(options, 'compareEvaluations')
  const found = (['textToAudio', 'audioToText'] as const).flatMap((direction) => {
    const [first, second] = [a.perQuery[direction], b.perQuery[direction]]
    return first && second ? compareDirection(direction, first, second, options) : []
  })
  if (found.length === 0) {
    throw new SonotextError(
      'INVALID_DATA',
      'Expected two evaluations with a direction and a measure in common, got none.',
      { remedy: 'Evaluate both with the same measures.' },
    )
  }
  const adjusted = holm(found.map(({ p }) => p))
  return found.map((comparison, i) => ({ ...comparison, adjusted: adjusted[i]! }))
}

function compareDirection(
  direction: Comparison['direction'],
  a: PerQuery,
  b: PerQuery,
  { measures, ...resampling }: CompareOptions,
): Omit<Comparison, 'adjusted'>[] {
  const place = matchQueries(direction, a, b)
  const shared = measures ?? Object.keys(a.values).filter((name) => name in b.values)
  return shared.flatMap((item): Omit<Comparison, 'adjusted'>[] => {
    const { name, statistic }: Measure = typeof item === 'string' ? measure(item) : item
    const [valuesA, valuesB] = [a.values[name], b.values[name]]
    if (!valuesA || !valuesB) {
      const which = valuesA ? 'second' : 'first'
      throw mismatch(
        `${name} of each query in both evaluations`,
        `none in the ${which}`,
        'Evaluate both with it.',
      )
    }
    const counting: number[] = []
    for (const [query, id] of a.ids.entries()) {
      const [inA, inB] = [!Number.isNaN(valuesA[query]!), !Number.isNaN(valuesB[place[query]!]!)]
      if (inA !== inB) {
        throw mismatch(
          `${name} of query "${id}" in both evaluations`,
          `one only in the ${inA ? 'first' : 'second'}`,
          'Evaluate both against the same truth.',
        )
      }
      if (inA) counting.push(query)
    }
    if (counting.length === 0) return []
    const x = Float64Array.from(counting, (query) => valuesA[query]!)
    const y = Float64Array.from(counting, (query) => valuesB[place[query]!]!)
    const clusters = clustersOf(counting.map((query) => a.clusters[query]!))
    const { difference, p, exact } = randomizationTest(x, y, clusters, statistic, resampling)
    return [
      {
        direction,
        measure: name,
        a: statistic.of(x)(),
        b: statistic.of(y)(),
        difference,
        interval: pairedBootstrapInterval(x, y, clusters, statistic, resampling),
        p,
        exact,
        queries: counting.length,
        clusters: clusters.count,
      },
    ]
  })
}

/** Where each query of `a` stands in `b`. */
function matchQueries(direction: string, a: PerQuery, b: PerQuery): number[] {
  const inB = new Map(b.ids.map((id, query) => [id, query]))
  const inA = new Set(a.ids)
  const onlyA = a.ids.filter((id) => !inB.has(id))
  const onlyB = b.ids.filter((id) => !inA.has(id))
  if (onlyA.length + onlyB.length > 0) {
    throw mismatch(
      `the same queries in both evaluations (${direction})`,
      [named(onlyA, 'first'), named(onlyB, 'second')].filter(Boolean).join(' and '),
      'Evaluate both on the same split of the same data.',
    )
  }
  const place = a.ids.map((id) => inB.get(id)!)
  const [clustersA, clustersB] = [
    clustersOf(a.clusters),
    clustersOf(place.map((query) => b.clusters[query]!)),
  ]
  const odd = clustersA.of.findIndex((cluster, query) => cluster !== clustersB.of[query])
  if (odd >= 0) {
    throw mismatch(
      `the same clusters of queries in both evaluations (${direction})`,
      `"${a.clusters[odd]}" and "${b.clusters[place[odd]!]}" for query "${a.ids[odd]}"`,
      'Give both the same clips and groups.',
    )
  }
  return place
}

function named(ids: readonly string[], which: string): string {
  if (ids.length === 0) return ''
  const shown = ids.slice(0, 3).map((id) => `"${id}"`)
  return `${ids.length} only in the ${which} (${shown.join(', ')}${ids.length > 3 ? ', …' : ''})`
}

function mismatch(wanted: string, got: string, remedy: string): SonotextError {
  return new SonotextError('INVALID_DATA', `Expected ${wanted}, got ${got}.`, { remedy })
}
