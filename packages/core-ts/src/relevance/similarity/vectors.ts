import type { Matrix } from '../../base/index.js'

/** A caption as what gives it a vector takes it: by its text, or by its id where vectors were made elsewhere. */
export interface CaptionText {
  readonly text: string
  readonly id?: string
}

/** What gives captions vectors, whose inner product is their similarity: LSA, word vectors, a sentence encoder. */
export interface CaptionVectors {
  /** Length of the vectors. */
  readonly cols: number
  /** One vector a caption; those of unit length make the product a cosine. */
  embed(captions: readonly CaptionText[], options?: { readonly signal?: AbortSignal }): Promise<Matrix>
}
