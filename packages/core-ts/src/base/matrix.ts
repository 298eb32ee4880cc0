import { expected, SonotextError } from './errors.js'

/** Dense row-major matrix of 32-bit floats: element (r, c) is data[r * cols + c]. */
export interface Matrix {
  readonly rows: number
  readonly cols: number
  readonly data: Float32Array
}

/** Wraps or allocates a matrix. Throws INVALID_ARGUMENT when `data` does not have rows·cols elements, OUT_OF_MEMORY. */
export function matrix(rows: number, cols: number, data?: Float32Array): Matrix {
  for (const [name, extent] of Object.entries({ rows, cols })) {
    if (!Number.isSafeInteger(extent) || extent < 0) throw expected('an integer of 0 or more', name, extent)
  }
  const all = data ?? zeros(rows, cols)
  if (all.length !== rows * cols) throw expected(`${rows}×${cols} = ${rows * cols} elements`, 'data', all)
  return { rows, cols, data: all }
}

function zeros(rows: number, cols: number): Float32Array {
  try {
    return new Float32Array(rows * cols)
  } catch (cause) {
    throw new SonotextError('OUT_OF_MEMORY', `${rows}×${cols} numbers are more than memory can be had for.`, {
      remedy: 'Work on parts of them.',
      cause,
    })
  }
}

/** View of one row, without a copy. Throws INVALID_ARGUMENT when there is no such row. */
export function row(m: Matrix, index: number): Float32Array {
  if (!(index >= 0 && index < m.rows)) throw expected(`a row in [0, ${m.rows})`, 'index', index)
  return m.data.subarray(index * m.cols, (index + 1) * m.cols)
}

/** Rows become columns; a copy. */
export function transpose({ rows, cols, data }: Matrix): Matrix {
  const out = matrix(cols, rows)
  for (let r = 0; r < rows; r++) for (let c = 0; c < cols; c++) out.data[c * rows + r] = data[r * cols + c]!
  return out
}

/** Where the first NaN or infinite number is; -1 where all are finite. */
export function firstNotFinite(data: Float32Array): number {
  // Flat, and with one sum for the rule that all are finite: a million vectors take tenths of a second.
  let sum = 0
  for (let i = 0; i < data.length; i++) sum += data[i]! * 0
  return sum === 0 ? -1 : data.findIndex((value) => !Number.isFinite(value))
}
