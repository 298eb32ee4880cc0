import { kendall, spearman } from './correlation.js'
import { cutoff, type Measure, measurePart } from './measure.js'
import { mean } from './significance/index.js'

/**
 * Correlation of a ranking with the grades of the judged items of the query; items that nobody has judged are left out, and those that the
 * ranking does not hold come last, all alike. A query counts when its judged items differ in grade. 0 by chance, and for a ranking that
 * does not order any two of them.
 */
function rankCorrelation(
  name: string,
  correlation: (x: ArrayLike<number>, y: ArrayLike<number>) => number | null,
): Measure {
  return {
    name,
    range: [-1, 1],
    score({ judged }) {
      if (judged === undefined) return 0
      return (
        correlation(
          Float64Array.from(judged.ranks, (rank) => -rank),
          judged.grades,
        ) ?? 0
      )
    },
    counts: ({ judged }) =>
      judged !== undefined && Array.from(judged.grades).some((grade) => grade !== judged.grades[0]),
    statistic: mean,
    chance: () => 0,
  }
}

export const spearmanPart = measurePart({
  name: 'Spearman',
  description: 'Rank correlation with the grades of the judged items.',
  schema: cutoff.none,
  aliases: ['spearmanr', 'rho'],
  fromConfig: () => rankCorrelation('Spearman', spearman),
})

export const kendallPart = measurePart({
  name: 'Kendall',
  description: 'Kendall’s τ-b with the grades of the judged items.',
  schema: cutoff.none,
  aliases: ['kendalltau', 'tau'],
  fromConfig: () => rankCorrelation('Kendall', kendall),
})
