import { matrix, type Matrix } from '../base/matrix.js'

/** What can be taken of all vectors of a clip: their mean, largest values, or standard deviation (of them all, not of a sample). */
export const poolings = ['mean', 'max', 'std'] as const
/** Statistics that rows can be pooled by. */
export type Pooling = (typeof poolings)[number]

/** Statistics over rows that come block by block, in float64; they do not depend on where blocks are cut. */
export class PooledRows {
  readonly #cols: number
  #rows = 0
  readonly #means: Float64Array
  /** Sums of squares around the mean, by Welford's recurrence. */
  readonly #squares: Float64Array
  readonly #largest: Float32Array

  constructor(cols: number) {
    this.#cols = cols
    this.#means = new Float64Array(cols)
    this.#squares = new Float64Array(cols)
    this.#largest = new Float32Array(cols).fill(-Infinity)
  }

  add({ rows, data }: Matrix): void {
    const cols = this.#cols
    for (let r = 0; r < rows; r++) {
      this.#rows++
      for (let c = 0; c < cols; c++) {
        const value = data[r * cols + c]!
        const before = value - this.#means[c]!
        this.#means[c]! += before / this.#rows
        this.#squares[c]! += before * (value - this.#means[c]!)
        if (value > this.#largest[c]!) this.#largest[c] = value
      }
    }
  }

  /** One row of all that is asked for, in that order. */
  vector(pool: readonly Pooling[]): Matrix {
    const out = matrix(1, this.#cols * pool.length)
    for (const [p, pooling] of pool.entries()) {
      const values = {
        mean: () => this.#means,
        max: () => this.#largest,
        std: () => this.#squares.map((sum) => Math.sqrt(sum / this.#rows)),
      }[pooling]()
      out.data.set(values, p * this.#cols)
    }
    return out
  }
}
