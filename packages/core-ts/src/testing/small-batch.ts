import { matrix, type Matrix } from '../base/matrix.js'

/** Linear congruential numbers in [-1, 1): x ← (1103515245·x + 12345) mod 2³¹, the same in every language. */
export function lcg(seed: number, length: number): Float64Array {
  let x = BigInt(seed)
  return Float64Array.from({ length }, () => {
    x = (1103515245n * x + 12345n) & 0x7fffffffn
    return (Number(x) / 2 ** 31) * 2 - 1
  })
}

function unitRows(values: Float64Array, width: number): Float64Array {
  for (let start = 0; start < values.length; start += width) {
    const vector = values.subarray(start, start + width)
    const norm = Math.hypot(...vector)
    for (let k = 0; k < width; k++) vector[k]! /= norm
  }
  return values
}

/**
 * Four pairs of three-frame clips and two-word captions in three dimensions, pairs 0 and 2 of one clip, with scores,
 * negatives and losses computed independently in NumPy.
 */
export const smallBatch = {
  n: 4,
  frames: 3,
  words: 2,
  d: 3,
  groups: Int32Array.of(0, 1, 0, 2),
  /** [4 × 3 × 3] and [4 × 2 × 3], unit vectors */
  audio: () => unitRows(lcg(1, 36), 3),
  text: () => unitRows(lcg(7, 24), 3),
  /** mean of max(0, frame · word), clips × captions */
  audioText: square([
    0.450465, 0.140845, 0.136032, 0.371513, 0.134212, 0.321242, 0.244067, 0.239431, 0.167671, 0.142945,
    0.169211, 0.051131, 0.144804, 0.344005, 0.218292, 0.092596,
  ]),
  /** the same within captions; the diagonal is not looked at */
  textText: square([
    0.5, 0.223971, 0.304527, 0.292856, 0.223971, 0.5, 0.425855, 0.225557, 0.304527, 0.425855, 0.5, 0.191688,
    0.292856, 0.225557, 0.191688, 0.5,
  ]),
  audioAudio: square([
    0.5, 0.147051, 0.140619, 0.076528, 0.147051, 0.5, 0.2537, 0.365579, 0.140619, 0.2537, 0.5, 0.425465,
    0.076528, 0.365579, 0.425465, 0.5,
  ]),
  margin: 0.5,
  /** [audio, text] negative of each anchor, and the triplet loss with them */
  strategies: {
    'full-batch': { picks: null, loss: 0.882109 },
    'semi-hard': { picks: { audio: [3, 3, 3, 2], text: [3, 2, 1, 0] }, loss: 0.898633 },
    hard: { picks: { audio: [3, 3, 1, 0], text: [3, 2, 1, 1] }, loss: 1.034972 },
    'easy-text': { picks: { audio: [1, 0, 3, 2], text: [1, 0, 3, 2] }, loss: 0.755483 },
    'hard-text': { picks: { audio: [3, 2, 1, 0], text: [3, 2, 1, 0] }, loss: 0.934907 },
    'easy-audio': { picks: { audio: [3, 0, 1, 0], text: [3, 0, 1, 0] }, loss: 0.906918 },
    'hard-audio': { picks: { audio: [1, 3, 3, 2], text: [1, 3, 3, 2] }, loss: 0.832578 },
  },
  /** of the normalised mean vectors, τ = 0.07, same-clip items left out, both directions summed */
  infoNce: { temperature: 0.07, loss: 12.601156 },
} as const

function square(values: number[]): Matrix {
  const n = Math.sqrt(values.length)
  return matrix(n, n, Float32Array.from(values))
}
