import type { OpArgs, OpName } from '../../backend/port.js'
import { referenceBackend } from '../../backend/reference/index.js'
import type { Rng } from '../../base/rng.js'

/** Runs an op on the backend under test, on buffers of that backend. */
export type RunOp = <K extends OpName>(op: K, args: OpArgs[K]) => void

/** One call of one op with everything needed to judge it. */
export interface OpCase<K extends OpName = OpName> {
  readonly op: K
  /** What is special about it, unique within the op. */
  readonly name: string
  /**
   * The arguments on the host, the same for the same stream. Floats are Float64Arrays of numbers that float32 holds
   * exactly; what the op writes without reading is NaN, so that a read or a gap shows.
   */
  readonly args: (draw: Draw) => OpArgs[K]
  /** Arguments whose layout is the backend's own: not compared. */
  readonly opaque?: readonly string[]
  /** Fills arguments that only the backend under test can make, on its own memory. */
  readonly before?: (run: RunOp, args: OpArgs[K], draw: (length: number) => OpArgs['scale']['x']) => void
  /** Size of the terms whose sum an output is, where they cancel to less: what the absolute tolerance is a share of. */
  readonly scale?: number
  /** False: values where the op has a kink or leaves the range of finite differences. Default true. */
  readonly smooth?: boolean
}

/** A case of any op. */
export type AnyOpCase = { [K in OpName]: OpCase<K> }[OpName]

/** The oracle that cases use to make coherent inputs for a backward op. */
export const oracle = referenceBackend({ precision: 'float64' })

/** An output: NaN until the op writes it. */
export function blank(length: number): Float64Array {
  return new Float64Array(length).fill(Number.NaN)
}

/** Every element as float32 holds it. */
export function rounded(values: Float64Array): Float64Array {
  return values.map(Math.fround)
}

/** Test data from a stream, exactly representable in float32. */
export class Draw {
  readonly rng: Rng

  constructor(rng: Rng) {
    this.rng = rng
  }

  normal(length: number, scale = 1, mean = 0): Float64Array {
    return Float64Array.from({ length }, () => Math.fround(mean + scale * this.rng.normal()))
  }

  uniform(length: number, low: number, high: number): Float64Array {
    return Float64Array.from({ length }, () => Math.fround(this.rng.between(low, high)))
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.rng.int(256))
  }

  /** Integers in [0, n). */
  indices(length: number, n: number): Int32Array {
    return Int32Array.from({ length }, () => this.rng.int(n))
  }

  /** Lengths in [0, max] that hold both ends when there is room. */
  lengths(count: number, max: number): Int32Array {
    const lengths = this.indices(count, max + 1)
    if (count > 0) lengths[0] = max
    if (count > 2) lengths[1] = 0
    return lengths
  }

  /** Rows of length 1. */
  unitRows(rows: number, d: number): Float64Array {
    const out = new Float64Array(rows * d)
    const x = this.normal(rows * d)
    oracle.run('l2_normalize', { x, out, norms: new Float64Array(rows), rows, cols: d, eps: 1e-12 })
    return rounded(out)
  }

  /** Ragged rows: 0 to `most` indices in [0, n) for each of `rows`. */
  lists(rows: number, n: number, most: number): { offsets: Int32Array; index: Int32Array } {
    const rowsOfIndices = Array.from({ length: rows }, () => [...this.indices(this.rng.int(most + 1), n)])
    const offsets = new Int32Array(rows + 1)
    rowsOfIndices.forEach((row, i) => (offsets[i + 1] = offsets[i]! + row.length))
    return { offsets, index: Int32Array.from(rowsOfIndices.flat()) }
  }
}

/** Sizes at which vector code turns wrong: none, one, and around widths of 8 and 16. */
export const aroundWidths = [0, 1, 7, 8, 9, 15, 16, 17, 31, 33] as const
