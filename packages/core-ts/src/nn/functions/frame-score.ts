import { expected } from '../../base/errors.js'
import type { Tape } from '../tape.js'
import type { Tensor } from '../tensor.js'
import { assertLengths, axes, show } from './shapes.js'

/**
 * How the ReLU'd frame × word products of one pair become one score: STSQ their mean; MTSQ the maximum over frames,
 * then the mean over words; MQST the maximum over words, then the mean over frames.
 */
export type FrameScoreReduction = 'STSQ' | 'MTSQ' | 'MQST'

/** Options of {@link frameScore}. */
export interface FrameScoreOptions {
  /** [clips] true frames of each clip; padding never counts. */
  frameLengths: Int32Array
  /** [captions] true words of each caption. */
  wordLengths: Int32Array
  /** Default 'STSQ'. */
  reduction?: FrameScoreReduction
}

const reductions: readonly FrameScoreReduction[] = ['STSQ', 'MTSQ', 'MQST']

/**
 * Scores of every clip against every caption from max(0, frame · word) over their true lengths (Xie et al., ICASSP 2022,
 * arXiv 2110.02939): frames [clips, t, d] and words [captions, w, d] → [clips, captions]. A pair without a frame or a
 * word scores 0.
 */
export function frameScore(tape: Tape, frames: Tensor, words: Tensor, options: FrameScoreOptions): Tensor {
  const { frameLengths, wordLengths, reduction: name = 'STSQ' } = options
  const [clips, maxFrames, d] = axes('frames of frameScore', frames, 'clips', 't', 'd')
  const [captions, maxWords, dOfWords] = axes('words of frameScore', words, 'captions', 'w', 'd')
  if (d !== dOfWords) throw expected(`shape [captions, w, ${d}]`, 'words of frameScore', show(words.shape))
  assertLengths('frameLengths of frameScore', frameLengths, clips, maxFrames)
  assertLengths('wordLengths of frameScore', wordLengths, captions, maxWords)
  const reduction = reductions.indexOf(name)
  if (reduction < 0) throw expected(`one of ${reductions.join(', ')}`, 'reduction of frameScore', name)

  const sizes = { clips, captions, maxFrames, maxWords, d, reduction }
  const inputs = { frames: frames.buffer, words: words.buffer, frameLengths, wordLengths }
  const out = tape.result([clips, captions], [frames, words])
  tape.backend.run('frame_score', { ...inputs, out: out.buffer, ...sizes })
  tape.record(out, (gradOut) => {
    const gradFrames = tape.gradientFor(frames)
    const gradWords = tape.gradientFor(words)
    tape.backend.run('frame_score_backward', { ...inputs, gradOut, gradFrames, gradWords, ...sizes })
    tape.accumulate(frames, gradFrames)
    tape.accumulate(words, gradWords)
  })
  return out
}
