/** One item found for a query. */
export interface Hit {
  readonly id: string
  /** Place of the item in the index, in the order of adding. */
  readonly index: number
  /** Larger is more similar. */
  readonly score: number
  /** 1 is best. */
  readonly rank: number
}

/** Options of a search. */
export interface SearchOptions {
  /** How many hits a query; fewer come where there are fewer items. Default 10. */
  readonly k?: number
  readonly signal?: AbortSignal
}
