/** Sparse matrix by rows (CSR): row r holds columns[offsets[r] .. offsets[r+1]] with the values beside them. */
export interface SparseMatrix {
  readonly rows: number
  readonly cols: number
  /** [rows + 1] */
  readonly offsets: Float64Array
  readonly columns: Int32Array
  readonly values: Float64Array
}

/** Builds a sparse matrix from one map (column to value) a row; columns are put in order. */
export function sparseFromRows(rows: readonly ReadonlyMap<number, number>[], cols: number): SparseMatrix {
  const offsets = new Float64Array(rows.length + 1)
  rows.forEach((row, r) => (offsets[r + 1] = offsets[r]! + row.size))
  const size = offsets[rows.length]!
  const columns = new Int32Array(size)
  const values = new Float64Array(size)
  let at = 0
  for (const row of rows) {
    for (const [column, value] of [...row].sort(([a], [b]) => a - b)) {
      columns[at] = column
      values[at++] = value
    }
  }
  return { rows: rows.length, cols, offsets, columns, values }
}

/** out [rows] = m · x [cols] */
export function multiply(m: SparseMatrix, x: Float64Array, out: Float64Array): void {
  for (let r = 0; r < m.rows; r++) {
    let sum = 0
    const end = m.offsets[r + 1]!
    for (let i = m.offsets[r]!; i < end; i++) sum += m.values[i]! * x[m.columns[i]!]!
    out[r] = sum
  }
}

/** out [cols] = mᵀ · x [rows] */
export function multiplyTransposed(m: SparseMatrix, x: Float64Array, out: Float64Array): void {
  out.fill(0)
  for (let r = 0; r < m.rows; r++) {
    const scale = x[r]!
    const end = m.offsets[r + 1]!
    for (let i = m.offsets[r]!; i < end; i++) out[m.columns[i]!]! += m.values[i]! * scale
  }
}
