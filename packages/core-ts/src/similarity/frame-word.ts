import { expected } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import { frameScore, type FrameScoreReduction } from '../nn/functions/index.js'
import type { Tape } from '../nn/tape.js'
import type { Tensor } from '../nn/tensor.js'
import {
  asSequence,
  countedLengths,
  type EmbeddedBatch,
  type Padding,
  paddingSchema,
} from './embedded-batch.js'
import { detached, type Similarity, similarityPart } from './similarity.js'

const reductions = ['STSQ', 'MTSQ', 'MQST'] as const satisfies readonly FrameScoreReduction[]

/** Options of {@link frameWord}. */
export interface FrameWordOptions {
  /** STSQ mean over all frames and words; MTSQ maximum over frames; MQST maximum over words. Default STSQ. */
  reduction?: FrameScoreReduction
  /** Default 'masked'. */
  padding?: Padding
}

/**
 * Score of a pair from max(0, frame · word) over all its frames and words (Xie et al., ICASSP 2022, arXiv 2110.02939),
 * in [0, 1]. Within one modality the score is always the mean over all products, as in the negative-sampling paper.
 */
export function frameWord(given: FrameWordOptions = {}): Similarity {
  const { reduction = 'STSQ', padding = 'masked' } = checkOptions(given, 'frameWord')
  if (!reductions.includes(reduction))
    throw expected(`one of ${reductions.join(', ')}`, 'reduction', reduction)
  const score = (tape: Tape, a: EmbeddedBatch, b: EmbeddedBatch, how: FrameScoreReduction): Tensor => {
    const frames = asSequence(tape, a)
    const words = asSequence(tape, b)
    return frameScore(tape, frames.values, words.values, {
      frameLengths: countedLengths(frames, padding),
      wordLengths: countedLengths(words, padding),
      reduction: how,
    })
  }
  return {
    name: reduction,
    config: { kind: 'frame-word', reduction, padding },
    get masked() {
      return padding === 'masked' ? this : frameWord({ reduction })
    },
    prepare: (_, side) => side,
    score: (tape, audio, text) => score(tape, audio, text, reduction),
    within: (side) => detached(side, (tape, embedded) => score(tape, embedded, embedded, 'STSQ')),
  }
}

export const frameWordPart = similarityPart({
  name: 'frame-word',
  description: 'Every frame of the clip against every word of the caption.',
  schema: {
    properties: {
      reduction: {
        enum: reductions,
        default: 'STSQ',
        description:
          'Mean over frames and words (STSQ), maximum over frames (MTSQ) or maximum over words (MQST).',
      },
      padding: paddingSchema,
    },
  },
  fromConfig: frameWord,
})
