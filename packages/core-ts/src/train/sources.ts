import type { Batches, BatchesOptions, Clip } from '../data/index.js'
import { Family, partOf } from '../registry/index.js'
import type { BatchSource } from './batch-source.js'

/** What a source of a configured run can be made from. */
export interface SourceSetting {
  /** Usable clips of a split; default: the one that is trained on. A split must be named by the key `split` of the source. */
  clips(split?: string): readonly Clip[]
  /** Batches of clips as the run makes them: its features, captions, seed, crops, and what is not said otherwise. */
  batches(
    clips: readonly Clip[],
    options?: Partial<Pick<BatchesOptions, 'items' | 'batchSize' | 'order' | 'writer'>>,
  ): Promise<Batches>
}

/** For a source's row in its family, next to its code. */
export const sourcePart = partOf<BatchSource | Promise<BatchSource>, SourceSetting>()

const clipsPart = sourcePart({
  name: 'clips',
  description: 'Clips of the manifest with their captions.',
  schema: {
    properties: {
      split: { type: 'string', minLength: 1, description: 'Their split; without it data.trainSplit.' },
      items: {
        enum: ['clip', 'pair'],
        description: 'What an epoch visits, as data.items, which it is without the key.',
      },
      batchSize: { type: 'integer', minimum: 2, description: 'Without it training.batchSize.' },
    },
  },
  fromConfig: ({ split, items, batchSize }, { clips, batches }) =>
    batches(clips(split), { ...(items && { items }), ...(batchSize !== undefined && { batchSize }) }),
})

/** What batches of a further objective are of: `sources.build({ type: 'clips', split: 'noisy' }, setting)`. */
export const sources = new Family<BatchSource | Promise<BatchSource>, SourceSetting>('source', [clipsPart])
