import { Family } from '../../registry/index.js'
import { canonicalPart } from './canonical.js'
import { type Start, startPart } from './start.js'

/** What the weights of a model are before its first step; null for those that were drawn. */
export const starts = new Family<Start | null>('start', [
  startPart({
    name: 'drawn',
    description: 'Weights as they were drawn.',
    schema: { properties: {} },
    fromConfig: () => null,
  }),
  canonicalPart,
])
