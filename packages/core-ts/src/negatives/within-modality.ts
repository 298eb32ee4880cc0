import { type Appeal, extremePerRow } from './extreme.js'
import type { Plane } from './planes.js'
import { checkQuery, planeOf } from './query.js'
import { fromPicks, type NegativeStrategy, strategyPart } from './strategy.js'

/**
 * One pair j is picked for both directions by how alike the anchors are inside one modality; the loss still compares
 * clip and caption.
 */
function withinModality(
  name: string,
  plane: Plane,
  appeal: Appeal,
  easier: readonly string[] = [],
): () => NegativeStrategy {
  return () => ({
    name,
    needs: [plane],
    easier,
    select(query) {
      checkQuery(query)
      const picks = extremePerRow(planeOf(query, plane), query.barred.eitherWay(), appeal)
      return fromPicks(picks, picks)
    },
  })
}

const easiest: Appeal = (score) => -score
const hardest: Appeal = (score) => score

/** `easy-text-NS`: the pair whose caption is least like the anchor's. */
export const easyTextNegatives = withinModality('easy-text', 'text-text', easiest)
/** `hard-text-NS`: the pair whose caption is most like the anchor's. */
export const hardTextNegatives = withinModality('hard-text', 'text-text', hardest, ['semi-hard', 'random'])
/** `easy-audio-NS`: the pair whose clip is least like the anchor's. */
export const easyAudioNegatives = withinModality('easy-audio', 'audio-audio', easiest)
/** `hard-audio-NS`: the pair whose clip is most like the anchor's. */
export const hardAudioNegatives = withinModality('hard-audio', 'audio-audio', hardest, [
  'semi-hard',
  'random',
])

export const easyText = strategyPart({
  name: 'easy-text',
  description: 'The pair whose caption is least like the own one.',
  schema: { properties: {} },
  fromConfig: easyTextNegatives,
})

export const hardText = strategyPart({
  name: 'hard-text',
  description: 'The pair whose caption is most like the own one.',
  schema: { properties: {} },
  fromConfig: hardTextNegatives,
})

export const easyAudio = strategyPart({
  name: 'easy-audio',
  description: 'The pair whose clip is least like the own one.',
  schema: { properties: {} },
  fromConfig: easyAudioNegatives,
})

export const hardAudio = strategyPart({
  name: 'hard-audio',
  description: 'The pair whose clip is most like the own one.',
  schema: { properties: {} },
  fromConfig: hardAudioNegatives,
})
