import { expected } from '../base/errors.js'
import type { Backend, OpOptions } from '../backend/port.js'

/** Of the copy that an index looks through first. */
export type IndexPrecision = 'float32' | 'float16' | 'int8'

const precisions: readonly IndexPrecision[] = ['float32', 'float16', 'int8']

export function isPrecision(value: unknown): value is IndexPrecision {
  return precisions.includes(value as IndexPrecision)
}

export function assertPrecision(value: unknown): asserts value is IndexPrecision {
  if (!isPrecision(value)) throw expected(`one of ${precisions.join(', ')}`, 'precision', value)
}

/** The items of an index in few bits, for the op `top_k`: made when they are first asked for, of rows that were added since only. */
export class NarrowItems {
  readonly #backend: Backend
  readonly #dim: number
  readonly #bits: 8 | 16
  #words = new Int32Array(0)
  #scales = new Float32Array(0)
  #rows = 0
  /** Calls that add rows follow each other. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(backend: Backend, dim: number, precision: Exclude<IndexPrecision, 'float32'>) {
    this.#backend = backend
    this.#dim = dim
    this.#bits = precision === 'int8' ? 8 : 16
  }

  /** Those of the first `rows` items, which never change. Throws ABORTED. */
  async of(
    items: Float32Array,
    rows: number,
    options: OpOptions,
  ): Promise<{ narrow: Int32Array; scales: Float32Array; bits: 8 | 16 }> {
    const width = Math.floor((this.#dim * this.#bits + 31) / 32)
    const own = this.#last.then(() => this.#extend(items, rows, width, options))
    this.#last = own.catch(() => undefined)
    await own
    const narrow = this.#words.subarray(0, rows * width)
    return { narrow, scales: this.#scales.subarray(0, rows * 2), bits: this.#bits }
  }

  async #extend(items: Float32Array, rows: number, width: number, options: OpOptions): Promise<void> {
    const from = this.#rows
    if (rows <= from) return
    this.#words = grown(this.#words, from * width, rows * width)
    this.#scales = grown(this.#scales, from * 2, rows * 2)
    const call = {
      x: items.subarray(from * this.#dim, rows * this.#dim),
      out: this.#words.subarray(from * width, rows * width),
      scales: this.#scales.subarray(from * 2, rows * 2),
    }
    const sizes = { rows: rows - from, cols: this.#dim, bits: this.#bits }
    await this.#backend.runAsync('quantize', { ...call, ...sizes }, options)
    this.#rows = rows
  }
}

/** An array of at least `needed` elements that begins with the first `used` of the old one: itself where it is long enough. */
function grown<A extends Int32Array | Float32Array>(array: A, used: number, needed: number): A {
  if (needed <= array.length) return array
  const Own = array.constructor as new (length: number) => A
  const longer = new Own(Math.max(needed, Math.min(2 * array.length, needed + 2 ** 24)))
  longer.set(array.subarray(0, used))
  return longer
}
