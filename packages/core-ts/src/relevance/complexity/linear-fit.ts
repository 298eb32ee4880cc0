import { expected } from '../../base/index.js'
import { solve } from '../regression/logistic.js'

/** What a linear regression explains. */
export interface LinearFit {
  /** Change of y, in standard deviations, with one standard deviation of each measure; 0 for a constant one. */
  readonly coefficients: readonly number[]
  /** Share of the variance of y that the fit explains. */
  readonly r2: number
  /** The same of predictions for each row by a fit on all others; below 0 where the mean of the others does better. */
  readonly leaveOneOut: number
}

/**
 * Linear regression of y on measures by least squares, cross-validated by leaving out one row at a time, which needs one fit alone: the
 * residual of row i without it is e_i / (1 − h_i) with the leverage h_i (Allen 1974). null where y is constant or there are not two rows
 * more than measures.
 */
export function linearFit(rows: readonly ArrayLike<number>[], y: ArrayLike<number>): LinearFit | null {
  if (rows.length !== y.length) throw expected(`${rows.length} numbers`, 'y', y)
  const [n, p] = [rows.length, rows[0]?.length ?? 0]
  if (n < p + 3) return null
  const columns = Array.from({ length: p }, (_, j) => standardised(Float64Array.from(rows, (row) => row[j]!)))
  const target = standardised(Float64Array.from(y))
  if (target === null) return null
  const used = columns.flatMap((column, j) => (column === null ? [] : [{ column, j }]))
  // Measures that say the same are told apart by nothing: a trace of a ridge keeps the system solvable.
  const gram = used.map((a) => used.map((b) => dot(a.column, b.column) + (a === b ? 1e-9 * n : 0)))
  const inverse = used.map((_, k) =>
    solve(
      gram,
      used.map((__, i) => (i === k ? 1 : 0)),
    ),
  )
  const beta = inverse.map((line) => line.reduce((sum, x, k) => sum + x * dot(used[k]!.column, target), 0))
  let [squares, left] = [0, 0]
  const total = dot(target, target)
  for (let i = 0; i < n; i++) {
    const x = used.map(({ column }) => column[i]!)
    const residual = target[i]! - x.reduce((sum, value, k) => sum + value * beta[k]!, 0)
    const leverage =
      1 / n + x.reduce((sum, a, k) => sum + a * x.reduce((s, b, m) => s + b * inverse[k]![m]!, 0), 0)
    squares += residual ** 2
    left += (residual / Math.max(1e-12, 1 - leverage)) ** 2
  }
  // The mean of the others, for row i, is off by n / (n − 1) times its difference from the mean.
  const leftByMean = total * (n / (n - 1)) ** 2
  const coefficients = new Array<number>(p).fill(0)
  for (const [k, { j }] of used.entries()) coefficients[j] = beta[k]!
  return { coefficients, r2: 1 - squares / total, leaveOneOut: 1 - left / leftByMean }
}

/** To mean 0 and deviation 1; null for a constant. */
function standardised(values: Float64Array): Float64Array | null {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length
  if (!(variance > 0) || values.every((x) => x === values[0])) return null
  const deviation = Math.sqrt(variance)
  return values.map((x) => (x - mean) / deviation)
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}
