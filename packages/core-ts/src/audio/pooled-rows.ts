import { matrix, type Matrix } from '../base/matrix.js'

/**
 * What can be taken of all vectors of a clip: their mean, largest values, standard deviation (of them all, not of a sample), or trend: how far the
 * straight line that fits best (least squares over time) rises from the first to the last, 0 for one alone. The others do not tell what came first.
 */
export const poolings = ['mean', 'max', 'std', 'trend'] as const
/** Statistics that rows can be pooled by. */
export type Pooling = (typeof poolings)[number]

/** Statistics over rows that come block by block, in float64; they do not depend on where blocks are cut. */
class PooledRows {
  readonly #cols: number
  #rows = 0
  readonly #means: Float64Array
  /** Sums of squares around the mean, by Welford's recurrence. */
  readonly #squares: Float64Array
  /** Sums of products of value and place, both around their means, by the same recurrence. */
  readonly #products: Float64Array
  readonly #largest: Float32Array

  constructor(cols: number) {
    this.#cols = cols
    this.#means = new Float64Array(cols)
    this.#squares = new Float64Array(cols)
    this.#products = new Float64Array(cols)
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
        const after = value - this.#means[c]!
        this.#squares[c]! += before * after
        // This place is half the number of rows beyond the mean of those before.
        this.#products[c]! += (this.#rows / 2) * after
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
        // Places 0 … n − 1 have the sum of squares n·(n² − 1) / 12, and the line rises n − 1 times.
        trend: () => this.#products.map((sum) => (12 * sum) / (this.#rows * (this.#rows + 1))),
      }[pooling]()
      out.data.set(values, p * this.#cols)
    }
    return out
  }
}

/** Rows that come block by block as one row of all that is asked for. */
export async function* pooledRows(
  blocks: AsyncIterable<Matrix>,
  cols: number,
  pool: readonly Pooling[],
): AsyncGenerator<Matrix, void, undefined> {
  const all = new PooledRows(cols)
  for await (const block of blocks) all.add(block)
  yield all.vector(pool)
}
