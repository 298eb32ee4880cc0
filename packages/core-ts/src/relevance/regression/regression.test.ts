import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Rng } from '../../base/index.js'
import { goldenRelevance } from '../../testing/golden-relevance.js'
import { type CalibrationType, calibrated, fitCalibration } from './calibration.js'
import { fitLogistic, linearPredictor, logistic } from './logistic.js'
import { publishedFunctions, relevanceOf, weightOf } from './published.js'

describe('against scipy and scikit-learn', () => {
  const { x, y, logistic: constants, at, isotonic } = goldenRelevance.regression

  test('logistic regression by least squares', () => {
    const found = fitLogistic(
      x.map((s) => [s]),
      y,
    )
    expect(found.intercept).toBeCloseTo(constants.b0, 4)
    expect(found.slopes[0]).toBeCloseTo(constants.b1, 4)
  })

  test('isotonic regression', () => {
    const curve = fitCalibration('isotonic', x, y)
    at.forEach((value, i) => expect(calibrated(curve, value)).toBeCloseTo(isotonic[i]!, 12))
  })
})

describe('logistic regression', () => {
  test('finds the constants that made the data, and gives what says nothing no slope', () => {
    const rng = new Rng(3, 'logistic')
    const rows = Array.from({ length: 400 }, () => [rng.uniform(), rng.uniform(), rng.uniform()])
    const made = { intercept: 2, slopes: [5, 0, 1.5] }
    const found = fitLogistic(
      rows,
      rows.map((s) => logistic(linearPredictor(made, s))),
    )
    expect(found.intercept).toBeCloseTo(2, 4)
    made.slopes.forEach((slope, j) => expect(found.slopes[j]).toBeCloseTo(slope, 3))
  })

  test('a similarity that speaks against relevance gets slope 0, never less', () => {
    const rows = Array.from({ length: 50 }, (_, i) => [i / 50])
    expect(
      fitLogistic(
        rows,
        rows.map(([s]) => 1 - s!),
      ).slopes[0],
    ).toBe(0)
    expect(() => fitLogistic([], [])).toThrow(/two pairs/)
  })
})

describe.each(['isotonic', 'spline'] as const)('%s calibration', (type: CalibrationType) => {
  const points = fc.array(
    fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
    {
      minLength: 1,
      maxLength: 40,
    },
  )

  test('never falls, stays in [0, 1], and is no worse than the mean', () => {
    fc.assert(
      fc.property(points, (pairs) => {
        const [x, y] = [pairs.map(([a]) => a), pairs.map(([, b]) => b)]
        const curve = fitCalibration(type, x, y)
        let before = 0
        for (let i = 0; i <= 50; i++) {
          const value = calibrated(curve, i / 50)
          expect(value).toBeGreaterThanOrEqual(before - 1e-9)
          expect(value).toBeLessThanOrEqual(1 + 1e-9)
          before = value
        }
        const mean = y.reduce((sum, value) => sum + value, 0) / y.length
        const error = (of: (at: number) => number) =>
          y.reduce((sum, value, i) => sum + (value - of(x[i]!)) ** 2, 0)
        expect(error((at) => calibrated(curve, at))).toBeLessThanOrEqual(error(() => mean) + 1e-3 * y.length)
      }),
    )
  })

  test('knots that lie close together are met', () => {
    const [x, y] = [
      [1.0000000000000002e-6, 0.9999999999530748, 0],
      [0.07171765115582973, 0, 0],
    ]
    const mean = (y[0]! + y[1]! + y[2]!) / 3
    const error = (of: (at: number) => number) =>
      y.reduce((sum, value, i) => sum + (value - of(x[i]!)) ** 2, 0)
    const curve = fitCalibration(type, x, y)
    expect(error((at) => calibrated(curve, at))).toBeLessThanOrEqual(error(() => mean) + 1e-9)
  })

  test('a curve that rises is found', () => {
    const x = Array.from({ length: 200 }, (_, i) => i / 199)
    const curve = fitCalibration(
      type,
      x,
      x.map((at) => at ** 2),
    )
    for (const at of [0.1, 0.4, 0.8]) expect(calibrated(curve, at)).toBeCloseTo(at ** 2, 1)
  })
})

describe('published functions (arXiv 2412.01356)', () => {
  test('relevance of a similarity', () => {
    for (const [s, r] of [
      [1, 0.864],
      [0.9, 0.801],
      [0.6, 0.5045],
      [0, 0.061],
    ] as const)
      expect(relevanceOf(publishedFunctions.rating, s)).toBeCloseTo(r, 3)
    expect(relevanceOf(publishedFunctions.logistic, 0.8)).toBeCloseTo(0.5, 12)
    expect(relevanceOf(publishedFunctions.logistic, 1)).toBeCloseTo(0.993, 3)
    expect(relevanceOf(publishedFunctions.threshold, 0.71)).toBe(0.71)
    expect(relevanceOf(publishedFunctions.threshold, 0.7)).toBe(0)
  })

  // Vectors from a linear congruential generator; the losses of a NumPy reference.
  test.each([
    ['rating', 9.662953, 7.955264],
    ['logistic', 9.727765, 8.020076],
    ['threshold', 9.654835, 7.947146],
  ] as const)('soft cross-entropy of %s', (name, toAudio, toText) => {
    const clips = meanUnit(lcg(1, 36), 4, 3, 3)
    const texts = meanUnit(lcg(7, 24), 4, 2, 3)
    const captions = meanUnit(lcg(11, 20), 4, 1, 5)
    const scores = clips.map((a) => texts.map((t) => dot(a, t) / 0.05))
    const weights = captions.map((a) => captions.map((b) => weightOf(publishedFunctions[name], dot(a, b))))
    const targets = weights.map((line) => line.map((w) => w / line.reduce((sum, x) => sum + x, 0)))
    const transposed = texts.map((_, j) => scores.map((line) => line[j]!))
    expect(crossEntropy(targets, transposed)).toBeCloseTo(toAudio, 5)
    expect(crossEntropy(targets, scores)).toBeCloseTo(toText, 5)
  })
})

function crossEntropy(targets: number[][], scores: number[][]): number {
  const lines = scores.map((line, i) => {
    const most = Math.max(...line)
    const log = most + Math.log(line.reduce((sum, s) => sum + Math.exp(s - most), 0))
    return -line.reduce((sum, s, j) => sum + targets[i]![j]! * (s - log), 0)
  })
  return lines.reduce((sum, x) => sum + x, 0) / lines.length
}

function lcg(seed: number, count: number): number[] {
  let x = BigInt(seed)
  return Array.from({ length: count }, () => {
    x = (1103515245n * x + 12345n) % 2n ** 31n
    return (Number(x) / 2 ** 31) * 2 - 1
  })
}

/** n vectors: the mean of `rows` unit vectors each, at unit length. */
function meanUnit(values: readonly number[], n: number, rows: number, cols: number): number[][] {
  const unit = (v: number[]) => v.map((x) => x / Math.sqrt(dot(v, v)))
  return Array.from({ length: n }, (_, i) => {
    const own = Array.from({ length: rows }, (_, r) =>
      unit(values.slice((i * rows + r) * cols, (i * rows + r + 1) * cols)),
    )
    return unit(own[0]!.map((_, d) => own.reduce((sum, v) => sum + v[d]! / rows, 0)))
  })
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, x, d) => sum + x * b[d]!, 0)
}
