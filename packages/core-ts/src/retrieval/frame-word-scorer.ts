import { openBackend } from '../backend/open.js'
import type { Backend, FloatBuffer } from '../backend/port.js'
import { expected, matrix, SonotextError, transpose, type Matrix } from '../base/index.js'
import { checkOptions } from '../base/options.js'
import type { FrameScoreReduction } from '../nn/functions/index.js'
import type { Scorer } from './scorer.js'

/** Options of {@link clipScorer}. */
export interface FrameWordScorerOptions {
  /** STSQ mean over all frames and words; MTSQ maximum over frames; MQST maximum over words. Default STSQ. */
  readonly reduction?: FrameScoreReduction
  readonly backend?: Backend
}

const reductions = ['STSQ', 'MTSQ', 'MQST'] as const

/** Clips as items (frames × d each), captions as queries (words × d each): text → audio by frame×word score. */
export function clipScorer(clips: readonly Matrix[], options: FrameWordScorerOptions = {}): Scorer<Matrix> {
  checkOptions(options, 'clipScorer')
  return frameWordScorer(clips, 'clips', options)
}

/** Captions as items (words × d each), clips as queries (frames × d each): audio → text by frame×word score. */
export function captionScorer(
  captions: readonly Matrix[],
  options: FrameWordScorerOptions = {},
): Scorer<Matrix> {
  checkOptions(options, 'captionScorer')
  return frameWordScorer(captions, 'captions', options)
}

function frameWordScorer(
  items: readonly Matrix[],
  side: 'clips' | 'captions',
  { reduction = 'STSQ', backend = openBackend() }: FrameWordScorerOptions,
): Scorer<Matrix> {
  const code = reductions.indexOf(reduction)
  if (code < 0) throw expected(`one of ${reductions.join(', ')}`, 'reduction', reduction)
  const d = checkSequences(items, undefined, side)
  return {
    size: items.length,
    async score(queries, first, count, options) {
      checkSequences(queries, d, 'queries')
      const block = pad(items.slice(first, first + count), d ?? queries[0]?.cols ?? 1)
      const asked = pad(queries, block.d)
      const [frames, words] = side === 'clips' ? [block, asked] : [asked, block]
      const { memory } = backend
      const held: FloatBuffer[] = []
      const send = (data: Float32Array) => {
        const buffer = memory.alloc(data.length)
        held.push(buffer)
        memory.upload(data, buffer)
        return buffer
      }
      try {
        const out = memory.alloc(frames.n * words.n)
        held.push(out)
        await backend.runAsync(
          'frame_score',
          {
            frames: send(frames.data),
            words: send(words.data),
            frameLengths: frames.lengths,
            wordLengths: words.lengths,
            out,
            clips: frames.n,
            captions: words.n,
            maxFrames: frames.longest,
            maxWords: words.longest,
            d: block.d,
            reduction: code,
          },
          options,
        )
        const scores = Float32Array.from(memory.download(out))
        return side === 'captions'
          ? matrix(queries.length, count, scores)
          : transpose(matrix(count, queries.length, scores))
      } finally {
        for (const buffer of held) memory.free(buffer)
      }
    },
  }
}

/** The common dimension. Throws when sequences differ in it or hold numbers that are not finite. */
function checkSequences(
  sequences: readonly Matrix[],
  dim: number | undefined,
  name: string,
): number | undefined {
  for (const [i, sequence] of sequences.entries()) {
    dim ??= sequence.cols
    if (sequence.cols !== dim) throw expected(`vectors of ${dim} numbers`, `${name}[${i}]`, sequence.cols)
    let sum = 0
    for (const value of sequence.data) sum += value * 0
    if (sum !== 0) throw new SonotextError('INVALID_DATA', `Expected finite numbers for ${name}[${i}].`)
  }
  return dim
}

function pad(sequences: readonly Matrix[], d: number) {
  const longest = sequences.reduce((most, { rows }) => Math.max(most, rows), 1)
  const data = new Float32Array(sequences.length * longest * d)
  sequences.forEach((sequence, i) => data.set(sequence.data, i * longest * d))
  return { n: sequences.length, longest, d, data, lengths: Int32Array.from(sequences, ({ rows }) => rows) }
}
