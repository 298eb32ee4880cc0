import { clustersOf, type Interval, mean } from '../../metrics/index.js'

/** Counts that F1 is made of: found and true, found, and true. */
export interface F1Counts {
  readonly hits: number
  readonly found: number
  readonly active: number
}

/** 2 hits / (found + active); 1 where nothing is there and nothing was found. */
export function f1Of({ hits, found, active }: F1Counts): number {
  return found + active === 0 ? 1 : (2 * hits) / (found + active)
}

/**
 * 95 % interval within [0, 1] of a number of sums of counts, from leaving out one clip after the other: ± Student's t of the jackknife's
 * pseudo-values (Tukey 1958). null with fewer than two clips.
 */
export function jackknifeByClip(
  counts: readonly F1Counts[],
  clips: readonly string[],
  of: (sum: F1Counts) => number,
): Interval | null {
  const clusters = clustersOf(clips)
  const zero = (): { hits: number; found: number; active: number } => ({ hits: 0, found: 0, active: 0 })
  const sums = Array.from({ length: clusters.count }, zero)
  const total = zero()
  for (const [i, one] of counts.entries()) {
    for (const sum of [sums[clusters.of[i]!]!, total]) {
      sum.hits += one.hits
      sum.found += one.found
      sum.active += one.active
    }
  }
  const without = sums.map(({ hits, found, active }) =>
    of({ hits: total.hits - hits, found: total.found - found, active: total.active - active }),
  )
  return jackknifeOf(of(total), without)
}

/** The same from the number itself and what it is without each of the clusters. */
export function jackknifeOf(value: number, without: readonly number[]): Interval | null {
  const n = without.length
  return intervalOfPseudoValues(without.map((less) => n * value - (n - 1) * less))
}

/** ± Student's t of values whose mean is the number in question, one a cluster, within [0, 1]. */
export function intervalOfPseudoValues(values: readonly number[]): Interval | null {
  const interval = mean.byCluster(Float64Array.from(values), clustersOf(values.map((_, i) => i)))
  return interval && [Math.max(0, interval[0]), Math.min(1, interval[1])]
}
