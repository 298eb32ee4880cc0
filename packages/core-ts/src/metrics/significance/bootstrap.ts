import { expected, Rng } from '../../base/index.js'
import { type Clusters, membersByValue } from './clusters.js'
import { normalCdf, normalQuantile, Z95 } from './distributions.js'
import type { Interval, Statistic } from './statistic.js'

/** Options of {@link bootstrapInterval}. */
export interface ResamplingOptions {
  /** Draws; more make the ends less noisy. Default 1999 for intervals, 9999 for tests. */
  readonly replicates?: number
  readonly seed?: number
}

/**
 * 95 % bootstrap interval that draws clusters with replacement: bias-corrected and accelerated (BCa, Efron 1987), its acceleration
 * from leaving out one cluster after the other. Second-order right where the percentile interval is too short on one side. null with fewer
 * than two clusters. Where every draw gives the same number (all queries agree) the draws tell nothing of how sure it is, and the
 * statistic's own interval by cluster is given.
 */
export function bootstrapInterval(
  values: Float64Array,
  clusters: Clusters,
  statistic: Statistic,
  options: ResamplingOptions = {},
): Interval | null {
  if (clusters.count < 2) return null
  const interval = drawClusters(statistic.of(values), membersByValue(clusters, values), options)
  const [low, high] = interval
  const oneNumber = low === high || high - low <= rounding * Math.abs(high)
  return oneNumber ? statistic.byCluster(values, clusters) : interval
}

/** {@link bootstrapInterval} of the difference of a statistic between two systems on the same queries: both are drawn together. */
export function pairedBootstrapInterval(
  a: Float64Array,
  b: Float64Array,
  clusters: Clusters,
  statistic: Statistic,
  options: ResamplingOptions = {},
): Interval | null {
  if (clusters.count < 2) return null
  const members = membersByValue(clusters, a, b)
  const [ofA, ofB] = [statistic.of(a), statistic.of(b)]
  return drawClusters((weights) => differenceOf(ofA(weights), ofB(weights)), members, options)
}

/** Relative: sums of the same numbers in another order differ by less. */
const rounding = 1e-12

/** a − b, where two infinite medians differ by nothing. */
export function differenceOf(a: number, b: number): number {
  return a === b ? 0 : a - b
}

export function checkReplicates(replicates: number): number {
  if (Number.isSafeInteger(replicates) && replicates >= 99) return replicates
  throw expected('a whole number from 99', 'replicates', replicates)
}

function drawClusters(
  statistic: (weights?: ArrayLike<number>) => number,
  members: readonly (readonly number[])[],
  { replicates = 1999, seed = 17 }: ResamplingOptions,
): Interval {
  checkReplicates(replicates)
  const rng = new Rng(seed, 'bootstrap')
  const value = statistic()
  const weights = new Float64Array(members.reduce((sum, queries) => sum + queries.length, 0))
  const draws = Float64Array.from({ length: replicates }, () => {
    weights.fill(0)
    for (let i = 0; i < members.length; i++) {
      for (const query of members[rng.int(members.length)]!) weights[query]!++
    }
    return statistic(weights)
  }).sort()
  // Draws of the same queries in another order differ in the last digits; so may the position of an end.
  const largest = draws.reduce(
    (most, draw) => (Math.abs(draw) < Infinity ? Math.max(most, Math.abs(draw)) : most),
    0,
  )
  const tied = rounding * largest
  let below = 0
  for (const draw of draws) {
    const same = draw === value || Math.abs(draw - value) <= tied
    below += same ? 0.5 : draw < value ? 1 : 0
  }
  const bias = normalQuantile(below / replicates)
  const acceleration = accelerationOf(statistic, members, weights)
  const end = (z: number): number => {
    const moved = bias + (bias + z) / (1 - acceleration * (bias + z))
    const share = normalCdf(Number.isFinite(moved) ? moved : z)
    const exact = (replicates + 1) * share
    const position = z < 0 ? Math.floor(exact + 1e-9) : Math.ceil(exact - 1e-9)
    return draws[Math.min(replicates, Math.max(1, position)) - 1]!
  }
  return [end(-Z95), end(Z95)]
}

/** Skewness of the statistic over clusters: Σd³ / (6 (Σd²)^1.5), d what leaving out a cluster takes from the mean of leaving one out. */
function accelerationOf(
  statistic: (weights: ArrayLike<number>) => number,
  members: readonly (readonly number[])[],
  weights: Float64Array,
): number {
  weights.fill(1)
  const without = members.map((queries) => {
    for (const query of queries) weights[query] = 0
    const value = statistic(weights)
    for (const query of queries) weights[query] = 1
    return value
  })
  const centre = without.reduce((sum, value) => sum + value, 0) / without.length
  let squares = 0
  let cubes = 0
  for (const value of without) {
    squares += (centre - value) ** 2
    cubes += (centre - value) ** 3
  }
  const acceleration = cubes / (6 * squares ** 1.5)
  return Number.isFinite(acceleration) ? acceleration : 0
}
