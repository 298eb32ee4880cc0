import { expected } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import { drawByScore } from './drawn.js'
import { type NegativeStrategy, strategyPart } from './strategy.js'

/** Options of {@link distanceWeightedNegatives}. */
export interface DistanceWeightedOptions {
  /** n: dimensions of the sphere whose distances are evened out. Default 128. */
  dimensions?: number
  /** Smaller distances count as this one, in (0, √2). Default 0.5. */
  cutoff?: number
}

/**
 * A draw that makes every distance about equally likely (Wu, Manmatha, Smola, Krähenbühl, ICCV 2017, arXiv 1706.07567): by 1 / q(d), where
 * q(d) ∝ dⁿ⁻² (1 − d²/4)^((n−3)/2) is the density of distances between random points of the unit sphere. d² = 2 − 2·score, d clipped from
 * below. Candidates further away than √2 (scores below 0) count as √2: beyond it 1 / q rises again, and they teach nothing.
 */
export function distanceWeightedNegatives(options: DistanceWeightedOptions = {}): NegativeStrategy {
  const { dimensions = 128, cutoff = 0.5 } = checkOptions(options, 'distanceWeightedNegatives')
  if (!(Number.isInteger(dimensions) && dimensions >= 3))
    throw expected('a whole number from 3', 'dimensions', dimensions)
  if (!(cutoff > 0 && cutoff < Math.SQRT2))
    throw expected('a distance above 0 and below √2', 'cutoff', cutoff)
  return {
    name: 'distance-weighted',
    needs: ['audio-text'],
    config: { dimensions, cutoff },
    easier: ['random'],
    select: (query, rng) => drawByScore(query, rng, (scores) => distanceWeights(scores, dimensions, cutoff)),
  }
}

/** 1 / q(d) of each score, divided by the largest. */
export function distanceWeights(scores: Float64Array, n: number, cutoff: number): Float64Array {
  const logs = scores.map((score) => {
    const d = Math.min(Math.SQRT2, Math.max(cutoff, Math.sqrt(Math.max(0, 2 - 2 * score))))
    return -((n - 2) * Math.log(d) + ((n - 3) / 2) * Math.log1p((-d * d) / 4))
  })
  const largest = logs.reduce((a, b) => Math.max(a, b), -Infinity)
  return logs.map((log) => Math.exp(log - largest))
}

export const distanceWeighted = strategyPart({
  name: 'distance-weighted',
  description: 'A clip and a caption drawn so that every distance is about equally likely.',
  schema: {
    properties: {
      dimensions: {
        type: 'integer',
        minimum: 3,
        default: 128,
        description: 'Dimensions of the sphere whose distances are evened out; more look closer.',
      },
      cutoff: {
        type: 'number',
        exclusiveMinimum: 0,
        exclusiveMaximum: Math.SQRT2,
        default: 0.5,
        description: 'Smaller distances count as this one.',
      },
    },
  },
  fromConfig: distanceWeightedNegatives,
})
