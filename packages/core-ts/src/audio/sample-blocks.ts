/** One channel of sound of any length, piece by piece: pieces follow each other without a gap and are read once. */
export interface SampleBlocks {
  /** Hz. */
  readonly sampleRate: number
  readonly blocks: AsyncIterable<Float32Array> | Iterable<Float32Array>
}

/** Samples that are worked on at once where sound of any length is taken piece by piece: 4 MiB. */
export const blockSamples = 2 ** 20

/**
 * The samples of a stream from some point on: pieces are appended behind, and what is no longer needed is dropped in front. Positions
 * count from the beginning of the stream.
 */
export class SampleWindow {
  #samples = new Float32Array(0)
  #length = 0
  /** Position of the first sample that is held. */
  #start = 0

  /** Position behind the last sample. */
  get end(): number {
    return this.#start + this.#length
  }

  append(piece: Float32Array): void {
    if (this.#length + piece.length > this.#samples.length) {
      // Twice the need, so that a long stream of short pieces is not copied for each of them.
      const grown = new Float32Array(
        this.#length === 0 ? piece.length : Math.max(2 * this.#length, this.#length + piece.length),
      )
      grown.set(this.#samples.subarray(0, this.#length))
      this.#samples = grown
    }
    this.#samples.set(piece, this.#length)
    this.#length += piece.length
  }

  /** Drops what lies before `position`. */
  dropBefore(position: number): void {
    const count = Math.min(Math.max(position - this.#start, 0), this.#length)
    if (count === 0) return
    // An array of its own: an op that still runs may hold the old one.
    const kept = this.#samples.slice(count, this.#length)
    this.#samples = kept
    this.#length = kept.length
    this.#start += count
  }

  /** Samples from `position` to the end; a view. */
  from(position: number): Float32Array {
    return this.#samples.subarray(position - this.#start, this.#length)
  }
}
