import type { FeatureBatch, TokenBatch } from '../models/index.js'

/** What a training step needs of a batch of pairs. */
export interface PairBatch {
  readonly audio: FeatureBatch
  readonly text: TokenBatch
  /** [n] clip ids: pairs of one clip are not each other's negatives. */
  readonly groups: Int32Array
}

/** Where a sampler stands, as JSON. */
export interface SourceState {
  readonly epoch: number
  readonly batch: number
  /** Of the data and the options, so that a state is not restored onto others. */
  readonly fingerprint: string
}

/** The part of `Batches` that training uses; anything of this form can be trained on. */
export interface BatchSource {
  readonly batchesPerEpoch: number
  /** Counts the batches handed out as done. */
  readonly state: SourceState
  /** Throws INVALID_DATA when the state is of other data. */
  restore(state: SourceState): void
  rewind(epoch: number, batch?: number): void
  /** The batches left in the epoch; the next call gives those of the next one. */
  epoch(options?: { signal?: AbortSignal }): AsyncGenerator<PairBatch, void, undefined>
}
