import { expected } from '../base/errors.js'
import { type BuildStrategy, composed, described, traitsOf } from './composed.js'
import { planeOf } from './query.js'
import { type NegativeStrategy, strategyPart } from './strategy.js'

/**
 * One strategy after another, by epoch: easy negatives first, hard ones when the model is ready for them (curriculum learning: Bengio,
 * Louradour, Collobert, Weston, ICML 2009; that hardest negatives early on end badly is said by Schroff et al., arXiv 1503.03832).
 * `until[k]` is the epoch, with fraction, at which strategy k hands over; the last one stays.
 */
export function scheduledNegatives(
  strategies: readonly NegativeStrategy[],
  until: readonly number[],
): NegativeStrategy {
  const rising = until.every((epoch, k) => epoch > (until[k - 1] ?? 0) && epoch < Infinity)
  if (until.length !== strategies.length - 1 || !rising)
    throw expected(`${strategies.length - 1} rising epochs above 0`, 'until', until)
  const traits = traitsOf(strategies)
  return composed(strategies, (parts) => ({
    name: 'schedule',
    config: { strategies: strategies.map(described), until },
    ...traits,
    select(query, rng) {
      // What a later one will read must be right from the start.
      for (const plane of traits.needs) planeOf(query, plane)
      const phase = until.findIndex((epoch) => query.epoch < epoch)
      return parts.at(phase)!.select(query, rng)
    },
  }))
}

export const schedulePart = (build: BuildStrategy) =>
  strategyPart({
    name: 'schedule',
    description: 'One strategy after another, by epoch.',
    schema: {
      properties: {
        strategies: {
          type: 'array',
          items: { family: 'strategy' },
          default: [{ type: 'random' }, { type: 'hard' }],
          description: 'Two or more, in their order.',
        },
        until: {
          type: 'array',
          items: { type: 'number', exclusiveMinimum: 0 },
          default: [3],
          description: 'The epoch at which each of them but the last hands over.',
        },
      },
    },
    fromConfig: ({ strategies, until }) => scheduledNegatives(strategies.map(build), until),
  })
