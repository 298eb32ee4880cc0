import { expected } from '../../base/errors.js'
import type { RaggedIndices } from '../../base/ragged.js'
import type { Tape } from '../tape.js'
import type { Tensor } from '../tensor.js'
import { lossOf, recordLoss } from './loss.js'
import { axes, show } from './shapes.js'

/** The negatives of every anchor. */
export interface TripletPicks {
  /** Clips set against each anchor's caption. */
  readonly audio: RaggedIndices
  /** Captions set against each anchor's clip. */
  readonly text: RaggedIndices
}

/** What `triplet` can tell of a batch. */
export interface TripletStats {
  readonly loss: number
  /** Share of picked negatives whose hinge is above 0. */
  readonly active: number
  readonly meanPositive: number
  readonly meanNegative: number
}

/** Value and statistics of `triplet`. */
export interface TripletLoss {
  /** [1] */
  readonly loss: Tensor
  /** Reads the statistics; on a device this waits for the step so far. Valid until the tape ends. */
  stats(): TripletStats
}

/**
 * Hinge loss over picked negatives of clip × caption scores [n, n] (row = clip, pairs on the diagonal):
 * 1/n Σ_i (mean_a [S_ai - S_ii + margin]₊ + mean_t [S_it - S_ii + margin]₊). An anchor without a pick adds 0. The picks
 * carry no gradient.
 */
export function tripletFromPicks(
  tape: Tape,
  scores: Tensor,
  picks: TripletPicks,
  margin: number,
): TripletLoss {
  const [n, captions] = axes('scores of tripletFromPicks', scores, 'n', 'n')
  if (captions !== n) throw expected('shape [n, n]', 'scores of tripletFromPicks', show(scores.shape))
  const stats = tape.result([4], [])
  const gradScores = tape.alloc(scores.size)
  const { audio, text } = picks
  tape.backend.run('triplet', {
    scores: scores.buffer,
    audioOffsets: audio.offsets,
    audioIndex: audio.index,
    textOffsets: text.offsets,
    textIndex: text.index,
    gradScores,
    stats: stats.buffer,
    n,
    margin,
  })
  const loss = lossOf(tape, stats, [scores])
  recordLoss(tape, loss, [[scores, gradScores]])
  return {
    loss,
    stats() {
      const values = stats.toArray()
      return { loss: values[0]!, active: values[1]!, meanPositive: values[2]!, meanNegative: values[3]! }
    },
  }
}
