import { cutoff, type Measure, measurePart, type QueryShape, type RankingSize, sizeFor } from './measure.js'
import { median } from './significance/index.js'

/**
 * medR: the median over queries of the rank of the first relevant item (1 is best). A query whose ranking holds no relevant item counts
 * as infinitely late, so the median of a run cut at depth d can be infinite: somewhere past d.
 */
export function medianRank(name: string): Measure {
  return {
    name,
    better: 'lower',
    range: [1, Infinity],
    score: ({ ranks }) => (ranks.length > 0 ? ranks[0]! : Number.POSITIVE_INFINITY),
    statistic: median,
    chance: expectedMedianRank,
  }
}

/**
 * E[median] of independent random first-relevant ranks, exactly: E[j-th smallest] = Σ_r P(fewer than j of the ranks are ≤ r), where
 * the number of ranks ≤ r is a sum of one binomial variable for each group of queries with the same R of the same N.
 */
function expectedMedianRank(queries: readonly QueryShape[], size: RankingSize): number {
  const groups = Array.from(
    Map.groupBy(queries, (query) => `${query.relevant} of ${sizeFor(query, size).items}`).values(),
    (alike) => ({
      relevant: alike[0]!.relevant,
      items: sizeFor(alike[0]!, size).items,
      count: alike.length,
      // P(first > r)
      later: 1,
    }),
  )
  const longest = Math.max(...groups.map(({ items }) => items))
  const lower = Math.floor((queries.length + 1) / 2)
  const upper = Math.ceil((queries.length + 1) / 2)
  let sum = 0
  for (let r = 0; r < longest; r++) {
    let total: Distribution = { start: 0, pmf: Float64Array.of(1) }
    let mean = 0
    let variance = 0
    for (const group of groups) {
      const { relevant, items, count } = group
      // P(first > r) = P(first > r−1) · (N−r+1−R)/(N−r+1)
      if (r > 0) group.later *= r > items ? 0 : Math.max(0, items - r + 1 - relevant) / (items - r + 1)
      const p = 1 - group.later
      mean += count * p
      variance += count * p * (1 - p)
    }
    const spread = 12 * Math.sqrt(variance) + 12
    if (mean + spread < lower) {
      sum += 1
    } else if (mean - spread < upper) {
      for (const { count, later } of groups) total = convolve(total, binomial(count, 1 - later))
      sum += (probabilityBelow(total, lower) + probabilityBelow(total, upper)) / 2
    }
  }
  return sum
}

/** Probabilities of start, start + 1, ...; the rest is below 1e-17 of the largest. */
interface Distribution {
  readonly start: number
  readonly pmf: Float64Array
}

/** Built by the ratio of neighbouring terms outward from the mode, then normalised: no factorials, no underflow. */
function binomial(n: number, p: number): Distribution {
  if (p <= 0) return { start: 0, pmf: Float64Array.of(1) }
  if (p >= 1) return { start: n, pmf: Float64Array.of(1) }
  const mode = Math.min(n, Math.floor((n + 1) * p))
  const odds = p / (1 - p)
  const down: number[] = []
  const up: number[] = []
  for (let k = mode, term = 1; k > 0 && term > 1e-17; k--) down.push((term *= k / ((n - k + 1) * odds)))
  for (let k = mode, term = 1; k < n && term > 1e-17; k++) up.push((term *= ((n - k) * odds) / (k + 1)))
  const pmf = Float64Array.from([...down.reverse(), 1, ...up])
  const total = pmf.reduce((a, b) => a + b)
  return { start: mode - down.length, pmf: pmf.map((term) => term / total) }
}

function convolve(a: Distribution, b: Distribution): Distribution {
  const pmf = new Float64Array(a.pmf.length + b.pmf.length - 1)
  for (let i = 0; i < a.pmf.length; i++)
    for (let j = 0; j < b.pmf.length; j++) pmf[i + j]! += a.pmf[i]! * b.pmf[j]!
  return { start: a.start + b.start, pmf }
}

function probabilityBelow({ start, pmf }: Distribution, bound: number): number {
  let sum = 0
  for (let i = 0; i < pmf.length && start + i < bound; i++) sum += pmf[i]!
  return sum
}

export const medianRankPart = measurePart({
  name: 'medR',
  description: 'Median rank of the first relevant item; less is better.',
  schema: cutoff.none,
  aliases: ['medRank', 'medianRank', 'median_rank'],
  fromConfig: () => medianRank('medR'),
})
