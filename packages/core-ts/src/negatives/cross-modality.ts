import { type Appeal, extremePerColumn, extremePerRow } from './extreme.js'
import { checkQuery, fromPicks, type NegativeStrategy, planeOf } from './strategy.js'

/** Clip and caption are picked separately, by their clip–caption score against the anchor. */
function crossModality(name: string, appeal: Appeal): () => NegativeStrategy {
  return () => ({
    name,
    needs: ['audio-text'],
    select(query) {
      checkQuery(query)
      const scores = planeOf(query, 'audio-text')
      return fromPicks(
        extremePerColumn(scores, query.groups, appeal),
        extremePerRow(scores, query.groups, appeal),
      )
    },
  })
}

/**
 * `semi-hard-NS`: the score closest to the anchor pair's own, above or below. Not FaceNet's rule: there is no condition
 * on the side and no margin window, so one always exists.
 */
export const semiHardNegatives = crossModality('semi-hard', (score, positive) => -Math.abs(score - positive))
/** `hard-NS`: the highest score. */
export const hardNegatives = crossModality('hard', (score) => score)
