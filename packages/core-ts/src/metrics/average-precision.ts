import { cutoff, cutoffOf, meanMeasure, type Measure, measurePart, nameWith } from './measure.js'
import { shareWithin } from './recall.js'

/**
 * mAP@k: (1/R) Σ over relevant items at rank n ≤ k of (relevant items up to n)/n; mAP: the same over the whole ranking. The divisor
 * is R, not min(R, k), as in the DCASE language-based audio retrieval task.
 *
 * By chance: rank n is relevant with probability R/N, and then (n−1)(R−1)/(N−1) of the relevant are expected before it, so
 * E = (1/N) Σ_{n≤k} (1 + (n−1)(R−1)/(N−1)) / n.
 */
export function averagePrecision(name: string, k: number): Measure {
  const averaged = meanMeasure(
    name,
    ({ ranks, relevant }) => {
      let sum = 0
      for (let i = 0; i < ranks.length && ranks[i]! <= k; i++) sum += (i + 1) / ranks[i]!
      return sum / relevant
    },
    ({ relevant }, { items, depth }) => {
      const before = items > 1 ? (relevant - 1) / (items - 1) : 0
      let sum = 0
      for (let n = 1; n <= Math.min(k, depth, items); n++) sum += (1 + (n - 1) * before) / n
      return sum / items
    },
    shareWithin(k),
  )
  return { ...averaged, ...cutoffOf(k) }
}

export const averagePrecisionPart = measurePart({
  name: 'mAP',
  description: 'Mean precision at the ranks of the relevant items.',
  schema: cutoff.optional,
  aliases: ['AP', 'meanAveragePrecision', 'average_precision'],
  fromConfig: ({ k }) => averagePrecision(nameWith('mAP', k), k ?? Number.POSITIVE_INFINITY),
})
