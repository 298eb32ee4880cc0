/** Ragged lists of indices, one after the other: list i is index[offsets[i]] … index[offsets[i + 1] - 1]. */
export interface RaggedIndices {
  /** [n + 1], from 0 to the length of index, never descending. */
  readonly offsets: Int32Array
  /** [offsets[n]] */
  readonly index: Int32Array
}

/** Ragged lists of indices with a weight each. */
export interface RaggedWeights extends RaggedIndices {
  /** [offsets[n]] weights[e] belongs to index[e]. */
  readonly weights: Float32Array
}
