import { expected } from './errors.js'

/** Dense row-major matrix of 32-bit floats: element (r, c) is data[r * cols + c]. */
export interface Matrix {
  readonly rows: number
  readonly cols: number
  readonly data: Float32Array
}

/** Wraps or allocates a matrix; throws INVALID_ARGUMENT when `data` does not have rows·cols elements. */
export function matrix(
  rows: number,
  cols: number,
  data: Float32Array = new Float32Array(rows * cols),
): Matrix {
  if (data.length !== rows * cols) throw expected(`${rows}×${cols} = ${rows * cols} elements`, 'data', data)
  return { rows, cols, data }
}

/** View of one row, without a copy. */
export function row(m: Matrix, index: number): Float32Array {
  return m.data.subarray(index * m.cols, (index + 1) * m.cols)
}
