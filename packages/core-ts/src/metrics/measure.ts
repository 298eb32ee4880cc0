import { partOf } from '../registry/index.js'
import { type Statistic, unitMean } from './significance/index.js'

/** What a measure needs to know of a query before any ranking is seen: enough for its value by chance. */
export interface QueryShape {
  /** Number of relevant items R ≥ 1, whether the ranking holds them or not. */
  readonly relevant: number
  /** Gains above 0 of all the query's items, descending; absent = every relevant item gains 1. */
  readonly idealGains?: ArrayLike<number>
  /** Grades of the judged items, 0 and below among them; absent where it is not said which items are judged. */
  readonly judged?: { readonly grades: ArrayLike<number> }
  /** Items its ranking chooses from where that is not the same for every query: the judged ones, when others are left out. */
  readonly items?: number
}

/** One query's outcome: where its relevant items came in the ranking. A query missing from a run has no ranks at all. */
export interface RankedQuery extends QueryShape {
  /** 1-based ranks of the relevant items that the ranking holds, ascending. */
  readonly ranks: ArrayLike<number>
  /** Ranks and gains of every held item whose gain is above 0; read by graded measures when the query has idealGains. */
  readonly graded?: { readonly ranks: ArrayLike<number>; readonly gains: ArrayLike<number> }
  /** The judged items with their grades and 1-based ranks, Infinity for those that the ranking does not hold. */
  readonly judged?: { readonly grades: ArrayLike<number>; readonly ranks: ArrayLike<number> }
}

/** How many items a ranking chooses from, and how many of them a run lists at most (a full ranking: all). */
export interface RankingSize {
  readonly items: number
  readonly depth: number
}

/** A measure is a value; `measure(m.name)` gives it back. */
export interface Measure {
  readonly name: string
  /** How many ranks it looks at; absent = all. */
  readonly cutoff?: number
  /** Which values are better, of a query and of all. Default higher. */
  readonly better?: 'higher' | 'lower'
  /** Least and largest value that there can be. Default 0 and 1. */
  readonly range?: readonly [number, number]
  /** Value of one query; pure. */
  score(query: RankedQuery): number
  /** Whether the query says anything; default: when something is relevant to it. Others are left out of the mean. */
  counts?(query: QueryShape): boolean
  /** Value of the best ranking there is; default 1. R@1 of a clip with five captions is 0.2 at most, and so is its interval's upper end. */
  ceiling?(query: QueryShape, size: RankingSize): number
  /** From per-query values to one number and its interval. */
  readonly statistic: Statistic
  /** Exact expectation of that number when every ranking is uniformly random. */
  chance(queries: readonly QueryShape[], size: RankingSize): number
}

/**
 * A measure in [0, 1], higher is better, that is averaged over queries.
 * @param score its value for one ranking
 * @param expectation its expectation over all rankings, for the value by chance
 * @param ceiling its value for the best ranking there is, where that is less than 1: the upper end of intervals
 */
export function meanMeasure(
  name: string,
  score: (query: RankedQuery) => number,
  expectation: (query: QueryShape, size: RankingSize) => number,
  ceiling: (query: QueryShape, size: RankingSize) => number = () => 1,
): Measure {
  return {
    name,
    score,
    ceiling,
    statistic: unitMean,
    chance: (queries, size) => {
      const byRelevant = new Map<number, number>()
      let sum = 0
      for (const query of queries) {
        const isOwn = query.idealGains !== undefined || query.items !== undefined
        let value = isOwn ? undefined : byRelevant.get(query.relevant)
        if (value === undefined) {
          value = expectation(query, sizeFor(query, size))
          if (!isOwn) byRelevant.set(query.relevant, value)
        }
        sum += value
      }
      return sum / queries.length
    },
  }
}

/** How much the ranking of one query chooses from and lists. */
export function sizeFor({ items }: QueryShape, size: RankingSize): RankingSize {
  return items === undefined ? size : { items, depth: Math.min(items, size.depth) }
}

/** What the row of a measure has besides. */
export interface MeasureExtra {
  /** What people coming from elsewhere call it; only used for suggestions. */
  readonly aliases?: readonly string[]
}

/** For a measure's row in its family, next to its maths. Its name is written with `@k` as its schema says: see {@link cutoff}. */
export const measurePart = partOf<Measure, void, MeasureExtra>()

const k = { type: 'integer', minimum: 1, maximum: 999_999_999, description: 'Ranks that count.' } as const

/** Schemas of measures: `R@k` always has a cut-off, `mAP` and `mAP@k` may have one, `medR` has none. */
export const cutoff = {
  required: { properties: { k }, required: ['k'] },
  optional: { properties: { k } },
  none: { properties: {} },
} as const

/** `nDCG@10`, or `nDCG` without a cut-off. */
export function nameWith(name: string, rank: number | undefined): string {
  return rank === undefined ? name : `${name}@${rank}`
}

/** The field `cutoff` of a measure that looks at k ranks. */
export function cutoffOf(rank: number): Pick<Measure, 'cutoff'> {
  return Number.isFinite(rank) ? { cutoff: rank } : {}
}
