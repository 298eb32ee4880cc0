import fc from 'fast-check'
import { expect, it } from 'vitest'
import { hzToMel, melFilters, melScales, melToHz } from './mel-filters.js'

it('mel scales: known points', () => {
  expect(hzToMel(1000, 'slaney')).toBeCloseTo(15, 12)
  expect(hzToMel(6400, 'slaney')).toBeCloseTo(42, 12) // 27 steps to 6.4 times 1 kHz
  expect(hzToMel(200, 'slaney')).toBeCloseTo(3, 12)
  expect(hzToMel(700, 'htk')).toBeCloseTo(2595 * Math.log10(2), 10)
})

it('mel and back', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 100_000, noNaN: true }),
      fc.constantFrom(...melScales),
      (hz, scale) => {
        expect(Math.abs(melToHz(hzToMel(hz, scale), scale) - hz)).toBeLessThan(1e-8 * (1 + hz))
      },
    ),
  )
})

it('triangles without norm overlap to 1 between the first and the last centre', () => {
  const nFft = 4096
  const { start, offset, weights } = melFilters({
    sampleRate: 16_000,
    nFft,
    bands: 20,
    fMin: 100,
    fMax: 7000,
    melScale: 'htk',
    melNorm: 'none',
  })
  const sums = new Float64Array(nFft / 2 + 1)
  start.forEach((first, b) => {
    for (let i = offset[b]!; i < offset[b + 1]!; i++) sums[first + i - offset[b]!]! += weights[i]!
  })
  const mels = (i: number) => hzToMel(100, 'htk') + (i * (hzToMel(7000, 'htk') - hzToMel(100, 'htk'))) / 21
  const bin = (mel: number) => (melToHz(mel, 'htk') * nFft) / 16_000
  for (let k = Math.ceil(bin(mels(1))); k <= Math.floor(bin(mels(20))); k++) expect(sums[k]).toBeCloseTo(1, 6)
  expect(sums[Math.floor(bin(mels(0)))]).toBe(0)
  expect(sums[Math.ceil(bin(mels(21)))]).toBe(0)
})

it('Slaney norm gives every band the same area', () => {
  const sampleRate = 44_100
  const nFft = 65_536
  const { offset, weights } = melFilters({
    sampleRate,
    nFft,
    bands: 30,
    fMin: 0,
    fMax: 20_000,
    melScale: 'slaney',
    melNorm: 'slaney',
  })
  for (let b = 0; b < 30; b++) {
    const area =
      weights.subarray(offset[b], offset[b + 1]).reduce((sum, w) => sum + w, 0) * (sampleRate / nFft)
    expect(area).toBeCloseTo(1, 2)
  }
})

it('bands beyond half the sample rate are empty', () => {
  const options = {
    sampleRate: 8000,
    nFft: 512,
    bands: 64,
    fMin: 12,
    fMax: 8000,
    melScale: 'slaney',
    melNorm: 'slaney',
  } as const
  const { offset, emptyBands } = melFilters(options)
  expect(emptyBands).toBeGreaterThan(10)
  expect(offset[64]).toBe(offset[63])
})
