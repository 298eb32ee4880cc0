import { expected } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import { drawByScore } from './drawn.js'
import { type NegativeStrategy, strategyPart } from './strategy.js'

/** Options of {@link bandNegatives}. */
export interface BandOptions {
  /** Share of the candidates that are too easy, in [0, 1). Default 0.5. */
  from?: number
  /** Share of the candidates below which they are not yet too hard, in (from, 1]. Default 0.9. */
  to?: number
}

/**
 * A uniform draw from a band of the candidates ordered by score, which leaves out the easiest and the hardest (Wu, Mosse, Zhuang, Yamins,
 * Goodman, ICLR 2021, arXiv 2010.02037: negatives from a ring around the anchor). Of m candidates those with rank r, from 0 for the lowest
 * score, with from·m ≤ r < to·m; at least one. Ties go by batch order.
 */
export function bandNegatives(options: BandOptions = {}): NegativeStrategy {
  const { from = 0.5, to = 0.9 } = checkOptions(options, 'bandNegatives')
  if (!(from >= 0 && from < 1)) throw expected('a share from 0 and below 1', 'from', from)
  if (!(to > from && to <= 1)) throw expected(`a share above ${from} and up to 1`, 'to', to)
  return {
    name: 'band',
    needs: ['audio-text'],
    config: { from, to },
    easier: ['random'],
    select: (query, rng) => drawByScore(query, rng, (scores) => bandWeights(scores, from, to)),
  }
}

/** 1 for the candidates of the band, else 0. */
export function bandWeights(scores: Float64Array, from: number, to: number): Float64Array {
  const m = scores.length
  const order = [...scores.keys()].sort((a, b) => scores[a]! - scores[b]!)
  const first = Math.min(m - 1, Math.ceil(from * m))
  const last = Math.max(first + 1, Math.ceil(to * m))
  const weights = new Float64Array(m)
  for (const k of order.slice(first, last)) weights[k] = 1
  return weights
}

export const band = strategyPart({
  name: 'band',
  description: 'A clip and a caption drawn from those that are neither easiest nor hardest.',
  schema: {
    properties: {
      from: {
        type: 'number',
        minimum: 0,
        exclusiveMaximum: 1,
        default: 0.5,
        description: 'Share of the candidates, by score, that are too easy.',
      },
      to: {
        type: 'number',
        exclusiveMinimum: 0,
        maximum: 1,
        default: 0.9,
        description: 'Share of the candidates below which they are not yet too hard.',
      },
    },
  },
  fromConfig: bandNegatives,
})
