import { Rng } from '../../base/index.js'
import { checkReplicates, type ResamplingOptions } from './bootstrap.js'
import { type Clusters, membersByValue } from './clusters.js'
import { student95, withinStudent } from './distributions.js'
import type { Interval, Statistic } from './statistic.js'

/** What several seeds of one system gave for the same queries: the values of each. */
export type ValuesBySeed = readonly Float64Array[]

/** What {@link seedsDifference} gives. */
export interface SeedsDifference {
  /** Means over the seeds of the two systems. */
  readonly a: number
  readonly b: number
  readonly difference: number
  /** 95 % of the difference for other seeds and other clusters of queries; null with fewer than two clusters. */
  readonly interval: Interval | null
  /** Two-sided, of the same spread; 1 where the interval is null. */
  readonly p: number
}

/**
 * Whether two systems differ, each trained from several seeds: both the seeds and the clusters of queries are samples of what might have
 * been. The variance of the difference of the means over seeds is that from seed to seed of either system, each over its number of
 * seeds, and that from draws of whole clusters, which all runs share (bootstrap; `replicates` are its draws). The interval and p are those of
 * Student's t with the degrees of freedom of Welch and Satterthwaite (1947), rounded down: with two or three seeds a percentile of drawn
 * seeds would be far too narrow. What varies from seed to seed and query to query counts in both parts, which is on the safe side.
 * Seeds of the two systems need not be as many, and are not paired. Throws INVALID_ARGUMENT for lengths that do not match.
 * @param a two seeds or more, [queries] each
 * @param b the same of the other system
 */
export function seedsDifference(
  a: ValuesBySeed,
  b: ValuesBySeed,
  clusters: Clusters,
  statistic: Statistic,
  { replicates = 1999, seed = 17 }: ResamplingOptions = {},
): SeedsDifference {
  checkReplicates(replicates)
  const members = membersByValue(clusters, ...a, ...b)
  const [ofA, ofB] = [a, b].map((values) => values.map((own) => statistic.of(own)))
  const [seedsA, seedsB] = [ofA!, ofB!].map((of) => of.map((value) => value()))
  const [meanA, meanB] = [mean(seedsA!), mean(seedsB!)]
  const difference = meanA === meanB ? 0 : meanA - meanB
  const found = { a: meanA, b: meanB, difference }
  if (clusters.count < 2) return { ...found, interval: null, p: 1 }

  const rng = new Rng(seed, 'clusters of all seeds')
  const weights = new Float64Array(clusters.of.length)
  const draws = Array.from({ length: replicates }, () => {
    weights.fill(0)
    for (let i = 0; i < members.length; i++)
      for (const query of members[rng.int(members.length)]!) weights[query]!++
    const [x, y] = [ofA!, ofB!].map((of) => mean(of.map((value) => value(weights))))
    return x! - y!
  })
  const parts = [
    { variance: variance(seedsA!) / seedsA!.length, degrees: seedsA!.length - 1 },
    { variance: variance(seedsB!) / seedsB!.length, degrees: seedsB!.length - 1 },
    { variance: variance(draws), degrees: clusters.count - 1 },
  ]
  const all = parts.reduce((sum, part) => sum + part.variance, 0)
  // A median rank past the depth of a ranking is infinite, and so is what may come of other seeds.
  if (!Number.isFinite(all)) return { ...found, interval: null, p: 1 }
  if (all <= rounding * difference ** 2)
    return { ...found, interval: [difference, difference], p: difference === 0 ? 1 : 0 }
  const shares = parts.reduce((sum, part) => sum + part.variance ** 2 / part.degrees, 0)
  const degrees = Math.max(1, Math.floor(all ** 2 / shares))
  const half = student95(degrees) * Math.sqrt(all)
  return {
    ...found,
    interval: [difference - half, difference + half],
    p: Math.max(0, 1 - withinStudent(Math.abs(difference) / Math.sqrt(all), degrees)),
  }
}

/** A variance, over the square of what varies, that is nothing but the rounding of sums. */
const rounding = 1e-24

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function variance(values: readonly number[]): number {
  const centre = mean(values)
  return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1)
}
