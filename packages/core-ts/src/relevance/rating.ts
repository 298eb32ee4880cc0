/** One answer: how well an item (a clip) fits a query (a caption), as one rater sees it. */
export interface Rating {
  readonly query: string
  readonly item: string
  /** null where the table does not say who: then a pair is rated once. */
  readonly rater: string | null
  /** On the scale of its table. */
  readonly rating: number
  /** Seconds of the item that the rater listened to; null where it is not known. */
  readonly played: number | null
  /** What the item was in the list it was rated in, such as TP (the query's own clip), TN (a control) or C15; null where it is not said. */
  readonly group: string | null
}

/** The least and the greatest rating that can be given. */
export interface RatingScale {
  readonly low: number
  readonly high: number
}

/** The slider of the TAU Audio-Text Graded Relevances. */
export const percentScale: RatingScale = { low: 0, high: 100 }

/** Ratings of a file, with their scale. */
export interface RatingTable {
  /** The file it comes from, for messages. */
  readonly file: string
  readonly scale: RatingScale
  readonly ratings: readonly Rating[]
  /** The line of the file that each rating was read from; absent for ratings from elsewhere. */
  readonly lines?: ReadonlyMap<Rating, number>
}
