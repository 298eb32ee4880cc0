import { matrix, type Matrix } from '../base/matrix.js'
import { Tape } from '../nn/tape.js'
import { Tensor } from '../nn/tensor.js'
import { partOf } from '../registry/index.js'
import type { EmbeddedBatch } from './embedded-batch.js'

/** How clips and captions are compared; larger = more similar. */
export interface Similarity {
  readonly name: string
  /** What its row in {@link similarities} needs to make it again. */
  readonly config: SimilarityConfig
  /** The same over true lengths, whatever the padding option: what a clip or caption scores on its own. */
  readonly masked: Similarity
  /** What the scores depend on of one side, smaller where possible; {@link score} of two of these is the same. */
  prepare(tape: Tape, side: EmbeddedBatch): EmbeddedBatch
  /** Scores of every clip against every caption: [clips, captions]. */
  score(tape: Tape, audio: EmbeddedBatch, text: EmbeddedBatch): Tensor
  /**
   * Scores as a product: tensors [clips, k] and [captions, k] with score = audio·textᵀ, for losses that never build the
   * matrix. Absent where scores are no product.
   */
  factors?(
    tape: Tape,
    audio: EmbeddedBatch,
    text: EmbeddedBatch,
  ): { readonly audio: Tensor; readonly text: Tensor }
  /** Scores of the items of one modality against each other, n × n, for choosing negatives; carries no gradient. */
  within(side: EmbeddedBatch): Matrix
}

/** A similarity as it is saved with a model. */
export interface SimilarityConfig {
  /** Name of its row in the family. */
  readonly kind: string
  readonly [option: string]: string
}

/** For a similarity's row in its family, next to its code. */
export const similarityPart = partOf<Similarity>()

/** Runs `compute` on a detached embedded, off any tape, and brings the scores to the host. */
export function detached(
  { values, lengths }: EmbeddedBatch,
  compute: (tape: Tape, side: EmbeddedBatch) => Tensor,
): Matrix {
  using tape = new Tape(values.backend)
  const side = { values: new Tensor(values.backend, values.shape, values.buffer), lengths }
  return toMatrix(compute(tape, side))
}

/** A tensor [rows, cols] as a matrix on the host; a copy. */
export function toMatrix(tensor: Tensor): Matrix {
  const [rows, cols] = tensor.shape as [number, number]
  return matrix(rows, cols, Float32Array.from(tensor.toArray()))
}
