import { checkOptions } from '../base/options.js'
import { similarity } from '../nn/functions/index.js'
import type { Tape } from '../nn/tape.js'
import { type EmbeddedBatch, type Padding, paddingSchema, poolEmbedded } from './embedded-batch.js'
import { detached, type Similarity, similarityPart } from './similarity.js'

/** Options of {@link pooled}. */
export interface PooledOptions {
  /** Default 'masked'. */
  padding?: Padding
}

/** Cosine of mean clip vector and mean caption vector (DCASE 2022 task 6b baseline), in [-1, 1]. */
export function pooled(given: PooledOptions = {}): Similarity {
  const { padding = 'masked' } = checkOptions(given, 'pooled')
  const factors = (tape: Tape, audio: EmbeddedBatch, text: EmbeddedBatch) => ({
    audio: poolEmbedded(tape, audio, padding),
    // Padded words are zero vectors: counting them changes only the length of the mean, which is normalised away.
    text: poolEmbedded(tape, text),
  })
  return {
    name: 'pooled',
    config: { kind: 'pooled', padding },
    get masked() {
      return padding === 'masked' ? this : pooled()
    },
    prepare: (tape, side) => ({ values: poolEmbedded(tape, side, padding), lengths: null }),
    score(tape, audio, text) {
      const sides = factors(tape, audio, text)
      return similarity(tape, sides.audio, sides.text)
    },
    factors,
    within: (side) =>
      detached(side, (tape, embedded) => {
        const vectors = poolEmbedded(tape, embedded, padding)
        return similarity(tape, vectors, vectors)
      }),
  }
}

export const pooledPart = similarityPart({
  name: 'pooled',
  description: 'Cosine of the mean vector of the clip and that of the caption.',
  schema: { properties: { padding: paddingSchema } },
  fromConfig: pooled,
})
