import { describe, expect, test } from 'vitest'
import { activeSegments, crest, level, occurrences } from './activity.js'

const rate = 8000

/** Bursts of a 440 Hz tone: [onset, length, amplitude] in seconds, over a noise floor of the given amplitude. */
function bursts(
  seconds: number,
  list: readonly (readonly [number, number, number])[],
  floor = 0,
): Float32Array {
  const x = new Float32Array(seconds * rate)
  for (let i = 0; i < x.length; i++) x[i] = floor * (((i * 7919) % 1000) / 500 - 1)
  for (const [onset, length, amplitude] of list) {
    const from = Math.round(onset * rate)
    for (let i = 0; i < length * rate; i++)
      x[from + i]! += amplitude * Math.sin((2 * Math.PI * 440 * i) / rate)
  }
  return x
}

describe('activeSegments', () => {
  test('finds bursts to within a frame and bridges short pauses', () => {
    const x = bursts(3, [[0.5, 0.3, 0.5], [1, 0.2, 0.3], [2, 0.5, 0.5]]) // prettier-ignore
    const near = (value: number): number => expect.closeTo(value, 1) as number
    expect(activeSegments(x, rate)).toEqual([
      { onset: near(0.5), offset: near(1.2) },
      { onset: near(2), offset: near(2.5) },
    ])
    expect(activeSegments(x, rate, { gap: 0.1 })).toHaveLength(3)
  })

  test('what is far below the loudest part, or below the floor, is silence', () => {
    const x = bursts(2, [[0.2, 0.3, 0.5], [1, 0.3, 0.003]]) // prettier-ignore
    expect(activeSegments(x, rate)).toHaveLength(1)
    expect(activeSegments(x, rate, { below: 50 })).toHaveLength(2)
    expect(activeSegments(bursts(1, [[0, 1, 0.0005]]), rate)).toEqual([])
    expect(activeSegments(new Float32Array(rate), rate)).toEqual([])
    expect(activeSegments(new Float32Array(0), rate)).toEqual([])
  })

  test('ends with the recording and drops clicks shorter than asked', () => {
    expect(activeSegments(bursts(1.125, [[0.5, 0.625, 0.5]]), rate)[0]!.offset).toBeCloseTo(1.125, 3)
    expect(activeSegments(bursts(1, [[0.5, 0.01, 0.5]]), rate)).toEqual([])
  })
})

describe('occurrences', () => {
  test('separate barks over noise are counted one by one', () => {
    const x = bursts(3, [[0.3, 0.2, 0.5], [0.8, 0.2, 0.4], [1.5, 0.25, 0.5], [2.4, 0.2, 0.06]], 0.004) // prettier-ignore
    const found = occurrences(x, rate, [0.08, 0.9])
    // The last one is 18 dB weaker: heard from afar, not counted.
    expect(found).toHaveLength(3)
    for (const [i, onset] of [0.3, 0.8, 1.5].entries()) {
      expect(Math.abs(found[i]!.onset - onset)).toBeLessThan(0.07)
      expect(found[i]!.offset - found[i]!.onset).toBeLessThan(0.45)
    }
  })

  test('stretches of implausible length are no single occurrence', () => {
    expect(occurrences(bursts(3, [[0.2, 2.5, 0.5]]), rate, [0.08, 0.9])).toEqual([])
    expect(occurrences(bursts(3, [[0.2, 0.03, 0.5]]), rate, [0.08, 0.9])).toEqual([])
    expect(occurrences(bursts(3, [[0.2, 2.5, 0.5]]), rate, [0.6, 3.5])).toHaveLength(1)
    expect(occurrences(new Float32Array(rate), rate, [0.1, 1])).toEqual([])
  })

  test('neighbours never share samples', () => {
    const x = bursts(2, [[0.2, 0.2, 0.5], [0.52, 0.2, 0.5], [0.84, 0.2, 0.5]], 0.03) // prettier-ignore
    const found = occurrences(x, rate, [0.05, 0.9])
    expect(found).toHaveLength(3)
    for (let i = 1; i < 3; i++) expect(found[i]!.onset).toBeGreaterThanOrEqual(found[i - 1]!.offset - 1e-9)
  })
})

test('level and crest of a full-scale sine', () => {
  const x = bursts(1, [[0, 1, 1]])
  expect(level(x)).toBeCloseTo(-3.01, 2)
  expect(crest(x)).toBeCloseTo(3.01, 2)
  expect(level(new Float32Array(10))).toBe(-Infinity)
  expect(crest(new Float32Array(10))).toBe(0)
})
