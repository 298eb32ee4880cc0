import { checkOptions, expected, SonotextError } from '../base/index.js'
import type { EvaluateOptions, Evaluation, PerQuery } from './evaluation.js'
import type { Measure } from './measure.js'
import { measure } from './registry.js'
import {
  type Clusters,
  clustersOf,
  holm,
  type Interval,
  pairedBootstrapInterval,
  randomizationTest,
  type ResamplingOptions,
  seedsDifference,
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

/** One measure of two systems, each trained from several seeds, in one direction. */
export interface GroupComparison extends Omit<Comparison, 'exact'> {
  /** How many evaluations of `a` and of `b`: a seed each. */
  readonly seeds: readonly [number, number]
}

/** Options of {@link compareEvaluations} and {@link compareGroups}. */
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
  const found = directions.flatMap((direction) => {
    const [first, second] = [a.perQuery[direction], b.perQuery[direction]]
    return first && second ? compareDirection(direction, first, second, options) : []
  })
  return adjustedOf(found)
}

/**
 * Tests whether two systems differ that were trained from several seeds: `a` and `b` are the evaluations of their seeds, two or more each, on
 * the same queries. Values are means over seeds; interval and p are {@link seedsDifference} and count that other seeds, and other clusters of
 * queries, would have given others. Everything else as for {@link compareEvaluations}. Throws INVALID_ARGUMENT for fewer than two seeds.
 */
export function compareGroups(
  a: readonly Evaluation[],
  b: readonly Evaluation[],
  options: CompareOptions = {},
): GroupComparison[] {
  checkOptions(options, 'compareGroups')
  const { measures, ...resampling } = options
  for (const [name, group] of Object.entries({ a, b }))
    if (group.length < 2) throw expected('evaluations of two or more seeds', name, `${group.length}`)
  const found = directions.flatMap((direction) => {
    const evaluations = [...a, ...b].flatMap(({ perQuery }) => perQuery[direction] ?? [])
    if (evaluations.length < a.length + b.length) return []
    return sharedValues(direction, evaluations, measures).map(({ name, statistic, columns, clusters }) => ({
      direction,
      measure: name,
      ...seedsDifference(
        columns.slice(0, a.length),
        columns.slice(a.length),
        clusters,
        statistic,
        resampling,
      ),
      queries: columns[0]!.length,
      clusters: clusters.count,
      seeds: [a.length, b.length] as const,
    }))
  })
  return adjustedOf(found)
}

const directions = ['textToAudio', 'audioToText'] as const

function adjustedOf<T extends { readonly p: number }>(found: readonly T[]): (T & { adjusted: number })[] {
  if (found.length === 0) {
    throw new SonotextError(
      'INVALID_DATA',
      'Expected evaluations with a direction and a measure in common, got none.',
      { remedy: 'Evaluate each with the same measures.' },
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
  return sharedValues(direction, [a, b], measures).map(({ name, statistic, columns, clusters }) => {
    const [x, y] = columns as [Float64Array, Float64Array]
    const { difference, p, exact } = randomizationTest(x, y, clusters, statistic, resampling)
    return {
      direction,
      measure: name,
      a: statistic.of(x)(),
      b: statistic.of(y)(),
      difference,
      interval: pairedBootstrapInterval(x, y, clusters, statistic, resampling),
      p,
      exact,
      queries: x.length,
      clusters: clusters.count,
    }
  })
}

/** A measure of several evaluations, query by query. */
interface SharedValues {
  readonly name: string
  readonly statistic: Measure['statistic']
  /** Of each evaluation, over the queries that count, in one order. */
  readonly columns: readonly Float64Array[]
  readonly clusters: Clusters
}

/** The values of every measure that some query counts for, matched by query. */
function sharedValues(
  direction: Comparison['direction'],
  evaluations: readonly PerQuery[],
  measures: EvaluateOptions['measures'],
): SharedValues[] {
  const [first, ...others] = evaluations as [PerQuery, ...PerQuery[]]
  const places = [
    Array.from(first.ids.keys()),
    ...others.map((other) => matchQueries(direction, first, other)),
  ]
  const names = Object.keys(first.values).filter((name) => others.every(({ values }) => name in values))
  return (measures ?? names).flatMap((item): SharedValues[] => {
    const { name, statistic }: Measure = typeof item === 'string' ? measure(item) : item
    const values = evaluations.map((of) => of.values[name])
    const lacking = values.findIndex((of) => of === undefined)
    if (lacking >= 0) {
      throw mismatch(
        `${name} of each query in ${all(evaluations)}`,
        `none in the ${ordinal(lacking)}`,
        'Evaluate each with it.',
      )
    }
    const valueOf = (evaluation: number, query: number): number =>
      values[evaluation]![places[evaluation]![query]!]!
    const counting: number[] = []
    for (const [query, id] of first.ids.entries()) {
      const counts = evaluations.map((_, evaluation) => !Number.isNaN(valueOf(evaluation, query)))
      if (new Set(counts).size > 1) {
        throw mismatch(
          `${name} of query "${id}" in ${all(evaluations)}`,
          `none in the ${ordinal(counts.indexOf(false))}`,
          'Evaluate each against the same truth.',
        )
      }
      if (counts[0]!) counting.push(query)
    }
    if (counting.length === 0) return []
    return [
      {
        name,
        statistic,
        columns: evaluations.map((_, of) => Float64Array.from(counting, (query) => valueOf(of, query))),
        clusters: clustersOf(counting.map((query) => first.clusters[query]!)),
      },
    ]
  })
}

function all(evaluations: readonly unknown[]): string {
  return evaluations.length === 2 ? 'both evaluations' : `all ${evaluations.length} evaluations`
}

function ordinal(index: number): string {
  return ['first', 'second', 'third'][index] ?? `${index + 1}th`
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
