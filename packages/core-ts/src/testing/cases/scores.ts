import type { HostArray } from '../../backend/port.js'
import { type AnyOpCase, aroundWidths, blank, type Draw, type OpCase, oracle, rounded } from './op-case.js'

interface FrameScoreShape {
  clips: number
  captions: number
  maxFrames: number
  maxWords: number
  d: number
  /** Put NaN where no frame or word is. */
  poison?: boolean
}

const reductions = [0, 1, 2] as const

function frameScoreInputs(draw: Draw, shape: FrameScoreShape) {
  const { clips, captions, maxFrames, maxWords, d, poison = false } = shape
  const frameLengths = draw.lengths(clips, maxFrames)
  const wordLengths = draw.lengths(captions, maxWords)
  const frames = draw.unitRows(clips * maxFrames, d)
  const words = draw.unitRows(captions * maxWords, d)
  if (poison) {
    frameLengths.forEach((t, i) => frames.fill(Number.NaN, (i * maxFrames + t) * d, (i + 1) * maxFrames * d))
    wordLengths.forEach((w, j) => words.fill(Number.NaN, (j * maxWords + w) * d, (j + 1) * maxWords * d))
  }
  return { frames, words, frameLengths, wordLengths, clips, captions, maxFrames, maxWords, d }
}

function frameScore(what: string, shape: FrameScoreShape): AnyOpCase[] {
  const { clips, captions, maxFrames, maxWords, d, poison } = shape
  const name = `${clips}×${captions}, ${maxFrames} frames × ${maxWords} words × ${d} ${what}`
  // Unit vectors of one dimension are all ±1: every maximum is a tie. Many values take finite differences too long.
  const smooth = !poison && d > 1 && d < 100
  return reductions.flatMap((reduction): [OpCase<'frame_score'>, ...OpCase<'frame_score_backward'>[]] => [
    {
      op: 'frame_score',
      name: `${name}, reduction ${reduction}`,
      args: (draw) => ({ ...frameScoreInputs(draw, shape), out: blank(clips * captions), reduction }),
      smooth,
    },
    {
      op: 'frame_score_backward',
      name: `${name}, reduction ${reduction}`,
      args: (draw) => ({
        ...frameScoreInputs(draw, shape),
        gradOut: draw.normal(clips * captions),
        gradFrames: blank(clips * maxFrames * d),
        gradWords: blank(captions * maxWords * d),
        reduction,
      }),
    },
    {
      op: 'frame_score_backward',
      name: `${name}, reduction ${reduction}, frames alone`,
      args: (draw) => ({
        ...frameScoreInputs(draw, shape),
        gradOut: draw.normal(clips * captions),
        gradFrames: blank(clips * maxFrames * d),
        gradWords: null,
        reduction,
      }),
    },
  ])
}

const frameScoreCases = [
  ...aroundWidths.flatMap((size) => [
    ...frameScore('frames', { clips: 3, captions: 2, maxFrames: size, maxWords: 3, d: 5 }),
    ...frameScore('words', { clips: 2, captions: 3, maxFrames: 4, maxWords: size, d: 5 }),
    ...frameScore('depth', { clips: 2, captions: 3, maxFrames: 4, maxWords: 3, d: size }),
  ]),
  ...[0, 1, 5].flatMap((size) => [
    ...frameScore('clips', { clips: size, captions: 3, maxFrames: 4, maxWords: 3, d: 4 }),
    ...frameScore('captions', { clips: 3, captions: size, maxFrames: 4, maxWords: 3, d: 4 }),
  ]),
  ...frameScore('beyond one block', { clips: 5, captions: 6, maxFrames: 130, maxWords: 21, d: 60 }),
  ...frameScore('deeper than one block', { clips: 2, captions: 3, maxFrames: 5, maxWords: 4, d: 700 }),
  ...frameScore('all ties', { clips: 3, captions: 3, maxFrames: 70, maxWords: 20, d: 1 }),
  ...frameScore('NaN in the padding', {
    clips: 4,
    captions: 5,
    maxFrames: 17,
    maxWords: 9,
    d: 20,
    poison: true,
  }),
]

/** Frame or word vectors that are not numbers: their pairs must show it under every reduction. */
const notNumbers = reductions.flatMap((reduction) =>
  [0, 5, 40].map((at): OpCase<'frame_score'> => ({
    op: 'frame_score',
    name: `NaN in frame ${at} and word ${at % 7}, reduction ${reduction}`,
    args: (draw) => {
      const shape = { clips: 3, captions: 4, maxFrames: 41, maxWords: 7, d: 6 }
      const inputs = frameScoreInputs(draw, shape)
      inputs.frames[(2 * shape.maxFrames + at) * shape.d] = Number.NaN
      inputs.words[(3 * shape.maxWords + (at % 7)) * shape.d + 1] = Number.NaN
      inputs.frameLengths.fill(shape.maxFrames)
      inputs.wordLengths.fill(shape.maxWords)
      return { ...inputs, out: blank(shape.clips * shape.captions), reduction }
    },
    smooth: false,
  })),
)

/** More partial results than are kept at once; nearly all captions are empty. */
const manyPairs: OpCase<'frame_score'> = {
  op: 'frame_score',
  name: '520×512, few words',
  args: (draw) => {
    const shape = { clips: 520, captions: 512, maxFrames: 2, maxWords: 1, d: 3 }
    const inputs = frameScoreInputs(draw, shape)
    inputs.wordLengths.fill(0)
    for (let j = 3; j < shape.captions; j += 100) inputs.wordLengths[j] = 1
    return { ...inputs, out: blank(shape.clips * shape.captions), reduction: 0 }
  },
  smooth: false,
}

type Bits = 8 | 16 | 32

/** What quantize makes of items; nothing of 32 bits. */
export function narrowed(x: HostArray, rows: number, cols: number, bits: Bits) {
  if (bits === 32) return { narrow: null, scales: null, bits }
  const narrow = new Int32Array(rows * Math.floor((cols * bits + 31) / 32))
  const scales = new Float64Array(rows * 2)
  oracle.run('quantize', { x, out: narrow, scales, rows, cols, bits })
  return { narrow, scales: rounded(scales), bits }
}

function quantize(what: string, rows: number, cols: number, scale = 1): OpCase<'quantize'>[] {
  return ([8, 16] as const).map((bits) => ({
    op: 'quantize',
    name: `${rows}×${cols} to ${bits} bits ${what}`,
    args: (draw) => {
      const x = draw.normal(rows * cols, scale)
      if (cols > 2 && rows > 4) {
        x.fill(0, 0, cols) // a row of zeros, one of one number, two that are not finite
        x.fill(0, cols + 1, 2 * cols)
        x[2 * cols + 1] = Number.NaN
        x[4 * cols - 1] = -Infinity
      }
      const words = Math.floor((cols * bits + 31) / 32)
      return {
        ...{ x, out: new Int32Array(rows * words).fill(-7), scales: blank(rows * 2) },
        ...{ rows, cols, bits },
      }
    },
  }))
}

const quantizeCases = [
  ...aroundWidths.flatMap((size) => [...quantize('values', 5, size), ...quantize('rows', size, 6)]),
  ...quantize('beyond one piece of work', 70, 300),
  ...quantize('near the smallest', 6, 20, 1e-10),
  ...quantize('near the largest', 6, 20, 1e10),
  ...quantize('beyond the largest', 6, 20, 1e12),
]

interface TopKShape {
  q: number
  n: number
  d: number
  k: number
  /** Values -2 … 2, so that sums are exact and ties are real. */
  coarse?: boolean
  /** Every third item scores NaN, every fifth -∞. */
  broken?: boolean
  bits?: Bits
}

function topK(what: string, shape: TopKShape): OpCase<'top_k'> {
  const { q, n, d, k, coarse = false, broken = false, bits = 32 } = shape
  const drawn = (draw: Draw, length: number): Float64Array =>
    coarse ? Float64Array.from(draw.indices(length, 5), (v) => v - 2) : draw.normal(length)
  return {
    op: 'top_k',
    name: `${q} queries, ${n} items × ${d}, k ${k} ${what}${bits < 32 ? `, ${bits} bits` : ''}`,
    args: (draw) => {
      const queries = drawn(draw, q * d)
      const items = drawn(draw, n * d)
      if (broken) {
        for (let i = 0; i < q; i++) queries[i * d] = 1
        for (let j = 0; j < n; j += 5) items[j * d] = -Infinity
        for (let j = 0; j < n; j += 3) items[j * d] = Number.NaN
      }
      return {
        ...{ queries, items, ...narrowed(items, n, d, bits), q, n, d, k },
        outIndices: new Int32Array(q * k).fill(-7),
        outScores: blank(q * k),
      }
    },
  }
}

const topKCases = [
  ...aroundWidths.flatMap((size) => [
    topK('queries', { q: size, n: 20, d: 6, k: 4 }),
    topK('items', { q: 3, n: size, d: 6, k: 4 }),
    topK('depth', { q: 3, n: 20, d: size, k: 4 }),
    topK('kept', { q: 3, n: 20, d: 6, k: size }),
    topK('with ties', { q: 5, n: size, d: 3, k: 9, coarse: true }),
  ]),
  topK('with many ties', { q: 4, n: 3000, d: 3, k: 50, coarse: true }),
  topK('beyond one block', { q: 40, n: 3000, d: 70, k: 17 }),
  topK('deeper than one block', { q: 6, n: 40, d: 700, k: 5 }),
  topK('deeper than one block', { q: 40, n: 131, d: 900, k: 5 }),
  topK('many queries, several parts', { q: 40, n: 9000, d: 4, k: 60, coarse: true }),
  topK('many queries, several parts, NaN and -∞ left out', { q: 17, n: 9000, d: 3, k: 20, broken: true }),
  topK('many queries, several parts, NaN and -∞ last', { q: 5, n: 9000, d: 3, k: 8800, broken: true }),
  topK('beyond one block of queries', { q: 300, n: 280, d: 5, k: 3, coarse: true }),
  topK('few queries, several parts', { q: 3, n: 9000, d: 4, k: 60, coarse: true }),
  topK('all of several parts', { q: 2, n: 4500, d: 3, k: 4600, coarse: true }),
  ...([8, 16] as const).flatMap((bits) => [
    ...aroundWidths.flatMap((size) => [
      topK('depth', { q: 3, n: 20, d: size, k: 4, bits }),
      topK('queries', { q: size, n: 20, d: 6, k: 4, bits }),
      topK('with ties', { q: 4, n: size, d: 3, k: 9, coarse: true, bits }),
    ]),
    topK('several parts', { q: 1, n: 9000, d: 20, k: 10, bits }),
    topK('several parts', { q: 2, n: 9000, d: 37, k: 60, bits }),
    topK('the best among many alike', { q: 3, n: 3000, d: 3, k: 50, coarse: true, bits }),
    topK('NaN and -∞ last', { q: 3, n: 50, d: 3, k: 50, broken: true, bits }),
    topK('NaN and -∞ left out', { q: 4, n: 50, d: 3, k: 20, broken: true, bits }),
  ]),
  topK('NaN and -∞ last', { q: 3, n: 50, d: 3, k: 50, broken: true }),
  topK('NaN and -∞ left out', { q: 7, n: 50, d: 3, k: 20, broken: true }),
]

export const scoreCases: readonly AnyOpCase[] = [
  ...frameScoreCases,
  ...notNumbers,
  manyPairs,
  ...quantizeCases,
  ...topKCases,
]
