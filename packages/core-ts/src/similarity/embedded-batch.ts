import { expected } from '../base/errors.js'
import { l2Normalize, maskedMean, reshape } from '../nn/functions/index.js'
import type { Tape } from '../nn/tape.js'
import type { Tensor } from '../nn/tensor.js'

/**
 * What an encoder gives for a batch: a sequence of unit vectors for each item (frames of a clip, words of a caption) with
 * true lengths, or one unit vector for each item.
 */
export interface EmbeddedBatch {
  /** [n, t, d] with lengths, [n, d] without. */
  readonly values: Tensor
  /** [n] true lengths; null when every item is one vector. */
  readonly lengths: Int32Array | null
}

/**
 * `masked`: padding never counts. `padded-compat`: means run over the padded length, as the published code of the
 * negative-sampling paper does; zero vectors of padded words then lower the score of short captions.
 */
export type Padding = 'masked' | 'padded-compat'

export const paddingSchema = {
  enum: ['masked', 'padded-compat'],
  default: 'masked',
  description:
    'masked: scores over true lengths; padded-compat: training counts padding as zeros, as the published experiments did.',
} as const

/** Lengths to average over. */
export function countedLengths({ values, lengths }: EmbeddedBatch, padding: Padding): Int32Array {
  const [n, t] = values.shape as [number, number]
  if (lengths === null) return new Int32Array(n).fill(1)
  return padding === 'masked' ? lengths : new Int32Array(n).fill(t)
}

/** One unit vector for each item [n, d]: the mean over its sequence, L2-normalised. */
export function poolEmbedded(tape: Tape, embedded: EmbeddedBatch, padding: Padding = 'masked'): Tensor {
  if (embedded.lengths === null) return embedded.values
  const mean = maskedMean(tape, embedded.values, countedLengths(embedded, padding))
  const pooled = l2Normalize(tape, mean)
  tape.discard(mean)
  return pooled
}

/** As sequences [n, t, d]: an item of one vector is a sequence of length 1. */
export function asSequence(
  tape: Tape,
  { values, lengths }: EmbeddedBatch,
): EmbeddedBatch & { lengths: Int32Array } {
  if (lengths !== null) return { values, lengths }
  const [n, d] = values.shape
  if (values.shape.length !== 2)
    throw expected('shape [n, d]', 'an embedded batch without lengths', `[${values.shape}]`)
  return { values: reshape(tape, values, [n!, 1, d!]), lengths: new Int32Array(n!).fill(1) }
}
