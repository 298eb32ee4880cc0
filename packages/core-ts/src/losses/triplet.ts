import { expected } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import { checkNegatives, type NegativeStrategy, strategies } from '../negatives/index.js'
import { tripletFromPicks } from '../nn/functions/index.js'
import { type Loss, lossPart } from './loss.js'

export interface TripletLossOptions {
  /** How negatives are chosen: `strategies.build('semi-hard')`. */
  negatives: NegativeStrategy
  /** Least lead of the pair's own score. Default 0.5. */
  margin?: number
}

/**
 * Hinge of each pair's score against a chosen clip and a chosen caption of other clips (Xie, Räsänen, Virtanen, ICASSP
 * 2023): mean over pairs of mean_a [S_ai - S_ii + margin]₊ + mean_t [S_it - S_ii + margin]₊. Pairs with no possible
 * negative add 0 and are counted in the statistic `withoutNegatives`.
 */
export function tripletLoss(given: TripletLossOptions): Loss {
  const { negatives, margin = 0.5 } = checkOptions(given, 'tripletLoss')
  if (!(margin > 0)) throw expected('a number above 0', 'margin', margin)
  const { nearPositive = false, easier = [] } = negatives
  return {
    name: `triplet-${negatives.name}`,
    config: { margin, negatives: { type: negatives.name, ...negatives.config } },
    valueOfEqualScores: () => (nearPositive ? null : 2 * margin),
    ...(easier.length > 0 && { easier: `easier negatives (${easier.join(', ')})` }),
    build() {
      const remembering = negatives.start?.()
      const strategy = remembering ?? negatives
      return {
        parameters: () => new Map(),
        buffers: () => new Map(),
        compute(input, rng) {
          const { tape, items, step, epoch, scores, barred } = input
          const query = { items, step, epoch, barred, planes: input.planes(strategy.needs) }
          const picks = strategy.select(query, rng)
          checkNegatives(picks, query, strategy.name)
          const { loss, stats } = tripletFromPicks(tape, scores, picks, margin)
          return { loss, picks, statistics: () => ({ ...stats(), withoutNegatives: picks.empty }) }
        },
        ...(remembering && {
          state: () => remembering.state(),
          restore: (state: unknown) => remembering.restore(state),
        }),
      }
    },
  }
}

export const triplet = lossPart({
  name: 'triplet',
  description: 'Every pair must score higher by the margin than chosen negatives.',
  schema: {
    properties: {
      margin: {
        type: 'number',
        exclusiveMinimum: 0,
        default: 0.5,
        description: 'How much higher a matching pair must score than its negatives.',
      },
      negatives: {
        family: 'strategy',
        default: { type: 'semi-hard' },
        description: 'How the negatives of a batch are chosen.',
      },
    },
  },
  fromConfig: ({ margin, negatives }) => tripletLoss({ margin, negatives: strategies.build(negatives) }),
})
