/** Where a phrase is heard in a recording. */
export interface AlignedSegment {
  readonly phrase: string
  /** Seconds from the beginning of the recording. */
  readonly onset: number
  /** Seconds; past the onset. */
  readonly offset: number
  /** How well the recording matches the phrase there: the mean of its frame scores, larger = better. */
  readonly score: number
  /** How far the score stands above what the phrase scores elsewhere, in [0, 1]. Left out where nothing is known of elsewhere. */
  readonly confidence?: number
}
