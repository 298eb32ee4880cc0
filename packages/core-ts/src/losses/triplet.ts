import { expected } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import { checkNegatives, type NegativeStrategy, type Plane } from '../negatives/index.js'
import { tripletFromPicks } from '../nn/functions/index.js'
import { toMatrix } from '../similarity/index.js'
import type { Loss, LossInput, LossNeed } from './loss.js'

export interface TripletLossOptions {
  /** How negatives are chosen: `negatives['semi-hard']()`. */
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
  const planes = negatives.needs.filter((plane) => plane !== 'audio-text')
  return {
    name: `triplet-${negatives.name}`,
    needs: ['scores', ...(planes as LossNeed[])],
    valueOfEqualScores: () => 2 * margin,
    build: () => ({
      parameters: () => new Map(),
      buffers: () => new Map(),
      compute(input) {
        const { tape, n, groups, rng } = input
        const scores = input.scores!
        const query = { n, groups, planes: planesOf(input, negatives.needs) }
        const picks = negatives.select(query, rng)
        checkNegatives(picks, query, negatives.name)
        const { loss, stats } = tripletFromPicks(tape, scores, picks, margin)
        return { loss, statistics: () => ({ ...stats(), withoutNegatives: picks.empty }) }
      },
    }),
  }
}

function planesOf(
  input: LossInput,
  needs: readonly Plane[],
): Partial<Record<Plane, ReturnType<typeof toMatrix>>> {
  const { 'text-text': text, 'audio-audio': audio } = input
  return {
    ...(needs.includes('audio-text') && { 'audio-text': toMatrix(input.scores!) }),
    ...(text && { 'text-text': text }),
    ...(audio && { 'audio-audio': audio }),
  }
}
