import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matrix, row } from '../base/matrix.js'
import { Rng } from '../base/rng.js'
import { calibrationAt, fitTemperature, softmaxRows } from './calibration.js'

describe('shares', () => {
  it('sum to 1 and keep the order of the scores', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: -1, max: 1, noNaN: true }), { minLength: 2, maxLength: 8 }),
        fc.double({ min: 0.01, max: 10, noNaN: true }),
        (scores, temperature) => {
          const shares = row(softmaxRows(matrix(1, scores.length, Float32Array.from(scores)), temperature), 0)
          expect(shares.reduce((a, b) => a + b)).toBeCloseTo(1, 4)
          for (const [i, a] of scores.entries())
            for (const [j, b] of scores.entries())
              if (a > b) expect(shares[i]!).toBeGreaterThanOrEqual(shares[j]!)
        },
      ),
    )
    expect(() => softmaxRows(matrix(1, 2), 0)).toThrow(/above 0 for temperature/)
  })
})

describe('a temperature', () => {
  /** Labels drawn with the shares that scores give at a known temperature. */
  const drawn = (temperature: number) => {
    const rng = new Rng(3, 'calibration')
    const scores = matrix(
      4000,
      5,
      Float32Array.from({ length: 20_000 }, () => rng.normal()),
    )
    const shares = softmaxRows(scores, temperature)
    const labels = Array.from({ length: 4000 }, (_, r) => {
      let rest = rng.uniform()
      const at = row(shares, r).findIndex((share) => (rest -= share) < 0)
      return at < 0 ? 4 : at
    })
    return { scores, labels }
  }
  it('is found again, and none beside it has a lower loss', () => {
    for (const temperature of [0.3, 1, 2]) {
      const { scores, labels } = drawn(temperature)
      const found = fitTemperature(scores, labels)
      expect(found.temperature / temperature).toBeGreaterThan(0.9)
      expect(found.temperature / temperature).toBeLessThan(1.1)
      for (const factor of [0.9, 0.99, 1.01, 1.1])
        expect(calibrationAt(scores, labels, factor * found.temperature).loss).toBeGreaterThan(found.loss)
      expect(found.error).toBeLessThan(0.03)
      expect(calibrationAt(scores, labels, temperature / 5).error).toBeGreaterThan(0.1)
    }
  })
  it('needs labels that there are', () => {
    expect(() => fitTemperature(matrix(2, 2), [0, 2])).toThrow(/column below 2/)
    expect(() => fitTemperature(matrix(2, 2), [0])).toThrow(/label for each of the 2 items/)
  })
})
