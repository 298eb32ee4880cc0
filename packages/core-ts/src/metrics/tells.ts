import type { Measure, RankedQuery } from './measure.js'
import { gradedQuery, type GradeOptions } from './rankings.js'

/**
 * Whether a measure tells a good ranking from a bad one where queries have judged items of these grades among `items`: `nothing` where no
 * query counts for it, `one value` where the best ranking of each query and the worst are worth the same, as nDCG over judged items
 * of one grade.
 */
export function tellsRankings(
  measure: Measure,
  grades: readonly (readonly number[])[],
  items: number,
  options: GradeOptions = {},
): 'rankings' | 'one value' | 'nothing' {
  let counts = false
  for (const of of grades) {
    const rising = of.toSorted((a, b) => a - b)
    const best = ranked(rising.toReversed(), 1)
    if (!(measure.counts?.(best) ?? best.relevant > 0)) continue
    counts = true
    const worst = ranked(rising, 1 + items - of.length)
    if (Math.abs(measure.score(best) - measure.score(worst)) > rounding) return 'rankings'
  }
  return counts ? 'one value' : 'nothing'

  /** Items in this order, at ranks from `first` on. */
  function ranked(order: readonly number[], first: number): RankedQuery {
    return gradedQuery(
      order.map((grade, i) => ({ grade, rank: first + i })),
      options,
    )
  }
}

const rounding = 1e-12
