import { Family } from '../registry/index.js'
import type { BatchSource } from './batch-source.js'
import { ratedListsPart } from './rated-lists.js'
import { sourcePart, type SourceSetting } from './source-part.js'

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
export const sources = new Family<BatchSource | Promise<BatchSource>, SourceSetting>('source', [
  clipsPart,
  ratedListsPart,
])
