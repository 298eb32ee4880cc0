/**
 * How far down scores need to be looked at when more than so many false alarms are of no interest: to the largest score at which that many
 * have come, of those that stay however far one goes down. It rises as more of them are told.
 */
export class ScoreFloor {
  /** The largest scores told, a heap with the least on top. */
  readonly #largest: Float64Array
  #held = 0

  /** `tooMany`: that many are no longer of interest. `told`: at most so many will be told. */
  constructor(tooMany: number, told: number) {
    // What can never be reached needs no memory; with no false alarm allowed none is of interest.
    this.#largest = new Float64Array(tooMany <= told ? Math.max(1, tooMany) : 0)
  }

  /** No point of a curve below this score is of interest; −∞ as long as that is not known. */
  get score(): number {
    return this.#held > 0 && this.#held === this.#largest.length ? this.#largest[0]! : -Infinity
  }

  /** A false alarm that comes when scores fall to `score`, and stays. */
  add(score: number): void {
    const heap = this.#largest
    if (this.#held < heap.length) {
      let at = this.#held++
      for (; at > 0 && heap[(at - 1) >> 1]! > score; at = (at - 1) >> 1) heap[at] = heap[(at - 1) >> 1]!
      heap[at] = score
    } else if (heap.length > 0 && score > heap[0]!) {
      let at = 0
      for (let child = 1; child < heap.length; child = 2 * at + 1) {
        if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child++
        if (heap[child]! >= score) break
        heap[at] = heap[child]!
        at = child
      }
      heap[at] = score
    }
  }
}
