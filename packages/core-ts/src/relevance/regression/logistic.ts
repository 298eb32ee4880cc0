import { expected } from '../../base/index.js'

/** r = 1 / (1 + exp(−(intercept − Σ slopes_j·(1 − s_j)))) of similarities s: 1 − s are cosine distances, and slopes are 0 or more. */
export interface LogisticConstants {
  readonly intercept: number
  readonly slopes: readonly number[]
}

/** 1 / (1 + exp(−x)), without overflow. */
export function logistic(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))
}

/** intercept − Σ slopes_j·(1 − s_j): what {@link logistic} makes a relevance of. */
export function linearPredictor({ intercept, slopes }: LogisticConstants, s: ArrayLike<number>): number {
  let sum = intercept
  for (let j = 0; j < slopes.length; j++) sum -= slopes[j]! * (1 - s[j]!)
  return sum
}

/**
 * The constants of least squared error, Σ (r(s_i) − y_i)², by Levenberg and Marquardt's method, slopes held at 0 or above: more similarity
 * never means less relevance. `rows[i]` has the similarities of pair i.
 */
export function fitLogistic(rows: readonly ArrayLike<number>[], y: ArrayLike<number>): LogisticConstants {
  if (rows.length !== y.length || rows.length < 2)
    throw expected('two pairs or more, each with a relevance', 'rows', rows)
  const features = rows[0]!.length
  const p = 1 + features
  // Starts as flat as one slope for all makes it; from there the error falls.
  let current = { intercept: 1, slopes: new Array<number>(features).fill(5 / features) }
  let error = squaredError(current, rows, y)
  let damping = 1e-3
  for (let round = 0; round < 500 && damping < 1e12; round++) {
    const normal = Array.from({ length: p }, () => new Float64Array(p))
    const gradient = new Float64Array(p)
    const jacobian = new Float64Array(p)
    for (let i = 0; i < rows.length; i++) {
      const r = logistic(linearPredictor(current, rows[i]!))
      const slope = r * (1 - r)
      jacobian[0] = slope
      for (let j = 0; j < features; j++) jacobian[1 + j] = -slope * (1 - rows[i]![j]!)
      for (let a = 0; a < p; a++) {
        gradient[a]! += jacobian[a]! * (r - y[i]!)
        for (let b = 0; b <= a; b++) normal[a]![b]! += jacobian[a]! * jacobian[b]!
      }
    }
    // A slope of 0 that would fall further stays.
    const free = Array.from({ length: p }, (_, a) => a).filter(
      (a) => a === 0 || current.slopes[a - 1]! > 0 || gradient[a]! < 0,
    )
    const step = solve(
      free.map((a) =>
        free.map(
          (b) =>
            normal[Math.max(a, b)]![Math.min(a, b)]! + (a === b ? damping * (normal[a]![a]! + 1e-12) : 0),
        ),
      ),
      free.map((a) => -gradient[a]!),
    )
    const next = { intercept: current.intercept, slopes: [...current.slopes] }
    free.forEach((a, f) => {
      if (a === 0) next.intercept += step[f]!
      else next.slopes[a - 1] = Math.max(0, next.slopes[a - 1]! + step[f]!)
    })
    const nextError = squaredError(next, rows, y)
    if (nextError <= error) {
      const isDone = error - nextError <= 1e-14 * error
      current = next
      error = nextError
      damping = Math.max(1e-12, damping / 5)
      if (isDone) break
    } else damping *= 4
  }
  return current
}

function squaredError(
  constants: LogisticConstants,
  rows: readonly ArrayLike<number>[],
  y: ArrayLike<number>,
): number {
  let sum = 0
  for (let i = 0; i < rows.length; i++) sum += (logistic(linearPredictor(constants, rows[i]!)) - y[i]!) ** 2
  return sum
}

/** Solves a small symmetric positive definite system by elimination. */
export function solve(a: readonly (readonly number[])[], b: readonly number[]): number[] {
  const n = b.length
  const m = a.map((line, i) => [...line, b[i]!])
  for (let k = 0; k < n; k++) {
    for (let i = k + 1; i < n; i++) {
      const factor = m[i]![k]! / m[k]![k]!
      for (let j = k; j <= n; j++) m[i]![j]! -= factor * m[k]![j]!
    }
  }
  const x = new Array<number>(n).fill(0)
  for (let i = n - 1; i >= 0; i--) {
    let sum = m[i]![n]!
    for (let j = i + 1; j < n; j++) sum -= m[i]![j]! * x[j]!
    x[i] = sum / m[i]![i]!
  }
  return x
}
