import { grown } from './grown.js'

/** What a stretch counts. */
export interface StretchCounts {
  falseAlarms: number
  crossTriggers: number
}

/**
 * The stretches that are on at any threshold where each counts by itself: they nest, so one pass finds them all without sorting (the tree of a
 * sequence's level sets, by a stack of what is still open). A stretch takes the place of those within it, so what changes at its score is
 * what it counts less what they did. Holds its memory for the next curve.
 */
export class NestedStretches {
  /** Of the stretches that are open, scores ascending: the score, the first frame, and what those within count together. */
  #scores = new Float64Array(64)
  #firsts = new Int32Array(64)
  #falseAlarms = new Int32Array(64)
  #crossTriggers = new Float64Array(64)
  readonly #counts: StretchCounts = { falseAlarms: 0, crossTriggers: 0 }

  /**
   * Tells by how much the counts change where thresholds fall to a score, in no order of scores and without scores below `least`. `count` writes
   * what the frames `first` … `last` count. Scores must not be NaN.
   */
  tell(
    scores: Float32Array,
    least: number,
    count: (first: number, last: number, into: StretchCounts) => void,
    onChange: (score: number, falseAlarms: number, crossTriggers: number) => void,
  ): void {
    const counts = this.#counts
    let open = 0
    for (let frame = 0; frame <= scores.length; frame++) {
      const score = frame < scores.length ? scores[frame]! : Number.NaN
      const on = score >= least
      let first = frame
      counts.falseAlarms = counts.crossTriggers = 0
      while (open > 0 && !(on && this.#scores[open - 1]! <= score)) {
        open--
        first = this.#firsts[open]!
        count(first, frame - 1, counts)
        const { falseAlarms, crossTriggers } = counts
        const moreAlarms = falseAlarms - this.#falseAlarms[open]!
        const moreTriggers = crossTriggers - this.#crossTriggers[open]!
        if (moreAlarms !== 0 || moreTriggers !== 0) onChange(this.#scores[open]!, moreAlarms, moreTriggers)
        // It lies within the one that is open around it, or else within the one that this frame opens.
        if (open > 0 && !(on && this.#scores[open - 1]! < score)) {
          this.#falseAlarms[open - 1]! += falseAlarms
          this.#crossTriggers[open - 1]! += crossTriggers
        }
      }
      if (!on || (open > 0 && this.#scores[open - 1] === score)) continue
      if (open === this.#scores.length) this.#grow()
      this.#scores[open] = score
      this.#firsts[open] = first
      this.#falseAlarms[open] = counts.falseAlarms
      this.#crossTriggers[open] = counts.crossTriggers
      open++
    }
  }

  #grow(): void {
    const room = 2 * this.#scores.length
    this.#scores = grown(this.#scores, new Float64Array(room))
    this.#firsts = grown(this.#firsts, new Int32Array(room))
    this.#falseAlarms = grown(this.#falseAlarms, new Int32Array(room))
    this.#crossTriggers = grown(this.#crossTriggers, new Float64Array(room))
  }
}
