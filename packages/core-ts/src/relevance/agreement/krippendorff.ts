import { expected } from '../../base/index.js'

/** How far apart two ratings are: not the same, ranks between them, or their difference squared. */
export type RatingMetric = 'nominal' | 'ordinal' | 'interval'

/**
 * Krippendorff's α = 1 − observed / expected disagreement (Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability"): 1 when raters
 * agree, 0 when they agree no more than ratings drawn at random, below 0 when they agree less. Each unit has the ratings it got, in any
 * number; units of one rating say nothing and are left out. null where there is nothing to agree on: no unit of two ratings, or one value
 * throughout.
 */
export function krippendorffAlpha(
  units: readonly (readonly number[])[],
  metric: RatingMetric = 'interval',
): number | null {
  if (!Object.hasOwn(differences, metric)) throw expected('nominal, ordinal or interval', 'metric', metric)
  const paired = units.filter((unit) => unit.length >= 2)
  const values = [...new Set(paired.flat())].sort((a, b) => a - b)
  if (values.some(Number.isNaN)) throw expected('numbers', 'ratings', Number.NaN)
  const index = new Map(values.map((value, i) => [value, i]))
  const counts = new Float64Array(values.length)
  for (const unit of paired) for (const value of unit) counts[index.get(value)!]!++
  const total = counts.reduce((sum, count) => sum + count, 0)
  const difference = differences[metric](values, counts)

  let observed = 0
  for (const unit of paired) {
    let apart = 0
    for (let i = 1; i < unit.length; i++)
      for (let j = 0; j < i; j++) apart += difference(index.get(unit[i]!)!, index.get(unit[j]!)!)
    observed += (2 * apart) / (unit.length - 1)
  }
  let byChance = 0
  for (let i = 1; i < values.length; i++)
    for (let j = 0; j < i; j++) byChance += 2 * counts[i]! * counts[j]! * difference(i, j)
  return byChance === 0 ? null : 1 - ((total - 1) * observed) / byChance
}

/** Squared difference of the values numbered i and j. */
type Difference = (i: number, j: number) => number

const differences: Readonly<
  Record<RatingMetric, (values: readonly number[], counts: Float64Array) => Difference>
> = {
  nominal: () => (i, j) => (i === j ? 0 : 1),
  interval: (values) => (i, j) => (values[i]! - values[j]!) ** 2,
  // The ratings from one value to the other, their own counted by half.
  ordinal: (_, counts) => {
    const below = new Float64Array(counts.length)
    for (let i = 1; i < counts.length; i++) below[i] = below[i - 1]! + (counts[i - 1]! + counts[i]!) / 2
    return (i, j) => (below[i]! - below[j]!) ** 2
  },
}
