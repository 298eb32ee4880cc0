import type { Rng } from '../base/rng.js'
import { checkOptions } from '../base/options.js'
import { type InPieces, inTurns, nextTurn } from '../base/turn.js'
import { multiply, multiplyTransposed, type SparseMatrix } from './sparse.js'

/** Most dimensions that texts are reduced to: the time for them grows with their cube. */
export const mostDimensions = 1024

export interface TruncatedSvd {
  /** Falling, only those above rounding (1e-7 of the largest), at most `rank` of them. */
  readonly singularValues: Float64Array
  /** One left singular vector [rows] for each. */
  readonly left: readonly Float64Array[]
}

/**
 * The largest singular values of a sparse matrix and their left vectors, by random projection and power iterations (Halko,
 * Martinsson and Tropp, "Finding structure with randomness", 2011). Same matrix and stream, same bits.
 */
export async function truncatedSvd(
  m: SparseMatrix,
  rank: number,
  rng: Rng,
  options: { iterations?: number; oversample?: number; signal?: AbortSignal | undefined } = {},
): Promise<TruncatedSvd> {
  checkOptions(options, 'truncatedSvd')
  const { iterations = 3, oversample = 10, signal } = options
  const width = Math.min(rank + oversample, m.rows, m.cols)
  const columns = (length: number) => Array.from({ length: width }, () => new Float64Array(length))
  const left = columns(m.rows)
  const right = columns(m.cols)
  for (const vector of right) for (let i = 0; i < vector.length; i++) vector[i] = rng.normal()
  const apply = async (multiplyOne: typeof multiply, from: Float64Array[], to: Float64Array[]) => {
    for (let j = 0; j < width; j++) {
      multiplyOne(m, from[j]!, to[j]!)
      if (j % 32 === 31) {
        await nextTurn(signal)
      }
    }
  }
  await apply(multiply, right, left)
  for (let i = 0; i < iterations; i++) {
    // One pass keeps the vectors apart, which is all a power iteration needs.
    await orthonormalize(left, 1, signal)
    await apply(multiplyTransposed, left, right)
    await apply(multiply, right, left)
  }
  await orthonormalize(left, 2, signal)
  await apply(multiplyTransposed, left, right)
  // The rows of B = Qᵀ·M stand in `right`: the eigenvectors of B·Bᵀ turn Q into the left singular vectors.
  const { values, vectors } = await inTurns(symmetricEigen(await inTurns(gramOf(right), signal)), signal)
  const largest = Math.sqrt(Math.max(values[0] ?? 0, 0))
  const kept = values.filter((value, i) => i < rank && value > 0 && Math.sqrt(value) > 1e-7 * largest).length
  return {
    singularValues: Float64Array.from(values.slice(0, kept), Math.sqrt),
    left: vectors.slice(0, kept).map((weights) => {
      const vector = new Float64Array(m.rows)
      weights.forEach((weight, j) => addScaled(vector, weight, left[j]!))
      return vector
    }),
  }
}

function* gramOf(vectors: readonly Float64Array[]): InPieces<Float64Array[]> {
  const rows: Float64Array[] = []
  for (const a of vectors) {
    rows.push(Float64Array.from(vectors, (b) => dot(a, b)))
    yield
  }
  return rows
}

/** Modified Gram–Schmidt; two passes reach rounding. A vector that depends on those before it becomes zero. */
async function orthonormalize(
  vectors: Float64Array[],
  passes: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (let j = 0; j < vectors.length; j++) {
    const vector = vectors[j]!
    const before = Math.sqrt(dot(vector, vector))
    for (let pass = 0; pass < passes; pass++) {
      for (let k = 0; k < j; k++) addScaled(vector, -dot(vector, vectors[k]!), vectors[k]!)
    }
    const norm = Math.sqrt(dot(vector, vector))
    const scale = norm > 1e-12 * before ? 1 / norm : 0
    for (let i = 0; i < vector.length; i++) vector[i]! *= scale
    if (j % 32 === 31) {
      await nextTurn(signal)
    }
  }
}

/** Four running sums in a fixed order: faster than one, and the same everywhere. */
function dot(a: Float64Array, b: Float64Array): number {
  let s0 = 0
  let s1 = 0
  let s2 = 0
  let s3 = 0
  const end = a.length - (a.length % 4)
  for (let i = 0; i < end; i += 4) {
    s0 += a[i]! * b[i]!
    s1 += a[i + 1]! * b[i + 1]!
    s2 += a[i + 2]! * b[i + 2]!
    s3 += a[i + 3]! * b[i + 3]!
  }
  for (let i = end; i < a.length; i++) s0 += a[i]! * b[i]!
  return s0 + s1 + (s2 + s3)
}

function addScaled(target: Float64Array, scale: number, source: Float64Array): void {
  for (let i = 0; i < target.length; i++) target[i]! += scale * source[i]!
}

/**
 * Eigenvalues (falling) and unit eigenvectors of a symmetric matrix by cyclic Jacobi rotations (Golub and Van Loan, Matrix
 * Computations, 8.5). The matrix is overwritten.
 */
export function* symmetricEigen(a: Float64Array[]): InPieces<{ values: number[]; vectors: Float64Array[] }> {
  const n = a.length
  const vectors = a.map((_, i) => Float64Array.from({ length: n }, (_, j) => (i === j ? 1 : 0)))
  const total = Math.sqrt(a.reduce((sum, row) => sum + dot(row, row), 0))
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) off += a[p]![q]! ** 2
    if (Math.sqrt(2 * off) <= 1e-15 * total) break
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) rotate(a, vectors, p, q)
      yield
    }
  }
  const order = a.map((_, i) => i).sort((i, j) => a[j]![j]! - a[i]![i]! || i - j)
  return { values: order.map((i) => a[i]![i]!), vectors: order.map((i) => vectors[i]!) }
}

/** Zeroes a[p][q] and a[q][p]; `vectors` holds the eigenvectors as rows. */
function rotate(a: Float64Array[], vectors: Float64Array[], p: number, q: number): void {
  const rowP = a[p]!
  const rowQ = a[q]!
  const apq = rowP[q]!
  if (apq === 0) return
  const theta = (rowQ[q]! - rowP[p]!) / (2 * apq)
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1))
  const c = 1 / Math.sqrt(t * t + 1)
  const s = t * c
  const app = rowP[p]! - t * apq
  const aqq = rowQ[q]! + t * apq
  turn(rowP, rowQ, c, s)
  for (let i = 0; i < a.length; i++) {
    const row = a[i]!
    if (i === p || i === q) continue
    row[p] = rowP[i]!
    row[q] = rowQ[i]!
  }
  rowP[p] = app
  rowQ[q] = aqq
  rowP[q] = 0
  rowQ[p] = 0
  turn(vectors[p]!, vectors[q]!, c, s)
}

function turn(x: Float64Array, y: Float64Array, c: number, s: number): void {
  for (let i = 0; i < x.length; i++) {
    const xi = x[i]!
    const yi = y[i]!
    x[i] = c * xi - s * yi
    y[i] = s * xi + c * yi
  }
}
