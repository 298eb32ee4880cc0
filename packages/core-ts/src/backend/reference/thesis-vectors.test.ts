import { describe, expect, test } from 'vitest'
import { smallBatch } from '../../testing/small-batch.js'
import { referenceBackend } from './index.js'

/** The golden vectors of the thesis methods that belong to ops, computed independently in NumPy. */
const backend = referenceBackend({ precision: 'float64' })
const { n, d, frames: maxFrames, words: maxWords, groups } = smallBatch
const audio = smallBatch.audio()
const words = smallBatch.text()

test('frame × word scores: clip against caption, within captions, within clips (diagonal not given)', () => {
  expectClose(frameScores(audio, maxFrames, words, maxWords), smallBatch.audioText.data)
  expectClose(frameScores(words, maxWords, words, maxWords), smallBatch.textText.data)
  const withinClips = frameScores(audio, maxFrames, audio, maxFrames)
  for (let i = 0; i < n; i++) withinClips[i * n + i] = smallBatch.audioAudio.data[i * n + i]!
  expectClose(withinClips, smallBatch.audioAudio.data)
})

describe('triplet loss with picked negatives', () => {
  const others = Array.from(groups, (own) => [0, 1, 2, 3].filter((j) => groups[j] !== own))
  test.each(Object.entries(smallBatch.strategies))('%s', (_, { picks, loss }) => {
    const stats = new Float64Array(4)
    backend.run('triplet', {
      scores: frameScores(audio, maxFrames, words, maxWords),
      ...csr('audio', picks?.audio.map((pick) => [pick]) ?? others),
      ...csr('text', picks?.text.map((pick) => [pick]) ?? others),
      gradScores: new Float64Array(n * n),
      stats,
      n,
      margin: smallBatch.margin,
    })
    expectClose(stats.subarray(0, 1), [loss])
  })
})

test('InfoNCE of mean vectors, items of one clip left out', () => {
  const stats = new Float64Array(4)
  backend.run('info_nce', {
    audio: unitRows(means(audio, maxFrames)),
    text: unitRows(means(words, maxWords)),
    groups,
    excludeOffsets: null,
    excludeIndex: null,
    ...{ targets: null, targetOffsets: null, targetIndex: null, targetWeights: null },
    logTemperature: Float64Array.of(Math.log(smallBatch.infoNce.temperature)),
    gradAudio: new Float64Array(n * d),
    gradText: new Float64Array(n * d),
    gradLogTemperature: null,
    stats,
    n,
    d,
    ...{ positives: 0, hard: 1, toText: 1, toAudio: 1 },
  })
  expectClose(stats.subarray(0, 1), [smallBatch.infoNce.loss])
})

test('LPPool of power 4 over 2 × 4 windows', () => {
  const x = Float64Array.from({ length: 16 }, (_, i) => (i + 1) / 10)
  const out = new Float64Array(2)
  backend.run('lp_pool', { x, out, n: 1, h: 2, w: 8, c: 1, kh: 2, kw: 4, p: 4 })
  expectClose(out, [1.512199, 2.092059])
})

test('linear up-sampling from 3 to 10 frames', () => {
  const out = new Float64Array(10)
  backend.run('interpolate', { x: Float64Array.of(1, 2, 4), out, n: 1, l: 3, t: 10, c: 1 })
  expectClose(out, [1, 1, 1.25, 1.55, 1.85, 2.3, 2.9, 3.5, 4, 4])
})

function frameScores(
  frames: Float64Array,
  framesEach: number,
  queries: Float64Array,
  wordsEach: number,
): Float64Array {
  const out = new Float64Array(n * n)
  backend.run('frame_score', {
    frames,
    words: queries,
    frameLengths: new Int32Array(n).fill(framesEach),
    wordLengths: new Int32Array(n).fill(wordsEach),
    out,
    clips: n,
    captions: n,
    maxFrames: framesEach,
    maxWords: wordsEach,
    d,
    reduction: 0,
  })
  return out
}

function csr<P extends 'audio' | 'text'>(prefix: P, lists: readonly (readonly number[])[]) {
  const offsets = Int32Array.of(0, ...lists.map((_, i) => lists.slice(0, i + 1).flat().length))
  return { [`${prefix}Offsets`]: offsets, [`${prefix}Index`]: Int32Array.from(lists.flat()) } as {
    [K in `${P}${'Offsets' | 'Index'}`]: Int32Array
  }
}

function unitRows(x: Float64Array): Float64Array {
  const out = new Float64Array(x.length)
  const norms = new Float64Array(x.length / d)
  backend.run('l2_normalize', { x, out, norms, rows: norms.length, cols: d, eps: 1e-12 })
  return out
}

function means(x: Float64Array, t: number): Float64Array {
  const out = new Float64Array(n * d)
  backend.run('masked_mean', { x, lengths: new Int32Array(n).fill(t), out, n, t, c: d })
  return out
}

function expectClose(got: ArrayLike<number>, wanted: ArrayLike<number>): void {
  expect(got.length).toBe(wanted.length)
  Array.from(wanted).forEach((value, i) =>
    expect(Math.abs(got[i]! - value), `element ${i}: ${got[i]}`).toBeLessThan(1e-6),
  )
}
