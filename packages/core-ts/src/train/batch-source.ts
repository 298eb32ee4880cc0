import type { Batch, Batches, BatchesState } from '../data/index.js'

/** What a training step needs of a batch of pairs. */
export type PairBatch = Pick<Batch, 'audio' | 'text' | 'items'>

/** The part of {@link Batches} that training uses; anything of this form can be trained on. */
export interface BatchSource extends Pick<Batches, 'batchesPerEpoch' | 'rewind'> {
  /** Counts the batches handed out as done. */
  readonly state: BatchesState
  /** Throws INVALID_DATA when the state is of other data; `file` is named in the message. */
  restore(state: BatchesState, file?: string): void
  /** The batches left in the epoch; the next call gives those of the next one. */
  epoch(options?: { signal?: AbortSignal }): AsyncGenerator<PairBatch, void, undefined>
}
