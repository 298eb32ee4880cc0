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

/** A measure is a value; `measure(m.name)` of the registry gives it back. */
export interface Measure {
  readonly name: string
  /** Value of one query; pure, larger is better except for medR. */
  score(query: RankedQuery): number
  /** From per-query values to one number. */
  summarize(perQuery: Float64Array): MeasureSummary
  /** Exact expectation of the summarised value when every ranking is uniformly random. */
  chance(queries: readonly QueryShape[], size: RankingSize): number
}
