import type { Clusters } from './clusters.js'
import { student95, Z95 } from './distributions.js'

/** The ends of an interval. */
export type Interval = readonly [low: number, high: number]

/** How the values of many queries become one number, and how sure that number is. */
export interface Statistic {
  readonly name: string
  /** The number as a function of how often each query counts (default: once each); what all draws share is done once. */
  of(values: Float64Array): (weights?: ArrayLike<number>) => number
  /** 95 % interval in which clusters are drawn at random; null with fewer than two. */
  byCluster(values: Float64Array, clusters: Clusters): Interval | null
  /** 95 % interval as if every query were drawn on its own; null with fewer than two. */
  byQuery(values: Float64Array): Interval | null
}

/** Mean of values of any size, with jackknife intervals: ± Student's t over clusters, ± the normal quantile over queries. */
export const mean: Statistic = {
  name: 'mean',
  of: meanOf,
  byCluster(values, clusters) {
    if (clusters.count < 2) return null
    const { value, variance } = clusteredMean(values, clusters)
    const half = student95(clusters.count - 1) * Math.sqrt(variance)
    return [value - half, value + half]
  },
  byQuery: jackknifeInterval,
}

/**
 * Mean of values between 0 and 1: shares such as R@k, and averages such as mAP.
 *
 * By cluster: the score (Wilson) interval with the effective sample size n = p(1 − p) / variance and Student's t in place of the normal
 * quantile (effective sample size and t: Korn and Graubard 1998, Survey Methodology 24; with Wilson's interval, the best of those compared
 * for clustered shares: Dean and Pagano 2015, J. Survey Statistics and Methodology 3). It stays within [0, 1]. For values that are not 0
 * or 1 it is the score interval of the quasi-binomial mean, whose variance is a multiple of p(1 − p) (Wedderburn 1974), and is skewed as
 * these means are near 0 and 1. When all clusters agree there is nothing to tell their effect from: then n is the number of clusters, the
 * least it can be.
 *
 * Where clusters differ in size, the jackknife rests on the few large ones and is too small too often. Then the variance is the larger of
 * the jackknife's and the one that the intraclass correlation gives, and t has the degrees of freedom that such clusters are worth.
 */
export const unitMean: Statistic = {
  name: 'mean',
  of: meanOf,
  byCluster(values, clusters) {
    if (clusters.count < 2) return null
    const { value, variance } = clusteredMean(values, clusters)
    const correlated = correlatedMean(values, clusters, value)
    const p = Math.min(1, Math.max(0, value))
    const spread = p * (1 - p)
    const size =
      variance > rounding && spread > 0 ? spread / Math.max(variance, correlated.variance) : clusters.count
    const t2 = student95(correlated.degrees) ** 2
    const centre = (size * p + t2 / 2) / (size + t2)
    const half = Math.sqrt(t2 * (size * spread + t2 / 4)) / (size + t2)
    // The ends at p = 0 and p = 1 are p itself, but for rounding.
    return [Math.min(p, Math.max(0, centre - half)), Math.max(p, Math.min(1, centre + half))]
  },
  byQuery: jackknifeInterval,
}

/** A variance of values in [0, 1] that is nothing but the rounding of sums. */
const rounding = 1e-24

/**
 * Median; values may be infinite. By cluster: all numbers that the share of values up to them, with its own interval by cluster, does not
 * exclude as the median (Woodruff 1952 by inverting the test: Francisco and Fuller 1991). By query: order statistics. The jackknife is
 * inconsistent for a median.
 */
export const median: Statistic = {
  name: 'median',
  of(values) {
    const order = Int32Array.from(values, (_, query) => query).sort((a, b) =>
      values[a] === values[b] ? a - b : values[a]! < values[b]! ? -1 : 1,
    )
    return (weights) => {
      let total = 0
      for (let i = 0; i < order.length; i++) total += weights ? weights[i]! : 1
      const [lower, upper] = [Math.floor((total + 1) / 2), Math.ceil((total + 1) / 2)]
      let counted = 0
      let first: number | null = null
      for (const query of order) {
        counted += weights ? weights[query]! : 1
        const value = values[query]!
        if (first === null && counted >= lower) first = value
        if (first !== null && counted >= upper) return first === value ? value : (first + value) / 2
      }
      return Number.NaN
    }
  },
  byCluster(values, clusters) {
    if (clusters.count < 2) return null
    const sorted = [...new Set(values)].sort((a, b) => (a < b ? -1 : 1))
    const share = (holds: (value: number) => boolean): Interval =>
      unitMean.byCluster(
        values.map((value) => (holds(value) ? 1 : 0)),
        clusters,
      )!
    const low = firstOf(sorted, (x) => share((value) => value <= x)[1] >= 0.5)
    const past = firstOf(sorted, (x) => share((value) => value < x)[0] > 0.5)
    return [sorted[low]!, sorted[past - 1]!]
  },
  byQuery(values) {
    const n = values.length
    if (n < 2) return null
    const sorted = values.slice().sort()
    const low = Math.max(1, Math.floor((n - Z95 * Math.sqrt(n)) / 2))
    const high = Math.min(n, Math.ceil(1 + (n + Z95 * Math.sqrt(n)) / 2))
    return [sorted[low - 1]!, sorted[high - 1]!]
  },
}

function meanOf(values: Float64Array): (weights?: ArrayLike<number>) => number {
  return (weights) => {
    let sum = 0
    let total = 0
    for (let query = 0; query < values.length; query++) {
      const weight = weights ? weights[query]! : 1
      if (weight === 0) continue
      sum += weight * values[query]!
      total += weight
    }
    return sum / total
  }
}

/** The mean and the variance of it that leaving out one cluster after the other gives. */
function clusteredMean(values: Float64Array, clusters: Clusters): { value: number; variance: number } {
  const { count, of } = clusters
  const sums = new Float64Array(count)
  const sizes = new Float64Array(count)
  let sum = 0
  for (let query = 0; query < values.length; query++) {
    sums[of[query]!]! += values[query]!
    sizes[of[query]!]!++
    sum += values[query]!
  }
  const value = sum / values.length
  let squares = 0
  for (let cluster = 0; cluster < count; cluster++) {
    const without = (sum - sums[cluster]!) / (values.length - sizes[cluster]!)
    squares += (without - value) ** 2
  }
  return { value, variance: ((count - 1) / count) * squares }
}

/**
 * The variance of a mean when any two queries of a cluster correlate by ρ, whatever the cluster's size: that of queries drawn one by one,
 * times 1 + (Σ m² / Σ m − 1) ρ for clusters of m queries (Kish 1965, Survey Sampling). ρ is the mean over clusters of what their pairs
 * give, so that each counts once. A cluster's part of the variance goes with m (1 + (m − 1) ρ); Satterthwaite's degrees of freedom of such
 * parts are (Σ part)² / Σ part², less one for the mean: for equal clusters one less than there are.
 */
function correlatedMean(
  values: Float64Array,
  { count, of }: Clusters,
  mean: number,
): { variance: number; degrees: number } {
  const sizes = new Float64Array(count)
  const sums = new Float64Array(count)
  const squares = new Float64Array(count)
  let total = 0
  for (let query = 0; query < values.length; query++) {
    const difference = values[query]! - mean
    sizes[of[query]!]!++
    sums[of[query]!]! += difference
    squares[of[query]!]! += difference ** 2
    total += difference ** 2
  }
  const variance = total / values.length
  let [products, clustersOfPairs, sizesSquared] = [0, 0, 0]
  for (let cluster = 0; cluster < count; cluster++) {
    const size = sizes[cluster]!
    sizesSquared += size ** 2
    if (size < 2) continue
    products += (sums[cluster]! ** 2 - squares[cluster]!) / (size * (size - 1))
    clustersOfPairs++
  }
  const correlation = clustersOfPairs > 0 && variance > 0 ? products / clustersOfPairs / variance : 0
  let [parts, partsSquared] = [0, 0]
  for (const size of sizes) {
    const part = size * (1 + (size - 1) * Math.min(1, Math.max(0, correlation)))
    parts += part
    partsSquared += part ** 2
  }
  const effect = 1 + (sizesSquared / values.length - 1) * correlation
  return {
    variance: ((variance / values.length) * effect * count) / (count - 1),
    degrees: Math.max(1, Math.round(parts ** 2 / partsSquared) - 1),
  }
}

/** Leaving one query out n times gives, for a mean, a standard error of exactly s/√n (s the sample standard deviation). */
function jackknifeInterval(values: Float64Array): Interval | null {
  const n = values.length
  if (n < 2) return null
  const value = meanOf(values)()
  let squares = 0
  for (const x of values) squares += (x - value) ** 2
  const half = Z95 * Math.sqrt(squares / (n - 1) / n)
  return [value - half, value + half]
}

/** Index of the first item that the test holds for, given that it then holds for all that follow; the length when there is none. */
function firstOf<T>(items: readonly T[], holds: (item: T) => boolean): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (holds(items[middle]!)) high = middle
    else low = middle + 1
  }
  return low
}
