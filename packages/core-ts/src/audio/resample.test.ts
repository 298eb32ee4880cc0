import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadAddon } from '@sonotext/native-cuda'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openBackend, referenceBackend } from '../backend/index.js'
import { decodeNpy } from '../base/npy.js'
import { Rng } from '../base/rng.js'
import type { ResampleFilter } from './kaiser-filter.js'
import { resampleBlocks } from './resample-blocks.js'
import { resample } from './resample.js'
import {
  resampledLength,
  resampleFilter,
  resampleQualities,
  resampleStages,
  type ResampleQualityName,
  type ResampleStages,
} from './resample-filter.js'

const folder = fileURLToPath(new URL('../../test-data/audio/formats/', import.meta.url))
const qualities = Object.keys(resampleQualities) as ResampleQualityName[]

const sets = loadAddon()
  .instructionSets()
  .filter(({ supported }) => supported)
  .map(({ name }) => name)

const noise = (length: number) => {
  const rng = new Rng(length, 'noise')
  return Float32Array.from({ length }, () => rng.between(-1, 1))
}

const sine = (hz: number, rate: number, length: number) =>
  Float32Array.from({ length }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hz * i) / rate))

/** Root mean square of what is left of the middle half after the best-fitting sine of this frequency is taken off. */
function residual(x: Float32Array, hz: number, rate: number): { gain: number; rest: number } {
  const from = x.length >> 2
  const to = from + (x.length >> 1)
  let [ss, cc, sc, xs, xc] = [0, 0, 0, 0, 0]
  const angle = (i: number) => (2 * Math.PI * hz * i) / rate
  for (let i = from; i < to; i++) {
    const s = Math.sin(angle(i))
    const c = Math.cos(angle(i))
    ss += s * s
    cc += c * c
    sc += s * c
    xs += x[i]! * s
    xc += x[i]! * c
  }
  const determinant = ss * cc - sc * sc
  const a = (xs * cc - xc * sc) / determinant
  const b = (xc * ss - xs * sc) / determinant
  let rest = 0
  for (let i = from; i < to; i++) rest += (x[i]! - a * Math.sin(angle(i)) - b * Math.cos(angle(i))) ** 2
  return { gain: Math.hypot(a, b), rest: Math.sqrt(rest / (to - from)) }
}

const decibels = (ratio: number) => 20 * Math.log10(ratio)
const rms = (x: Float32Array) => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length)

describe('filters do what their quality says', () => {
  it.each(qualities)('%s', async (quality) => {
    const { passband, attenuation } = resampleQualities[quality]
    const pairs = [
      [44_100, 16_000],
      [22_050, 48_000],
      [48_000, 44_100],
    ] as const
    for (const [from, to] of pairs) {
      const nyquist = Math.min(from, to) / 2
      for (const share of [0.01, 0.5, 0.9, 1]) {
        const hz = share * passband * nyquist
        const { gain, rest } = residual(
          await resample(sine(hz, from, from / 2), from, to, { quality }),
          hz,
          to,
        )
        expect(Math.abs(decibels(gain / 0.5))).toBeLessThan(quality === 'fast' ? 0.002 : 0.0002) // ripple
        expect(decibels(rest / (0.5 / Math.SQRT2))).toBeLessThan(-Math.min(attenuation, 130) + 3) // images
      }
      if (from > to) {
        for (const hz of [1.005 * nyquist, 1.04 * nyquist, 0.98 * (from / 2)]) {
          const out = await resample(sine(hz, from, from / 2), from, to, { quality })
          const aliased = rms(out.subarray(out.length >> 2, 3 * (out.length >> 2)))
          expect(decibels(aliased / (0.5 / Math.SQRT2))).toBeLessThan(-attenuation + 3)
        }
      }
    }
  })

  it('agrees with soxr where both pass everything', async () => {
    const input = decodeNpy(new Uint8Array(readFileSync(join(folder, 'resample-in.npy')))).data
    const index = JSON.parse(readFileSync(join(folder, 'formats.json'), 'utf8')) as {
      resample: { from: number; to: number; golden: string }[]
    }
    expect(index.resample.length).toBeGreaterThan(3)
    for (const { from, to, golden } of index.resample) {
      const wanted = decodeNpy(new Uint8Array(readFileSync(join(folder, golden)))).data
      const got = await resample(input, from, to)
      expect(got.length).toBe(wanted.length)
      expect(got.reduce((worst, x, i) => Math.max(worst, Math.abs(x - wanted[i]!)), 0)).toBeLessThan(1e-6)
    }
  })
})

describe('resample', () => {
  it('a constant stays that constant inside', async () => {
    const out = await resample(new Float32Array(4000).fill(0.25), 44_100, 32_000)
    // A sample is one chain of some hundred float32 multiply-adds: docs/numerics.md says what that rounds off.
    for (const x of out.subarray(400, -400)) expect(Math.abs(x / 0.25 - 1)).toBeLessThan(1.6e-6)
  })

  it('a click stays where it is', async () => {
    const click = new Float32Array(1000)
    click[500] = 1
    const out = await resample(click, 16_000, 48_000)
    expect(out.indexOf(Math.max(...out))).toBe(1500)
  })

  it('the length is the number of positions before the end, at any ratio', async () => {
    const rate = fc.constantFrom(8000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000)
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 300 }), rate, rate, async (samples, from, to) => {
        const out = await resample(new Float32Array(samples).fill(1), from, to, { quality: 'fast' })
        expect(out.length).toBe(resampledLength(samples, from, to))
        if (samples > 0) {
          expect(((out.length - 1) * from) / to).toBeLessThan(samples)
          expect((out.length * from) / to).toBeGreaterThanOrEqual(samples)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('the reference and the native backend agree', async () => {
    const input = sine(700, 22_050, 3000)
    const slow = await resample(input, 22_050, 16_000, { backend: referenceBackend() })
    const fast = await resample(input, 22_050, 16_000, { backend: openBackend() })
    slow.forEach((x, i) => expect(Math.abs(x - fast[i]!)).toBeLessThan(1e-6))
  })

  const pairs: [number, number][] = [
    [44_100, 16_000],
    [44_100, 48_000],
    [48_000, 16_000],
    [22_050, 44_100],
    [8_000, 11_025],
  ]

  /** Two stages where the rate goes down. */
  const ways = pairs.flatMap(([from, to]) => [
    { from, to, quality: 'high' as const },
    ...(from > to ? [{ from, to, quality: 'staged' as const }] : []),
  ])

  it.each(ways)(
    '$from Hz to $to Hz, $quality: a short clip has the bits of one that goes on with silence',
    async ({ from, to, quality }) => {
      for (const isa of sets) {
        const backend = openBackend({ device: 'cpu', isa })
        for (const length of [1, 7, from / 500, from / 100, from / 50, from / 20, from / 10].map(
          Math.floor,
        )) {
          const clip = noise(length)
          const long = new Float32Array(from / 2)
          long.set(clip)
          const short = await resample(clip, from, to, { backend, quality })
          const whole = await resample(long, from, to, { backend, quality })
          expect(short, `${isa}, ${length}`).toEqual(whole.subarray(0, short.length))
        }
      }
    },
  )

  it.each(ways)(
    '$from Hz to $to Hz, $quality: a sample that is no number is seen under its filters alone',
    async ({ from, to, quality }) => {
      const { first, last } = resampleStages(from, to, quality)
      const n = first?.down ?? 1
      const seen = (at: number, position: number, width: number) =>
        at > position - width / 2 && at <= position + width / 2
      // Nothing is heard through the taps of a half-band filter that are zero.
      const isHeard = ({ taps, width }: ResampleFilter, ahead: number) =>
        seen(ahead, 0, width) && taps[width / 2 - 1 + ahead] !== 0
      for (const length of [from / 50, from / 2]) {
        const clip = noise(length)
        const at = length >> 1
        clip[at] = NaN
        const between = Array.from(
          { length: 2 * length },
          (_, i) => first === undefined || isHeard(first, at - (i - length) * n),
        )
        const out = await resample(clip, from, to, { quality })
        out.forEach((x, i) => {
          const position = Math.floor((i * from) / to / n)
          const heard =
            first === undefined
              ? seen(at, position, last.width)
              : between.some((not, m) => not && seen(m - length, position, last.width))
          expect(Number.isNaN(x), `${length}, ${i}`).toBe(heard)
        })
      }
    },
  )

  it('half of a half-band filter is zero, and what it keeps away is that of one with all taps', () => {
    const { first } = resampleStages(48_000, 16_000, 'staged')
    const { taps, width } = first!
    const zeros = taps.filter((tap, k) => tap === 0 && (k - (width / 2 - 1)) % 2 === 0)
    expect(zeros).toHaveLength(width / 2 - 1)
    const level = (share: number) => {
      let [re, im] = [0, 0]
      taps.forEach((tap, k) => {
        re += tap * Math.cos(Math.PI * share * k)
        im += tap * Math.sin(Math.PI * share * k)
      })
      return 20 * Math.log10(Math.hypot(re, im))
    }
    for (let share = 2 / 3; share <= 1; share += 1 / 999) expect(level(share)).toBeLessThan(-125)
    for (let share = 0; share < 1 / 3; share += 1 / 999) expect(Math.abs(level(share))).toBeLessThan(1e-4)
  })

  it('two stages take fewer multiplications where the rate goes down, and are one where it goes up', () => {
    const cost = ({ first, last }: Pick<ResampleStages, 'first' | 'last'>, from: number, to: number) =>
      (first === undefined ? 0 : (first.width / first.down) * from) + last.width * to
    for (const [from, to] of pairs) {
      const two = resampleStages(from, to, 'staged')
      const one = resampleFilter(from, to, 'staged')
      if (from < to) expect(two.last).toEqual(one)
      else expect(cost(two, from, to)).toBeLessThan(0.7 * cost({ last: one }, from, to))
    }
  })

  it.each([...ways, { from: 16_000, to: 16_000, quality: 'high' as const }])(
    '$from Hz to $to Hz, $quality: an array that is given gets the same bits',
    async ({ from, to, quality }) => {
      const clip = noise(3000)
      for (const device of ['cpu', 'sealed'] as const) {
        const options = { quality, backend: openBackend({ device }) }
        const whole = await resample(clip, from, to, options)
        const out = new Float32Array(whole.length).fill(Number.NaN)
        expect(await resample(clip, from, to, { ...options, out })).toBe(out)
        expect(out).toEqual(whole)
      }
    },
  )

  it('refuses the same whether a filter is kept or not', async () => {
    const clip = noise(300)
    await resample(clip, 12_000, 8000)
    const refused = (from: unknown, to: unknown, options: unknown) =>
      expect(resample(clip, from as number, to as number, options as object)).rejects
    await refused('12000', 8000, {}).toThrow(/integer from .* for from/)
    await refused(12_000, 8000, { quality: ['high'] }).toThrow(/for quality/)
    await refused(12_000, 8000, 'staged').toThrow(/object of options for resample/)
    await refused(12_000, 8000, null).toThrow(/object of options for resample/)
    const sound = { sampleRate: 8000, blocks: (async function* () {})() }
    expect(() => resampleBlocks(sound, 8000, { quality: 'best' as 'high' })).toThrow(/for quality/)
    expect(() => resampleBlocks({ ...sound, sampleRate: 1 }, 1)).toThrow(/integer from .* for from/)
    const resizable = new Float32Array(new ArrayBuffer(800, { maxByteLength: 1600 }))
    for (const quality of ['high', 'staged'])
      await refused(12_000, 8000, { quality, out: resizable }).toThrow(/cannot be resized for out/)
  })

  it('refuses to write where there is no room, or over the samples', async () => {
    const clip = noise(300)
    for (const out of [new Float32Array(99), new Float64Array(100) as unknown as Float32Array])
      await expect(resample(clip, 48_000, 16_000, { out })).rejects.toThrow(
        /100 samples that come out for out/,
      )
    await expect(resample(clip, 16_000, 16_000, { out: clip })).rejects.toThrow(/memory of its own for out/)
  })

  it('in two stages, everything lies on a device in between', async () => {
    const clip = noise(3000)
    const options = { quality: 'staged' } as const
    const there = await resample(clip, 44_100, 16_000, {
      ...options,
      backend: openBackend({ device: 'sealed' }),
    })
    expect(there).toEqual(await resample(clip, 44_100, 16_000, options))
  })

  it.each(pairs)('%d Hz to %d Hz: noise of unit size is off by 4e-7 at most, 6e-8 rms', async (from, to) => {
    const input = noise(from / 2)
    const { up, down, width, taps } = resampleFilter(from, to)
    for (const isa of sets) {
      const out = await resample(input, from, to, { backend: openBackend({ device: 'cpu', isa }) })
      let [most, squares] = [0, 0]
      out.forEach((x, i) => {
        const base = Math.floor((i * down) / up)
        const row = (i * down - base * up) * width
        let exact = 0
        for (let k = 0; k < width; k++) exact += taps[row + k]! * (input[base - (width / 2 - 1) + k] ?? 0)
        most = Math.max(most, Math.abs(x - exact))
        squares += (x - exact) ** 2
      })
      expect(most, isa).toBeLessThan(4e-7)
      expect(Math.sqrt(squares / out.length), isa).toBeLessThan(6e-8)
    }
  })

  it('equal rates give the input itself', async () => {
    const input = sine(1, 8000, 10)
    expect(await resample(input, 8000, 8000)).toBe(input)
  })

  it('refuses what it cannot do', async () => {
    const input = new Float32Array(10)
    await expect(resample(input, 1, 8000)).rejects.toThrow(/1000 to 768000 Hz for from, got 1/)
    await expect(resample(input, 8000, 44_100.5)).rejects.toThrow(/for to, got 44100.5/)
    await expect(resample(input, 8000, 16_000, { quality: 'best' as 'high' })).rejects.toThrow(
      /high, staged, medium, fast/,
    )
    expect(() => resampleFilter(767_999, 44_101)).toThrow(/simpler ratio than 44101:767999/)
    await expect(resample(input, 8000, 16_000, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    })
  })
})
