import { checkOptions, expected, SonotextError, writeFileAtomic } from '../base/index.js'
import { mean, median } from '../metrics/index.js'
import type { Rating, RatingTable } from './rating.js'
import { csvCell } from './read-ratings.js'

/** What raters together say of one pair. */
export interface JudgedPair {
  readonly query: string
  readonly item: string
  /** In [0, 1]: 0 at the low end of the scale, 1 at the high end. */
  readonly relevance: number
  readonly raters: number
  /** Standard deviation of the raters' answers on [0, 1], as a sample's; null with one rater. */
  readonly deviation: number | null
  /** Mean seconds that were played; null where it is not known. */
  readonly played: number | null
  readonly group: string | null
}

/**
 * Graded relevance of pairs of a query and an item. A pair is judged or it is not: {@link of} gives a number in [0, 1] or `undefined`, and
 * who takes `undefined` for 0 says so.
 */
export class Relevances {
  readonly pairs: readonly JudgedPair[]
  readonly #byQuery = new Map<string, Map<string, number>>()

  /** Throws INVALID_ARGUMENT for a relevance outside [0, 1] and a pair that is judged twice. */
  constructor(pairs: Iterable<JudgedPair>) {
    this.pairs = [...pairs]
    for (const { query, item, relevance } of this.pairs) {
      if (!(relevance >= 0 && relevance <= 1))
        throw expected('a number from 0 to 1', `the relevance of ${item} for ${query}`, relevance)
      let ofQuery = this.#byQuery.get(query)
      if (ofQuery === undefined) this.#byQuery.set(query, (ofQuery = new Map()))
      if (ofQuery.has(item)) throw expected('each pair once', 'pairs', `${query} and ${item} twice`)
      ofQuery.set(item, relevance)
    }
  }

  get queries(): string[] {
    return [...this.#byQuery.keys()]
  }

  /** Relevance in [0, 1]; undefined where nobody has judged the pair. */
  of(query: string, item: string): number | undefined {
    return this.#byQuery.get(query)?.get(item)
  }

  /** The judged items of a query with their relevance; empty for a query that nobody has judged. */
  judged(query: string): ReadonlyMap<string, number> {
    return this.#byQuery.get(query) ?? new Map<string, number>()
  }

  /** Judged pairs of at least this relevance. */
  atLeast(threshold: number): JudgedPair[] {
    return this.pairs.filter(({ relevance }) => relevance >= threshold)
  }

  /** Items as queries and queries as items: captions for a clip. */
  transposed(): Relevances {
    return new Relevances(this.pairs.map((pair) => ({ ...pair, query: pair.item, item: pair.query })))
  }

  /** Share of the first `k` items of rankings, one a query, that are judged; NaN for rankings without items. */
  judgedShare(rankings: ReadonlyMap<string, readonly string[]>, k: number): number {
    let judged = 0
    let listed = 0
    for (const [query, items] of rankings) {
      for (const item of items.slice(0, k)) {
        listed++
        if (this.of(query, item) !== undefined) judged++
      }
    }
    return judged / listed
  }
}

/** How the answers of several raters become one: trimmed-mean leaves out the share `trim` of the answers at each end. */
export type RatingAverage = 'mean' | 'median' | 'trimmed-mean'

/** Options of {@link aggregateRatings}. */
export interface AggregateOptions {
  /** Default mean. */
  readonly average?: RatingAverage
  /** Share left out at each end by trimmed-mean, in [0, 0.5); default 0.2. */
  readonly trim?: number
  /** Pairs of fewer raters stay unjudged; default 1. */
  readonly minRaters?: number
}

/** One relevance for each pair, in the order of the ratings. Throws INVALID_DATA when no pair has enough raters. */
export function aggregateRatings(
  { ratings, scale, file }: RatingTable,
  options: AggregateOptions = {},
): Relevances {
  const { average = 'mean', trim = 0.2, minRaters = 1 } = checkOptions(options, 'aggregateRatings')
  if (!(trim >= 0 && trim < 0.5)) throw expected('a share from 0 to below 0.5', 'trim', trim)
  const of = averages[average]
  if (of === undefined) throw expected(Object.keys(averages).join(', '), 'average', average)
  const pairs: JudgedPair[] = []
  for (const answers of byPair(ratings).values()) {
    if (answers.length < minRaters) continue
    const values = Float64Array.from(
      answers,
      ({ rating }) => (rating - scale.low) / (scale.high - scale.low),
    ).sort()
    const heard = answers.flatMap(({ played }) => played ?? [])
    const { query, item, group } = answers[0]!
    pairs.push({
      ...{ query, item, group },
      relevance: of(values, trim),
      raters: answers.length,
      deviation: answers.length > 1 ? sampleDeviation(values) : null,
      played: heard.length > 0 ? mean.of(Float64Array.from(heard))() : null,
    })
  }
  if (pairs.length > 0) return new Relevances(pairs)
  throw new SonotextError('INVALID_DATA', `Expected pairs of ${minRaters} raters or more, got none.`, {
    file,
    remedy: 'Ask for fewer raters a pair, or screen less.',
  })
}

const averages: Readonly<Record<RatingAverage, (sorted: Float64Array, trim: number) => number>> = {
  mean: (values) => mean.of(values)(),
  median: (values) => median.of(values)(),
  'trimmed-mean': (values, trim) => {
    const out = Math.floor(values.length * trim)
    return mean.of(values.subarray(out, values.length - out))()
  },
}

/** Answers by pair, in the order of the first of each. */
export function byPair(ratings: readonly Rating[]): Map<string, Rating[]> {
  return Map.groupBy(ratings, ({ query, item }) => JSON.stringify([query, item]))
}

/** Standard deviation with the divisor n − 1. */
export function sampleDeviation(values: Float64Array): number {
  const centre = mean.of(values)()
  return Math.sqrt(values.reduce((sum, x) => sum + (x - centre) ** 2, 0) / (values.length - 1))
}

/** Writes `query,item,relevance,raters,deviation,played,group`; read again by `readRelevances`. */
export async function writeRelevances(path: string, relevances: Pick<Relevances, 'pairs'>): Promise<void> {
  await writeFileAtomic(path, relevancesCsv(relevances))
}

/** The text of {@link writeRelevances}. */
export function relevancesCsv({ pairs }: Pick<Relevances, 'pairs'>): string {
  const lines = ['query,item,relevance,raters,deviation,played,group']
  for (const { query, item, relevance, raters, deviation, played, group } of pairs)
    lines.push(
      [query, item, relevance, raters, deviation ?? '', played ?? '', group ?? ''].map(csvCell).join(','),
    )
  return `${lines.join('\n')}\n`
}
