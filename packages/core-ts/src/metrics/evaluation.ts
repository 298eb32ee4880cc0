import { expected, SonotextError } from '../base/index.js'
import { type Measure, type RankedQuery, type RankingSize, sizeFor } from './measure.js'
import { defaultMeasures, measures as parse } from './registry.js'
import {
  bootstrapInterval,
  type Clusters,
  clustersOf,
  type Interval,
  type Statistic,
} from './significance/index.js'

/**
 * Values by measure name. A median rank past the depth of a run is Infinity, and a measure that no query counts for is NaN, such as a rank
 * correlation with grades that are all one (both null in JSON).
 */
export type MeasureValues = Record<string, number>
/** 95 % intervals by measure name; null where there are fewer than two clusters of queries that count. */
export type MeasureIntervals = Record<string, Interval | null>

/**
 * How the intervals are made. `cluster` (default): clusters of queries are drawn at random, in closed form; `cluster-bootstrap`: the
 * same by resampling them; `query-jackknife`: every query is taken as drawn on its own, which is too narrow where clips have several captions.
 */
export type IntervalMethod = 'cluster' | 'cluster-bootstrap' | 'query-jackknife'

/** What a cluster of queries is: a clip with its captions, a group of clips (one recording), or a single query. */
export type ClusterUnit = 'clip' | 'group' | 'query'

/** What the intervals of one direction are over. */
export interface IntervalBasis {
  readonly method: IntervalMethod
  readonly unit: ClusterUnit
  /** Number of clusters. */
  readonly count: number
}

/** The values behind the means, in query order. Other evaluations are compared by id: {@link compareEvaluations}. */
export interface PerQuery {
  readonly ids: readonly string[]
  /** Which queries stand or fall together: equal ids, one cluster. */
  readonly clusters: readonly string[]
  /** By measure name; NaN (null in JSON) where the query does not count for the measure. */
  readonly values: Readonly<Record<string, readonly number[]>>
}

/** Both directions of one thing; null for a direction that was not evaluated. */
export interface Directions<T> {
  readonly textToAudio: T | null
  readonly audioToText: T | null
}

/** The result of an evaluation, plain JSON. Keys under the directions are measure names. */
export interface Evaluation extends Directions<MeasureValues> {
  readonly split: string | null
  /** Number of captions: the queries of text → audio, the items of audio → text. */
  readonly queries: number
  /** Number of clips: the items of text → audio, the queries of audio → text. */
  readonly items: number
  /** Exact expectation of each measure when rankings are uniformly random. */
  readonly chance: Directions<MeasureValues>
  readonly intervals: Directions<MeasureIntervals>
  /** What was drawn at random for the intervals. */
  readonly intervalsOver: Directions<IntervalBasis>
  /** By measure: mean share of the ranks it looks at whose items are judged; null where the truth does not say what is judged. */
  readonly judgedShare?: Directions<MeasureValues>
  /** Queries left out of a mean because nothing is relevant to them (a clip without captions, a topic without judgements). */
  readonly withoutRelevant: Directions<number>
  readonly perQuery: Directions<PerQuery>
}

/** An evaluation that has both directions. */
export interface FullEvaluation extends Evaluation, BothDirections<MeasureValues> {
  readonly textToAudio: MeasureValues
  readonly audioToText: MeasureValues
  readonly chance: BothDirections<MeasureValues>
  readonly intervals: BothDirections<MeasureIntervals>
  readonly intervalsOver: BothDirections<IntervalBasis>
  readonly withoutRelevant: BothDirections<number>
  readonly perQuery: BothDirections<PerQuery>
}

/** A value for each direction of retrieval. */
export interface BothDirections<T> extends Directions<T> {
  readonly textToAudio: T
  readonly audioToText: T
}

/** What every evaluation can be told: measures, intervals, clusters. */
export interface EvaluateOptions {
  /** Measure names or values; default {@link defaultMeasures}. */
  readonly measures?: readonly (string | Measure)[]
  /** Name of the split, passed on to the result. */
  readonly split?: string
  readonly interval?: IntervalMethod
  /** Seed of resampling; default 17. */
  readonly seed?: number
}

/** Who the queries are and which of them belong together; default: numbered, each on its own. */
export interface QueryNames {
  readonly ids: readonly string[]
  readonly clusters?: readonly string[]
  readonly unit?: ClusterUnit
}

/** One direction, summarised. */
export interface DirectionSummary {
  readonly values: MeasureValues
  readonly intervals: MeasureIntervals
  readonly intervalsOver: IntervalBasis
  readonly chance: MeasureValues
  readonly perQuery: PerQuery
  readonly withoutRelevant: number
  /** null where the truth does not say which items are judged. */
  readonly judgedShare: MeasureValues | null
}

/** Measures by name, or as values; by default those of the library. Throws INVALID_ARGUMENT for a name that is none. */
export function resolveMeasures(names: EvaluateOptions['measures'] = defaultMeasures): Measure[] {
  const resolved = names.flatMap((item) => (typeof item === 'string' ? parse(item) : [item]))
  if (resolved.length === 0) throw expected('at least one measure', 'measures', names)
  return resolved
}

/**
 * Per query first, then the summary of each measure. Queries that do not count for a measure (nothing is relevant to them, or their judged items
 * are all of one grade) are left out of it; a measure without any is NaN. Throws INVALID_DATA when that is so of all. `depth` is how many items a ranking lists at most (default: all), which
 * only chance needs.
 */
export function summarizeQueries(
  queries: readonly RankedQuery[],
  measures: readonly Measure[],
  size: { readonly items: number; readonly depth?: number },
  names: QueryNames = { ids: queries.map((_, query) => String(query)) },
  { interval: method = 'cluster', seed = 17 }: Pick<EvaluateOptions, 'interval' | 'seed'> = {},
): DirectionSummary {
  const { ids, clusters = ids, unit = names.clusters ? 'clip' : 'query' } = names
  if (ids.length !== queries.length) throw expected(`${queries.length} ids, one a query`, 'ids', ids)
  if (clusters.length !== ids.length)
    throw expected(`${ids.length} clusters, one a query`, 'clusters', clusters)
  if (new Set(ids).size < ids.length) {
    const twice = ids.find((id, query) => ids.indexOf(id) !== query)
    throw expected('each query once', 'ids', `"${twice}" twice`)
  }
  const most = queries.reduce((max, query) => Math.max(max, query.relevant), 0)
  if (most > size.items)
    throw expected(`at least ${most} items, as one query has that many relevant ones`, 'items', size.items)
  const ranking = { items: size.items, depth: Math.min(size.depth ?? size.items, size.items) }
  const values: MeasureValues = {}
  const intervals: MeasureIntervals = {}
  const chance: MeasureValues = {}
  const scores: Record<string, number[]> = {}
  const judgedShare: MeasureValues = {}
  const counted = new Uint8Array(queries.length)
  const counting = measures.map((m) =>
    queries.flatMap((query, q) => ((m.counts?.(query) ?? query.relevant > 0) ? [q] : [])),
  )
  const told = counting.filter(({ length }) => length > 0).length
  if (told === 0) throw nothingCounts(queries, measures)
  for (const [i, m] of measures.entries()) {
    const own = counting[i]!
    if (own.length === 0) {
      values[m.name] = chance[m.name] = Number.NaN
      intervals[m.name] = null
      scores[m.name] = new Array<number>(queries.length).fill(Number.NaN)
      continue
    }
    for (const q of own) counted[q]!++
    const judged = own.map((q) => queries[q]!)
    const perQuery = Float64Array.from(own, (q) => scoreOf(m, queries[q]!, ids[q]!))
    values[m.name] = m.statistic.of(perQuery)()
    const ceiling =
      judged.reduce((sum, query) => sum + (m.ceiling?.(query, sizeFor(query, ranking)) ?? 1), 0) /
      judged.length
    // As shares of what can be reached: there the intervals end too.
    const reached = perQuery.map((value) => value / ceiling)
    const ownClusters = clustersOf(own.map((q) => clusters[q]!))
    const interval = intervalOf(reached, ownClusters, m.statistic, method, seed)
    intervals[m.name] = interval && [interval[0] * ceiling, interval[1] * ceiling]
    chance[m.name] = m.chance(judged, ranking)
    const share = judgedShareOf(judged, m.cutoff ?? Number.POSITIVE_INFINITY, ranking)
    if (share !== null) judgedShare[m.name] = share
    const all = new Array<number>(queries.length).fill(Number.NaN)
    own.forEach((q, place) => (all[q] = perQuery[place]!))
    scores[m.name] = all
  }
  const kept = ids.flatMap((_, q) => (counted[q]! > 0 ? [q] : []))
  const keptClusters = kept.map((q) => clusters[q]!)
  return {
    values,
    intervals,
    intervalsOver:
      method === 'query-jackknife'
        ? { method, unit: 'query', count: kept.length }
        : { method, unit, count: new Set(keptClusters).size },
    chance,
    perQuery: {
      ids: kept.map((q) => ids[q]!),
      clusters: keptClusters,
      values: Object.fromEntries(
        Object.entries(scores).map(([name, all]) => [name, kept.map((q) => all[q]!)]),
      ),
    },
    withoutRelevant: counted.filter((times) => times < told).length,
    judgedShare: Object.keys(judgedShare).length > 0 ? judgedShare : null,
  }
}

/** Throws INVALID_DATA naming measure and query for a value that is none, or that there cannot be. */
function scoreOf(m: Measure, query: RankedQuery, id: string): number {
  let score: number
  try {
    score = m.score(query)
  } catch (cause) {
    throw new Error(`the measure ${m.name} failed for the query "${id}": ${(cause as Error).message}`, {
      cause,
    })
  }
  const [least, largest] = m.range ?? [0, 1]
  if (score >= least - rounding && score <= largest + rounding) return score
  throw new SonotextError('INVALID_DATA', `The measure ${m.name} gave ${score} for the query "${id}".`, {
    remedy: Number.isNaN(score)
      ? 'A measure gives every query that counts a number; those that do not are left out by its counts().'
      : `Its range is ${least} to ${largest}: intervals and pages rely on it. Give the measure another range, or correct its score().`,
  })
}

/** What sums of quotients may be off by. */
const rounding = 1e-9

/** Mean over queries of the share of the first `cutoff` ranks that hold judged items; null unless all queries say what is judged. */
function judgedShareOf(queries: readonly RankedQuery[], cutoff: number, size: RankingSize): number | null {
  let sum = 0
  for (const query of queries) {
    if (query.judged === undefined) return null
    const { depth } = sizeFor(query, size)
    const looked = Math.min(cutoff, depth)
    const held = Array.from(query.judged.ranks).filter((rank) => rank <= looked).length
    sum += looked > 0 ? held / looked : 0
  }
  return sum / queries.length
}

function intervalOf(
  values: Float64Array,
  clusters: Clusters,
  statistic: Statistic,
  method: IntervalMethod,
  seed: number,
): Interval | null {
  if (method === 'cluster') return statistic.byCluster(values, clusters)
  if (method === 'cluster-bootstrap') return bootstrapInterval(values, clusters, statistic, { seed })
  if (method === 'query-jackknife') return statistic.byQuery(values)
  throw expected('cluster, cluster-bootstrap or query-jackknife', 'interval', method)
}

function nothingCounts(queries: readonly RankedQuery[], measures: readonly Measure[]): SonotextError {
  if (queries.some(({ relevant }) => relevant > 0)) {
    return new SonotextError(
      'INVALID_DATA',
      `Expected queries that count for ${measures.map(({ name }) => name).join(', ')}, got ${queries.length} queries with none: the judged items of each are all of one grade.`,
      {
        remedy:
          'Give grades that differ within a query, or measures that need none that differ, such as nDCG@10.',
      },
    )
  }
  return new SonotextError(
    'INVALID_DATA',
    `Expected queries with relevant items, got ${queries.length} queries with none.`,
    {
      remedy:
        'Check that the rankings and the truth name the same clips and captions, and that some grades are above 0 (or the least that counts).',
    },
  )
}

/** Puts one or two summarised directions into the object that is printed. */
export function evaluation(
  parts: Directions<DirectionSummary>,
  about: { readonly split?: string | null | undefined; readonly queries: number; readonly items: number },
): Evaluation {
  const both = <T>(pick: (summary: DirectionSummary) => T): Directions<T> => ({
    textToAudio: parts.textToAudio && pick(parts.textToAudio),
    audioToText: parts.audioToText && pick(parts.audioToText),
  })
  return {
    split: about.split ?? null,
    queries: about.queries,
    items: about.items,
    ...both((summary) => summary.values),
    chance: both((summary) => summary.chance),
    intervals: both((summary) => summary.intervals),
    intervalsOver: both((summary) => summary.intervalsOver),
    ...(parts.textToAudio?.judgedShare || parts.audioToText?.judgedShare
      ? { judgedShare: both((summary) => summary.judgedShare) as Directions<MeasureValues> }
      : {}),
    withoutRelevant: both((summary) => summary.withoutRelevant),
    perQuery: both((summary) => summary.perQuery),
  }
}

/** An evaluation without the values of each query, which are most of its size: for people and logs. */
export function withoutPerQuery<T extends Evaluation>(result: T): Omit<T, 'perQuery'> {
  return Object.fromEntries(Object.entries(result).filter(([key]) => key !== 'perQuery')) as Omit<
    T,
    'perQuery'
  >
}
