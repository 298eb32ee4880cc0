import { expected } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import {
  checkNegatives,
  checkStrategy,
  type NegativeSet,
  type NegativeStrategy,
  strategies,
} from '../negatives/index.js'
import type { RaggedIndices } from '../base/ragged.js'
import { scale, tripletFromPicks } from '../nn/functions/index.js'
import { PairMemory } from './pair-memory.js'
import { type Loss, lossPart } from './loss.js'

/** Options of {@link tripletLoss}. */
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
  checkStrategy(negatives)
  const { nearPositive = false, easier = [] } = negatives
  return {
    name: `triplet-${negatives.name}`,
    config: { margin, negatives: { type: negatives.name, ...negatives.config } },
    valueOfEqualScores: () => (nearPositive ? null : 2 * margin),
    ...(negatives.batches && { batches: negatives.batches }),
    ...(easier.length > 0 && { easier: `easier negatives (${easier.join(', ')})` }),
    build() {
      const remembering = negatives.start?.()
      const strategy = remembering ?? negatives
      const memory = negatives.earlierPairs === undefined ? null : new PairMemory(negatives.earlierPairs)
      const hasState = remembering !== undefined || memory !== null
      return {
        parameters: () => new Map(),
        buffers: () => new Map(),
        compute(input, rng) {
          const { tape, n, step, epoch } = input
          // Looking is not training: then there is only the batch.
          const wide = memory !== null && tape.training ? memory.widen(input) : input
          const { items, barred } = wide
          const { written } = input
          const query = { items, step, epoch, barred, written, planes: wide.planes(strategy.needs) }
          const chosen = strategy.select(query, rng)
          checkNegatives(chosen, query, strategy.name)
          const usesWritten = chosen.text.index.some((j) => j >= items.length)
          const scores = usesWritten ? input.scoresWithWritten : wide.scores
          const width = usesWritten ? n + written.length : items.length
          const picks = ofAnchors(chosen, n, width)
          const { loss, stats } = tripletFromPicks(tape, scores, picks, margin)
          if (memory !== null && tape.training) memory.remember(input)
          const behind = written.map(({ of, caption }) => ({ ...items[of]!, caption }))
          const common = { picks, candidates: usesWritten ? [...items, ...behind] : items }
          if (width === n)
            return { loss, ...common, statistics: () => ({ ...stats(), withoutNegatives: picks.empty }) }
          // The op takes the mean over all items; those behind the batch have no hinge.
          const scaled = scale(tape, loss, width / n)
          const statistics = (): Readonly<Record<string, number>> => {
            const meanPositive = meanOfDiagonal(scores.toArray(), width, n)
            return { ...stats(), loss: scaled.item(), meanPositive, withoutNegatives: picks.empty }
          }
          return { loss: scaled, ...common, statistics }
        },
        ...(hasState && {
          state: () => ({ strategy: remembering?.state() ?? null, pairs: memory?.state() ?? null }),
          restore(state: unknown) {
            const { strategy: own, pairs } = state as { strategy: unknown; pairs: unknown }
            remembering?.restore(own)
            memory?.restore(pairs)
          },
        }),
      }
    },
  }
}

function meanOfDiagonal(scores: ArrayLike<number>, width: number, n: number): number {
  let sum = 0
  for (let i = 0; i < n; i++) sum += scores[i * width + i]!
  return sum / n
}

/** The lists of the first n of `all` items; the others have empty ones. */
function ofAnchors(set: NegativeSet, n: number, all: number): NegativeSet {
  if (all === n) return set
  const first = ({ offsets, index }: RaggedIndices): RaggedIndices => {
    const own = new Int32Array(all + 1).fill(offsets[n]!)
    own.set(offsets.subarray(0, n))
    return { offsets: own, index: index.slice(0, offsets[n]) }
  }
  const [audio, text] = [first(set.audio), first(set.text)]
  let empty = 0
  for (let i = 0; i < n; i++)
    if (audio.offsets[i] === audio.offsets[i + 1] && text.offsets[i] === text.offsets[i + 1]) empty++
  return { audio, text, empty }
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
