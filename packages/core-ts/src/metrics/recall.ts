import { cutoff, cutoffOf, meanMeasure, type Measure, measurePart } from './measure.js'

/** R@k = relevant items among the first k / R. By chance: min(k, depth, N) / N. */
export function recall(name: string, k: number): Measure {
  const averaged = meanMeasure(
    name,
    (query) => countWithin(query.ranks, k) / query.relevant,
    (_, { items, depth }) => Math.min(k, depth, items) / items,
    shareWithin(k),
  )
  return { ...averaged, ...cutoffOf(k) }
}

/** The share of a query's relevant items that fits among the first k: what the best ranking reaches. */
export function shareWithin(k: number): NonNullable<Measure['ceiling']> {
  return ({ relevant }, { depth }) => Math.min(k, depth, relevant) / relevant
}

/** HR@k = 1 when any relevant item is among the first k, else 0. By chance: 1 − C(N−R, k) / C(N, k). */
export function hitRate(name: string, k: number): Measure {
  const averaged = meanMeasure(
    name,
    (query) => (query.ranks.length > 0 && query.ranks[0]! <= k ? 1 : 0),
    ({ relevant }, { items, depth }) => 1 - missProbability(Math.min(k, depth, items), relevant, items),
  )
  return { ...averaged, ...cutoffOf(k) }
}

/** P(none of the R relevant of N items is among the first k of a random ranking). */
function missProbability(k: number, relevant: number, items: number): number {
  let miss = 1
  for (let i = 0; i < relevant; i++) miss *= Math.max(0, items - k - i) / (items - i)
  return miss
}

function countWithin(ranks: ArrayLike<number>, k: number): number {
  let count = 0
  while (count < ranks.length && ranks[count]! <= k) count++
  return count
}

export const recallPart = measurePart({
  name: 'R',
  description: 'Share of the relevant items among the first k.',
  schema: cutoff.required,
  aliases: ['recall', 'rec'],
  fromConfig: ({ k }) => recall(`R@${k}`, k),
})

export const hitRatePart = measurePart({
  name: 'HR',
  description: 'Whether any relevant item is among the first k.',
  schema: cutoff.required,
  aliases: ['hit', 'hits', 'hitRate', 'success'],
  fromConfig: ({ k }) => hitRate(`HR@${k}`, k),
})
