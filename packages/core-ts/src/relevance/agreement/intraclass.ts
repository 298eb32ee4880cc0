import { expected } from '../../base/index.js'

/** Intraclass correlations by their usual names; null where the form cannot be had. */
export interface IntraclassCorrelations {
  /** Raters differ from target to target: reliability of one rating, and of the mean of k. */
  readonly icc1: number | null
  readonly icc1k: number | null
  /** The same raters for every target, drawn from many: absolute agreement. */
  readonly icc2: number | null
  readonly icc2k: number | null
  /** The same raters, and only they matter: consistency. */
  readonly icc3: number | null
  readonly icc3k: number | null
  /** Ratings of a target: the mean over targets, as one-way analysis of variance weights it. */
  readonly k: number
}

/**
 * ICC(1,1), (1,k), (2,1), (2,k), (3,1) and (3,k) of Shrout and Fleiss (1979). Every row is a target (a pair of query and item), with one
 * rating each of two raters or more. Where rows have different lengths only the one-way forms are there, with k₀ of the unbalanced
 * one-way analysis (Searle, Casella and McCulloch 1992, 3.6) in place of k. The two-way forms take column j for rater j.
 * Throws INVALID_ARGUMENT for fewer than two rows or a row of one rating.
 */
export function intraclassCorrelations(rows: readonly (readonly number[])[]): IntraclassCorrelations {
  if (rows.length < 2) throw expected('two rated targets or more', 'rows', rows)
  const short = rows.findIndex((row) => row.length < 2)
  if (short >= 0) throw expected('two ratings or more', `rows[${short}]`, rows[short])
  const n = rows.length
  const sizes = rows.map((row) => row.length)
  const count = sum(sizes)
  const k = (count - sum(sizes.map((size) => size ** 2)) / count) / (n - 1)
  const all = rows.flat()
  const grand = sum(all) / count
  const means = rows.map((row) => sum(row) / row.length)
  const between = sum(means.map((mean, i) => sizes[i]! * (mean - grand) ** 2)) / (n - 1)
  const withinSquares = sum(rows.map((row, i) => sum(row.map((x) => (x - means[i]!) ** 2))))
  const within = withinSquares / (count - n)

  const width = sizes[0]!
  const isComplete = sizes.every((size) => size === width)
  const columns = isComplete
    ? Array.from({ length: width }, (_, j) => sum(rows.map((row) => row[j]!)) / n)
    : []
  const ratersSquares = n * sum(columns.map((mean) => (mean - grand) ** 2))
  const raters = ratersSquares / (width - 1)
  const error = (withinSquares - ratersSquares) / ((n - 1) * (width - 1))
  const twoWay = (top: number, bottom: number) => (isComplete ? ratio(top, bottom) : null)
  return {
    icc1: ratio(between - within, between + (k - 1) * within),
    icc1k: ratio(between - within, between),
    icc2: twoWay(between - error, between + (width - 1) * error + (width * (raters - error)) / n),
    icc2k: twoWay(between - error, between + (raters - error) / n),
    icc3: twoWay(between - error, between + (width - 1) * error),
    icc3k: twoWay(between - error, between),
    k,
  }
}

function ratio(top: number, bottom: number): number | null {
  return bottom > 0 ? top / bottom : null
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0)
}
