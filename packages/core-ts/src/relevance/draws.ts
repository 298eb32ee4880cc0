import { Rng } from '../base/index.js'
import type { Interval } from '../metrics/index.js'

/**
 * 95 % interval of a statistic by percentiles of draws of whole queries with replacement; null unless nine draws of ten have a value, and for
 * a single query, of which all draws are the same. For statistics that are no means of queries, such as correlations over all pairs.
 */
export function intervalByQuery<Query>(
  queries: readonly Query[],
  statistic: (drawn: readonly Query[]) => number | null,
  { replicates, seed, stream }: { replicates: number; seed: number; stream: string },
): Interval | null {
  if (queries.length < 2) return null
  return percentiles(drawQueries(queries, statistic, { replicates, seed, stream }))
}

/** The statistic of each draw. */
export function drawQueries<Query, T>(
  queries: readonly Query[],
  statistic: (drawn: readonly Query[]) => T,
  { replicates, seed, stream }: { replicates: number; seed: number; stream: string },
): T[] {
  const rng = new Rng(seed, stream)
  return Array.from({ length: replicates }, () =>
    statistic(queries.map(() => queries[rng.int(queries.length)]!)),
  )
}

/** 2.5 and 97.5 %. */
export function percentiles(draws: readonly (number | null)[]): Interval | null {
  const known = Float64Array.from(draws.filter((draw) => draw !== null)).sort()
  if (known.length === 0 || known.length < 0.9 * draws.length) return null
  const at = (share: number) => known[Math.round(share * (known.length - 1))]!
  return [at(0.025), at(0.975)]
}
