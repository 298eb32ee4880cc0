import { cutoff, cutoffOf, meanMeasure, type Measure, measurePart, nameWith } from './measure.js'

/**
 * gAP, average precision for graded relevance (Robertson, Kanoulas and Yilmaz, SIGIR 2010) for users whose least grade that satisfies is
 * spread evenly: with grades r above 0 in ranked order, Σ_{n≤k} (1/n) Σ_{m≤n} min(r_m, r_n) / Σ r. It does not depend on the
 * scale of the grades, and with a single grade it is average precision. Without grades every relevant item has grade 1.
 *
 * By chance: rank n expects the mean grade, and for each of the n − 1 ranks before it the mean of min over pairs of the N items.
 */
export function gradedPrecision(name: string, k: number): Measure {
  const averaged = meanMeasure(
    name,
    ({ ranks, relevant, graded, idealGains }) => {
      const held = idealGains ? (graded ?? { ranks: [], gains: [] }) : undefined
      const [places, total] = held ? [held.ranks, sum(idealGains!)] : [ranks, relevant]
      const gain = (i: number) => (held ? held.gains[i]! : 1)
      let value = 0
      for (let n = 0; n < places.length && places[n]! <= k; n++) {
        let met = 0
        for (let m = 0; m <= n; m++) met += Math.min(gain(m), gain(n))
        value += met / places[n]!
      }
      return total > 0 ? value / total : 0
    },
    ({ relevant, idealGains }, { items, depth }) => {
      // Of two gains the lesser one is that which comes later in the ideal order.
      let [total, lesser] = [relevant, (relevant * (relevant - 1)) / 2]
      if (idealGains) {
        ;[total, lesser] = [0, 0]
        for (let i = 0; i < idealGains.length; i++) {
          total += idealGains[i]!
          lesser += i * idealGains[i]!
        }
      }
      if (total === 0) return 0
      const pair = items > 1 ? (2 * lesser) / (items * (items - 1)) : 0
      let value = 0
      for (let n = 1; n <= Math.min(k, depth, items); n++) value += (total / items + (n - 1) * pair) / n
      return value / total
    },
  )
  return {
    ...averaged,
    ...cutoffOf(k),
    counts: ({ relevant, idealGains }) => (idealGains?.length ?? relevant) > 0,
  }
}

function sum(values: ArrayLike<number>): number {
  let total = 0
  for (let i = 0; i < values.length; i++) total += values[i]!
  return total
}

export const gradedPrecisionPart = measurePart({
  name: 'gAP',
  description: 'Average precision for grades, over all thresholds of relevance alike.',
  schema: cutoff.optional,
  aliases: ['GAP', 'gradedAP', 'graded_average_precision'],
  fromConfig: ({ k }) => gradedPrecision(nameWith('gAP', k), k ?? Number.POSITIVE_INFINITY),
})
