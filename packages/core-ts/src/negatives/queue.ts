import { expected } from '../base/errors.js'
import { type BuildStrategy, described } from './composed.js'
import { type NegativeStrategy, strategyPart } from './strategy.js'

/**
 * Another strategy with more to choose from: clips and captions of the last batches too, as they were embedded then (cross-batch memory:
 * Wang, Zhang, Huang, Scott, CVPR 2020, arXiv 1912.06798). They carry no gradient. Needs a similarity that compares one vector of a clip
 * with one of a caption.
 */
export function queuedNegatives(strategy: NegativeStrategy, pairs = 256): NegativeStrategy {
  if (strategy.batches?.writer !== undefined)
    throw expected('a strategy without written captions', 'negatives', strategy.name)
  if (!(Number.isInteger(pairs) && pairs >= 1)) throw expected('a whole number from 1', 'pairs', pairs)
  return {
    ...strategy,
    name: 'queue',
    config: { negatives: described(strategy), pairs },
    earlierPairs: pairs,
  }
}

export const queuePart = (build: BuildStrategy) =>
  strategyPart({
    name: 'queue',
    description: 'Another strategy that chooses from the pairs of the last batches too.',
    schema: {
      properties: {
        negatives: {
          family: 'strategy',
          default: { type: 'semi-hard' },
          description: 'How they are chosen.',
        },
        pairs: {
          type: 'integer',
          minimum: 1,
          default: 256,
          description: 'Pairs of earlier batches that are remembered.',
        },
      },
    },
    fromConfig: ({ negatives, pairs }) => queuedNegatives(build(negatives), pairs),
  })
