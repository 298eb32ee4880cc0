import { expected } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import { checkNegatives, checkStrategy, type NegativeStrategy, strategies } from '../negatives/index.js'
import { add, tripletFromPicks } from '../nn/functions/index.js'
import { Tensor } from '../nn/tensor.js'
import { type Loss, lossPart } from './loss.js'
import { targets } from './target-registry.js'
import type { Targets } from './targets.js'

/** Options of {@link gradedMarginLoss}. */
export interface GradedMarginLossOptions {
  /** Relevance in [0, 1] of each caption of a batch for each clip; more counts as 1. */
  targets: Targets
  /** How negatives are chosen; one that remembers is not taken. Default full-batch. */
  negatives?: NegativeStrategy
  /** Least lead over a pair of relevance 0. Default 0.5. */
  margin?: number
}

/**
 * A triplet loss whose margin shrinks with relevance: a pair's own score must lead that of a negative of relevance r by margin·(1 − r), so
 * that what fits by half is pushed half as far. Hinges and means as in the triplet loss.
 */
export function gradedMarginLoss(given: GradedMarginLossOptions): Loss {
  const {
    targets,
    negatives = strategies.build('full-batch'),
    margin = 0.5,
  } = checkOptions(given, 'gradedMarginLoss')
  if (!(margin > 0)) throw expected('a number above 0', 'margin', margin)
  checkStrategy(negatives)
  if (negatives.start !== undefined)
    throw expected('a strategy that does not remember', 'negatives', negatives.name)
  return {
    name: `graded-margin-${negatives.name}`,
    config: {
      margin,
      targets: { type: targets.name, ...targets.config },
      negatives: { type: negatives.name, ...negatives.config },
    },
    valueOfEqualScores: () => null,
    build: (backend) => ({
      parameters: () => new Map(),
      buffers: () => new Map(),
      compute(input, rng) {
        const { tape, items, n, step, epoch, barred, scores } = input
        const query = { items, step, epoch, barred, planes: input.planes(negatives.needs) }
        const picks = negatives.select(query, rng)
        checkNegatives(picks, query, negatives.name)
        const relevance = new Float32Array(n * n)
        const weights = input.targets(targets)
        for (let i = 0; i < n; i++) {
          if ('data' in weights) relevance.set(weights.data.subarray(i * n, (i + 1) * n), i * n)
          else
            for (let e = weights.offsets[i]!; e < weights.offsets[i + 1]!; e++)
              relevance[i * n + weights.index[e]!] = weights.weights[e]!
          // The own pair leads; it is not led.
          relevance[i * n + i] = 0
        }
        // (S − margin·r) − own + margin = S − own + margin·(1 − r)
        const eased = Tensor.from(
          backend,
          [n, n],
          relevance.map((r) => Math.min(1, r)),
        )
        const { loss, stats } = tripletFromPicks(
          tape,
          add(tape, scores, eased, { beta: -margin }),
          picks,
          margin,
        )
        return { loss, picks, statistics: () => ({ ...stats(), withoutNegatives: picks.empty }) }
      },
    }),
  }
}

export const gradedMarginPart = lossPart({
  name: 'graded-margin',
  description: 'Every pair must score higher than chosen negatives, by the less the more relevant they are.',
  schema: {
    properties: {
      targets: {
        family: 'targets',
        default: { type: 'same-clip' },
        description: 'Relevance of the captions of a batch for its clips, from 0 to 1 (form: share).',
      },
      negatives: {
        family: 'strategy',
        default: { type: 'full-batch' },
        description: 'How the negatives of a batch are chosen.',
      },
      margin: {
        type: 'number',
        exclusiveMinimum: 0,
        default: 0.5,
        description: 'Least lead over a pair of relevance 0.',
      },
    },
  },
  fromConfig: ({ targets: chosen, negatives, margin }) =>
    gradedMarginLoss({ targets: targets.build(chosen), negatives: strategies.build(negatives), margin }),
})
