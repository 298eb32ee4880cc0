import { type Appeal, extremePerColumn, extremePerRow } from './extreme.js'
import { checkQuery, planeOf } from './query.js'
import { fromPicks, type NegativeStrategy, strategyPart } from './strategy.js'

/** Above 0 and larger the closer, for scores below the pair's own; else 0 and below. */
const closestBelow: Appeal = (score, positive) =>
  score < positive ? 1 / (1 + positive - score) : positive - score

/**
 * The highest score among those below the pair's own (Schroff, Kalenichenko, Philbin, CVPR 2015, arXiv 1503.03832, eq. 4: the negative
 * is further away than the positive). Where none is below, the lowest: the least wrong of those that are wrong already. The paper draws
 * among the semi-hard ones of a batch; here it is always the hardest of them, so that no draw hides what the rule does.
 */
export function facenetSemiHardNegatives(): NegativeStrategy {
  return {
    name: 'facenet-semi-hard',
    needs: ['audio-text'],
    nearPositive: true,
    easier: ['random', 'full-batch'],
    select(query) {
      checkQuery(query)
      const scores = planeOf(query, 'audio-text')
      const { barred } = query
      return fromPicks(
        extremePerColumn(scores, barred, closestBelow),
        extremePerRow(scores, barred, closestBelow),
      )
    },
  }
}

export const facenetSemiHard = strategyPart({
  name: 'facenet-semi-hard',
  description: 'Clip and caption with the highest score below that of the pair; without one, the lowest.',
  schema: { properties: {} },
  fromConfig: facenetSemiHardNegatives,
})
