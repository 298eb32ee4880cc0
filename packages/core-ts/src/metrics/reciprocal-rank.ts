import { cutoff, cutoffOf, meanMeasure, type Measure, measurePart, nameWith } from './measure.js'

/**
 * MRR: mean of 1/rank of the first relevant item, 0 where the ranking (or its first k) holds none.
 * By chance: Σ_r P(first = r)/r with P(first = r) = P(first > r−1) · R/(N−r+1).
 */
export function reciprocalRank(name: string, k: number): Measure {
  const averaged = meanMeasure(
    name,
    ({ ranks }) => (ranks.length > 0 && ranks[0]! <= k ? 1 / ranks[0]! : 0),
    ({ relevant }, { items, depth }) => {
      let later = 1
      let sum = 0
      for (let r = 1; r <= Math.min(k, depth, items - relevant + 1); r++) {
        const first = later * (relevant / (items - r + 1))
        sum += first / r
        later -= first
      }
      return sum
    },
  )
  return { ...averaged, ...cutoffOf(k) }
}

export const reciprocalRankPart = measurePart({
  name: 'MRR',
  description: 'One over the rank of the first relevant item.',
  schema: cutoff.optional,
  aliases: ['RR', 'mean_reciprocal_rank'],
  fromConfig: ({ k }) => reciprocalRank(nameWith('MRR', k), k ?? Number.POSITIVE_INFINITY),
})
