import type { Backend } from '../backend/port.js'
import type { Batch, Batches, BatchesState } from '../data/index.js'
import type { StateDict } from '../models/index.js'
import type { Module } from '../nn/module.js'
import type { Tape } from '../nn/tape.js'
import type { EmbeddedBatch, Similarity } from '../similarity/index.js'

/** What a training step needs of a batch of pairs. */
export type PairBatch = Pick<Batch, 'audio' | 'text' | 'items' | 'written'>

/** The part of {@link Batches} that training uses; anything of this form can be trained on. */
export interface BatchSource extends Pick<Batches, 'batchesPerEpoch' | 'rewind'> {
  /** Counts the batches handed out as done. */
  readonly state: BatchesState
  /** Throws INVALID_DATA when the state is of other data; `file` is named in the message. */
  restore(state: BatchesState, file?: string): void
  /** The batches left in the epoch; the next call gives those of the next one. */
  epoch(options?: { signal?: AbortSignal }): AsyncGenerator<PairBatch, void, undefined>
}

/** What training needs of a model; a DualEncoder is one. */
export interface TrainableModel extends Module {
  readonly backend: Backend
  /** Everything but the weights, as JSON: a run is gone on with only by a model of the same. */
  readonly config: object
  readonly similarity: Similarity
  forward(
    tape: Tape,
    batch: Pick<PairBatch, 'audio' | 'text'>,
  ): { readonly audio: EmbeddedBatch; readonly text: EmbeddedBatch }
  /** Copies of all weights and running statistics. */
  state(): StateDict
  /** Throws INVALID_ARGUMENT, before anything is changed, when they are another model's; `file` is named in the message. */
  load(state: Readonly<StateDict>, file?: string): void
}
