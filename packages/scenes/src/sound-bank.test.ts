import { describe, expect, test } from 'vitest'
import { proceduralLabels, synthesize } from './sound-bank.js'

const sampleRate = 16_000
const bands = 24

/** Mean, spread and frame-to-frame change of the log energy in 24 octave-spaced bands, and the log duration. */
function statistics(samples: Float32Array): Float64Array {
  const frames: Float64Array[] = []
  const re = new Float64Array(512)
  const im = new Float64Array(512)
  for (let at = 0; at === 0 || at + 512 <= samples.length; at += 256) {
    for (let i = 0; i < 512; i++) {
      re[i] = (samples[at + i] ?? 0) * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / 512))
      im[i] = 0
    }
    fft(re, im)
    const energy = new Float64Array(bands)
    for (let k = 2; k < 256; k++)
      energy[Math.floor((bands * Math.log2(k / 2)) / 7)]! += re[k]! ** 2 + im[k]! ** 2
    frames.push(energy.map((e) => Math.log(e + 1e-6)))
  }
  const out = new Float64Array(3 * bands + 1)
  for (let b = 0; b < bands; b++) {
    const mean = frames.reduce((sum, frame) => sum + frame[b]!, 0) / frames.length
    const variance = frames.reduce((sum, frame) => sum + (frame[b]! - mean) ** 2, 0) / frames.length
    let change = 0
    for (let f = 1; f < frames.length; f++)
      change += Math.abs(frames[f]![b]! - frames[f - 1]![b]!) / frames.length
    out[b] = mean
    out[bands + b] = Math.sqrt(variance)
    out[2 * bands + b] = change
  }
  out[3 * bands] = Math.log(samples.length)
  return out
}

/** Radix-2 transform in place. */
function fft(re: Float64Array, im: Float64Array): void {
  const n = re.length
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1
    for (; j & bit; bit >>= 1) j ^= bit
    j ^= bit
    if (i < j) {
      ;[re[i], re[j]] = [re[j]!, re[i]!]
      ;[im[i], im[j]] = [im[j]!, im[i]!]
    }
  }
  for (let size = 2; size <= n; size *= 2) {
    for (let k = 0; k < size / 2; k++) {
      const cos = Math.cos((-2 * Math.PI * k) / size)
      const sin = Math.sin((-2 * Math.PI * k) / size)
      for (let a = k, b = k + size / 2; a < n; a += size, b += size) {
        const x = re[b]! * cos - im[b]! * sin
        const y = re[b]! * sin + im[b]! * cos
        re[b] = re[a]! - x
        im[b] = im[a]! - y
        re[a]! += x
        im[a]! += y
      }
    }
  }
}

test('there are at least 40 classes', () => {
  expect(proceduralLabels.length).toBeGreaterThanOrEqual(40)
  expect(new Set(proceduralLabels).size).toBe(proceduralLabels.length)
})

describe.each(proceduralLabels)('%s', (label) => {
  test('same seed, same samples; another seed, another exemplar', () => {
    const a = synthesize(label, { seed: 1, sampleRate })
    expect(synthesize(label, { seed: 1, sampleRate })).toEqual(a)
    expect(synthesize(label, { seed: 2, sampleRate })).not.toEqual(a)
  })

  test.each([8000, 22_050, 48_000])(
    'is finite, peaks at 0.7, is not silent and carries no offset at %d Hz',
    (rate) => {
      for (let seed = 0; seed < 2; seed++) {
        const x = synthesize(label, { seed, sampleRate: rate })
        const peak = x.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
        const power = x.reduce((sum, value) => sum + value * value, 0) / x.length
        const offset = x.reduce((sum, value) => sum + value, 0) / x.length
        expect(peak).toBeCloseTo(0.7, 5)
        expect(Math.sqrt(power)).toBeGreaterThan(0.008)
        expect(Math.abs(offset)).toBeLessThan(0.2 * Math.sqrt(power))
      }
    },
  )

  test('keeps to the length it is given', () => {
    expect(synthesize(label, { seed: 3, sampleRate, seconds: 1.5 })).toHaveLength(24_000)
  })
})

test('a nearest-centroid classifier on coarse statistics tells the classes apart', () => {
  const exemplars = proceduralLabels.map((label) =>
    Array.from({ length: 12 }, (_, seed) => statistics(synthesize(label, { seed, sampleRate }))),
  )
  const dims = exemplars[0]![0]!.length
  const train = exemplars.map((list) => list.slice(0, 8))
  const flat = train.flat()
  const mean = Array.from({ length: dims }, (_, d) => flat.reduce((sum, x) => sum + x[d]!, 0) / flat.length)
  const scale = mean.map(
    (m, d) => Math.sqrt(flat.reduce((sum, x) => sum + (x[d]! - m) ** 2, 0) / flat.length) + 1e-9,
  )
  const centroids = train.map((list) =>
    mean.map((_, d) => list.reduce((sum, x) => sum + x[d]!, 0) / list.length),
  )
  const distance = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    scale.reduce((sum, s, d) => sum + ((a[d]! - b[d]!) / s) ** 2, 0)
  const wrong: string[] = []
  let total = 0
  exemplars.forEach((list, truth) => {
    for (const x of list.slice(8)) {
      const nearest = centroids
        .map((c) => distance(x, c))
        .reduce((best, d, i, all) => (d < all[best]! ? i : best), 0)
      total++
      if (nearest !== truth) wrong.push(`${proceduralLabels[truth]} → ${proceduralLabels[nearest]}`)
    }
    // Variety: exemplars of one class differ clearly, though less than classes do.
    const within = list.slice(1).reduce((sum, x) => sum + distance(x, list[0]!), 0) / (list.length - 1)
    expect(within, proceduralLabels[truth]).toBeGreaterThan(0.8)
  })
  const accuracy = 1 - wrong.length / total
  expect(accuracy, wrong.join(', ')).toBeGreaterThan(0.9)
})

test('wrong labels, rates and lengths are refused with help', () => {
  expect(() => synthesize('dgo', { seed: 1 })).toThrow(/Did you mean "dog"/)
  expect(() => synthesize('theremin', { seed: 1 })).toThrow(/There are: dog/)
  expect(() => synthesize('dog', { seed: 1, sampleRate: 4000 })).toThrow(/8000/)
  expect(() => synthesize('dog', { seed: 1, seconds: Number.NaN })).toThrow(/seconds/)
})
