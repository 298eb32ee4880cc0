import { type Appeal, extremePerColumn, extremePerRow } from './extreme.js'
import { checkQuery, planeOf } from './query.js'
import { fromPicks, type NegativeStrategy, strategyPart } from './strategy.js'

/** Clip and caption are picked separately, by their clip–caption score against the anchor. */
function crossModality(
  name: string,
  appeal: Appeal,
  traits: Pick<NegativeStrategy, 'nearPositive' | 'easier'>,
): () => NegativeStrategy {
  return () => ({
    name,
    needs: ['audio-text'],
    ...traits,
    select(query) {
      checkQuery(query)
      const scores = planeOf(query, 'audio-text')
      const { barred } = query
      return fromPicks(extremePerColumn(scores, barred, appeal), extremePerRow(scores, barred, appeal))
    },
  })
}

/**
 * `semi-hard-NS`: the score closest to the anchor pair's own, above or below. Not FaceNet's rule: there is no condition
 * on the side and no margin window, so one always exists.
 */
export const semiHardNegatives = crossModality(
  'semi-hard',
  (score, positive) => -Math.abs(score - positive),
  { nearPositive: true, easier: ['random', 'full-batch'] },
)
/** `hard-NS`: the highest score. */
export const hardNegatives = crossModality('hard', (score) => score, { easier: ['semi-hard', 'random'] })

export const semiHard = strategyPart({
  name: 'semi-hard',
  description: 'Clip and caption whose score is closest to that of the pair, above or below.',
  schema: { properties: {} },
  fromConfig: semiHardNegatives,
})

export const hard = strategyPart({
  name: 'hard',
  description: 'Clip and caption with the highest score.',
  schema: { properties: {} },
  fromConfig: hardNegatives,
})
