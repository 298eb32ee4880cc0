import type { Batches, BatchesOptions, Clip } from '../data/index.js'
import { partOf } from '../registry/index.js'
import type { BatchSource } from './batch-source.js'

/** What a source of a configured run can be made from. */
export interface SourceSetting {
  /** Usable clips of a split; default: the one that is trained on. A split must be named by the key `split` of the source. */
  clips(split?: string): readonly Clip[]
  /** Batches of clips as the run makes them: its features, captions, seed, crops, and what is not said otherwise. */
  batches(
    clips: readonly Clip[],
    options?: Partial<Pick<BatchesOptions, 'items' | 'batchSize' | 'order' | 'writer' | 'plan'>>,
  ): Promise<Batches>
}

/** For a source's row in its family, next to its code. */
export const sourcePart = partOf<BatchSource | Promise<BatchSource>, SourceSetting>()
