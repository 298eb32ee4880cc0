import { neighbouringCaptions } from '../text/index.js'
import { type BuildStrategy, described } from './composed.js'
import { type NegativeStrategy, strategyPart } from './strategy.js'

/**
 * Another strategy over batches that are put together from neighbouring captions, so that whatever it chooses says nearly the same as the
 * own caption (batches of one topic: Hofstätter, Lin, Yang, Lin, Hanbury, SIGIR 2021, arXiv 2104.06967; there of clustered queries, here of
 * the captions nearest to one by tf·idf). Only batches for training are; looked at outside of it, it is the other strategy.
 */
export function clusteredNegatives(strategy: NegativeStrategy, cluster = 8): NegativeStrategy {
  return {
    ...strategy,
    name: 'cluster-batches',
    config: { negatives: described(strategy), cluster },
    batches: { ...strategy.batches, order: neighbouringCaptions(cluster) },
  }
}

export const clusterBatchesPart = (build: BuildStrategy) =>
  strategyPart({
    name: 'cluster-batches',
    description: 'Another strategy, over batches put together from neighbouring captions.',
    schema: {
      properties: {
        negatives: {
          family: 'strategy',
          default: { type: 'semi-hard' },
          description: 'How they are chosen in such a batch.',
        },
        cluster: {
          type: 'integer',
          minimum: 2,
          default: 8,
          description: 'Neighbours that stand together: a part of the batch, or all of it.',
        },
      },
    },
    fromConfig: ({ negatives, cluster }) => clusteredNegatives(build(negatives), cluster),
  })
