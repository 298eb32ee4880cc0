import { expected } from '../../base/index.js'

/** A rising curve from [0, 1] to [0, 1] that corrects what a logistic function predicts, as points with straight lines between. */
export interface CalibrationCurve {
  readonly type: 'isotonic' | 'spline'
  /** Rising. */
  readonly x: readonly number[]
  /** Never falling. */
  readonly y: readonly number[]
}

/** Kinds of curves that correct a prediction. */
export type CalibrationType = CalibrationCurve['type']

/** The curve at x; beyond its ends it is flat. */
export function calibrated({ x, y }: CalibrationCurve, at: number): number {
  let low = 0
  let high = x.length - 1
  if (at <= x[low]!) return y[low]!
  if (at >= x[high]!) return y[high]!
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (x[middle]! <= at) low = middle
    else high = middle
  }
  const share = (at - x[low]!) / (x[high]! - x[low]!)
  return y[low]! + share * (y[high]! - y[low]!)
}

/** Throws INVALID_ARGUMENT when x and y do not fit. */
export function fitCalibration(
  type: CalibrationType,
  x: ArrayLike<number>,
  y: ArrayLike<number>,
): CalibrationCurve {
  if (x.length !== y.length || x.length === 0) throw expected(`${x.length} relevances`, 'y', y)
  if (type === 'isotonic') return fitIsotonic(x, y)
  if (type === 'spline') return fitSpline(x, y)
  throw expected('isotonic or spline', 'calibration', type)
}

/** Isotonic regression by pooling adjacent violators (Barlow et al. 1972): the rising curve of least squared error. */
function fitIsotonic(x: ArrayLike<number>, y: ArrayLike<number>): CalibrationCurve {
  const order = Array.from({ length: x.length }, (_, i) => i).sort((a, b) => x[a]! - x[b]!)
  interface Pool {
    first: number
    last: number
    sum: number
    count: number
  }
  const pools: Pool[] = []
  for (const i of order) {
    const tied = pools.at(-1)
    if (tied !== undefined && tied.first === x[i]! && tied.last === x[i]!) {
      tied.sum += y[i]!
      tied.count++
    } else pools.push({ first: x[i]!, last: x[i]!, sum: y[i]!, count: 1 })
  }
  const merged: Pool[] = []
  for (const pool of pools) {
    let last = { ...pool }
    for (let before = merged.at(-1); before && before.sum * last.count >= last.sum * before.count;) {
      merged.pop()
      last = { ...before, last: last.last, sum: before.sum + last.sum, count: before.count + last.count }
      before = merged.at(-1)
    }
    merged.push(last)
  }
  const points = merged.flatMap(({ first, last, sum, count }) =>
    first === last ? [[first, sum / count]] : [first, last].map((at) => [at, sum / count]),
  ) as [number, number][]
  return { type: 'isotonic', x: points.map(([at]) => at), y: points.map(([, value]) => value) }
}

/** Stretches of the spline. */
const stretches = 8
/** Knots that are closer are one. */
const closest = 1e-6
/** Equal steps that its curve is kept at, besides the knots. */
const kept = 65

/**
 * A rising quadratic spline of least squared error: integrals of triangles on knots at equal shares of the data, with weights of 0 or more
 * (I-splines of order 2, Ramsay 1988), cut to [0, 1].
 */
function fitSpline(x: ArrayLike<number>, y: ArrayLike<number>): CalibrationCurve {
  const sorted = Float64Array.from(x).sort()
  const quantile = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!
  const knots: number[] = []
  for (let i = 0; i <= stretches; i++) {
    const knot = quantile(i / stretches)
    if (knots.length === 0 || knot - knots.at(-1)! > closest) knots.push(knot)
  }
  const basis = (at: number) => [1, ...knots.map((_, j) => integralOfTriangle(knots, j, at))]
  const weights = nonNegativeLeastSquares(Array.from(x, basis), y)
  const [low, high] = [knots[0]!, knots.at(-1)!]
  const steps = Array.from({ length: kept }, (_, i) => low + ((high - low) * i) / (kept - 1))
  // Two knots may lie between two steps: without them the curve would miss what it was fitted to there.
  const points = [...new Set([...knots, ...steps])].sort((a, b) => a - b)
  const value = (at: number) => basis(at).reduce((sum, b, j) => sum + b * weights[j]!, 0)
  return { type: 'spline', x: points, y: points.map((at) => Math.min(1, Math.max(0, value(at)))) }
}

/** Integral up to x of a triangle of area 1 with its top at knot j, from the knot before to the one after. */
function integralOfTriangle(knots: readonly number[], j: number, x: number): number {
  const [before, top, after] = [knots[j - 1] ?? knots[j]!, knots[j]!, knots[j + 1] ?? knots[j]!]
  const width = after - before
  if (width === 0 || x <= before) return 0
  if (x >= after) return 1
  if (x <= top) return (x - before) ** 2 / (width * (top - before))
  return 1 - (after - x) ** 2 / (width * (after - top))
}

/** min ‖B·w − y‖², w ≥ 0, one weight after the other until none moves. */
function nonNegativeLeastSquares(rows: readonly (readonly number[])[], y: ArrayLike<number>): number[] {
  const p = rows[0]!.length
  const normal = Array.from({ length: p }, () => new Float64Array(p))
  const right = new Float64Array(p)
  rows.forEach((row, i) => {
    for (let a = 0; a < p; a++) {
      right[a]! += row[a]! * y[i]!
      for (let b = 0; b < p; b++) normal[a]![b]! += row[a]! * row[b]!
    }
  })
  const weights = new Array<number>(p).fill(0)
  for (let round = 0; round < 5000; round++) {
    let moved = 0
    for (let a = 0; a < p; a++) {
      if (normal[a]![a]! === 0) continue
      const pull = right[a]! - normal[a]!.reduce((sum, x, b) => sum + x * weights[b]!, 0)
      const next = Math.max(0, weights[a]! + pull / normal[a]![a]!)
      moved = Math.max(moved, Math.abs(next - weights[a]!))
      weights[a] = next
    }
    if (moved < 1e-10) break
  }
  return weights
}
