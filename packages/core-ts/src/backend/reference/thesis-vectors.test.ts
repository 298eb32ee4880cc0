import { describe, expect, test } from 'vitest'
import { referenceBackend } from './index.js'

/**
 * The golden vectors of the thesis methods that belong to ops: 4 clips of 3 frames, 4 captions of 2 words, 3 dimensions,
 * items 0 and 2 of one clip.
 */
const backend = referenceBackend({ precision: 'float64' })
const n = 4
const d = 3
const audio = unitRows(lcg(1, n * 3 * d), d)
const words = unitRows(lcg(7, n * 2 * d), d)
const groups = Int32Array.of(0, 1, 0, 2)

describe('frame × word scores', () => {
  test('clip against caption', () => {
    expectClose(
      frameScores(audio, 3, words, 2),
      [
        0.450465, 0.140845, 0.136032, 0.371513, 0.134212, 0.321242, 0.244067, 0.239431, 0.167671, 0.142945,
        0.169211, 0.051131, 0.144804, 0.344005, 0.218292, 0.092596,
      ],
    )
  })

  test('caption against caption and clip against clip', () => {
    const text = frameScores(words, 2, words, 2)
    const clips = frameScores(audio, 3, audio, 3)
    const above = [1, 2, 3, 6, 7, 11]
    expectClose(
      above.map((at) => text[at]!),
      [0.223971, 0.304527, 0.292856, 0.425855, 0.225557, 0.191688],
    )
    expectClose(
      above.map((at) => clips[at]!),
      [0.147051, 0.140619, 0.076528, 0.2537, 0.365579, 0.425465],
    )
    expectClose(
      [0, 5, 10, 15].map((at) => text[at]!),
      [0.5, 0.5, 0.5, 0.5],
    )
  })
})

describe('triplet loss with picked negatives, margin 0.5', () => {
  const negativesOf = (i: number): number[] => [0, 1, 2, 3].filter((j) => groups[j] !== groups[i])
  const tied = (picks: number[]): number[][] => picks.map((pick) => [pick])
  test.each([
    ['full batch', 0.882109, [0, 1, 2, 3].map(negativesOf), [0, 1, 2, 3].map(negativesOf)],
    ['semi-hard', 0.898633, tied([3, 3, 3, 2]), tied([3, 2, 1, 0])],
    ['hard', 1.034972, tied([3, 3, 1, 0]), tied([3, 2, 1, 1])],
    ['easy text', 0.755483, tied([1, 0, 3, 2]), tied([1, 0, 3, 2])],
    ['hard text', 0.934907, tied([3, 2, 1, 0]), tied([3, 2, 1, 0])],
    ['easy audio', 0.906918, tied([3, 0, 1, 0]), tied([3, 0, 1, 0])],
    ['hard audio', 0.832578, tied([1, 3, 3, 2]), tied([1, 3, 3, 2])],
  ])('%s', (_, loss, audioPicks, textPicks) => {
    const stats = new Float64Array(4)
    backend.run('triplet', {
      scores: Float64Array.from(frameScores(audio, 3, words, 2)),
      ...csr('audio', audioPicks),
      ...csr('text', textPicks),
      gradScores: new Float64Array(n * n),
      stats,
      n,
      margin: 0.5,
    })
    expectClose([stats[0]!], [loss])
  })
})

test('InfoNCE of mean vectors, temperature 0.07, items of one clip left out', () => {
  const stats = new Float64Array(4)
  backend.run('info_nce', {
    audio: unitRows(means(audio, 3), d),
    text: unitRows(means(words, 2), d),
    groups,
    excludeOffsets: null,
    excludeIndex: null,
    logTemperature: Float64Array.of(Math.log(0.07)),
    gradAudio: new Float64Array(n * d),
    gradText: new Float64Array(n * d),
    gradLogTemperature: null,
    stats,
    n,
    d,
    positives: 0,
  })
  expectClose([stats[0]!], [12.601156])
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
  maxFrames: number,
  queries: Float64Array,
  maxWords: number,
): Float64Array {
  const out = new Float64Array(n * n)
  backend.run('frame_score', {
    frames,
    words: queries,
    frameLengths: new Int32Array(n).fill(maxFrames),
    wordLengths: new Int32Array(n).fill(maxWords),
    out,
    clips: n,
    captions: n,
    maxFrames,
    maxWords,
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

/** x ← (1103515245·x + 12345) mod 2³¹, value 2x/2³¹ - 1. */
function lcg(seed: number, length: number): Float64Array {
  let x = BigInt(seed)
  return Float64Array.from({ length }, () => {
    x = (1103515245n * x + 12345n) % 2147483648n
    return (Number(x) / 2147483648) * 2 - 1
  })
}

function unitRows(x: Float64Array, cols: number): Float64Array {
  const rows = x.length / cols
  const out = new Float64Array(x.length)
  backend.run('l2_normalize', { x, out, norms: new Float64Array(rows), rows, cols, eps: 1e-12 })
  return out
}

function means(x: Float64Array, t: number): Float64Array {
  const out = new Float64Array(n * d)
  backend.run('masked_mean', { x, lengths: new Int32Array(n).fill(t), out, n, t, c: d })
  return out
}

function expectClose(got: ArrayLike<number>, wanted: readonly number[]): void {
  expect(got.length).toBe(wanted.length)
  wanted.forEach((value, i) =>
    expect(Math.abs(got[i]! - value), `element ${i}: ${got[i]}`).toBeLessThan(1e-6),
  )
}
