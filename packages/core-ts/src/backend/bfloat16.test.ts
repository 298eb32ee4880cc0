import { loadAddon } from '@sonotext/native-cuda'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { Rng } from '../base/index.js'
import { bitDifferences, casesByOp, checkCase, runCase } from '../testing/index.js'
import { fuzz } from '../testing/fuzz/index.js'
import { nativeBackend } from './native.js'
import type { OpArgs, OpName } from './port.js'
import { toBfloat16 } from './reference/bfloat16.js'
import { referenceBackend } from './reference/index.js'

/** Devices opened with `matmul: 'bf16'`: what they round, in which order they add, how far that takes a score. */
const addon = loadAddon()
const threads = addon.threads()
afterAll(() => void addon.setThreads(threads))

const sets = addon
  .instructionSets()
  .filter(({ supported }) => supported)
  .map(({ name }) => name)
const precise = referenceBackend({ precision: 'float64' })
const rounding = referenceBackend({ precision: 'float64', matmul: 'bf16' })
const reductions = [0, 1, 2] as const

/** The table of docs/numerics.md: how far scores of unit vectors are off, at most and rms. A set with itself has no reduction. */
const errors = [
  {
    what: 'a set with itself, independent frames',
    kind: 'apart',
    reduction: null,
    most: 4.5e-6,
    rms: 1.9e-6,
  },
  { what: 'a set with itself, walks', kind: 'near', reduction: null, most: 6.0e-5, rms: 1.2e-5 },
  { what: 'STSQ', kind: 'near', reduction: 0, most: 4.4e-5, rms: 1.2e-5 },
  { what: 'MTSQ', kind: 'near', reduction: 1, most: 1.1e-4, rms: 4.1e-5 },
  { what: 'MQST', kind: 'near', reduction: 2, most: 1.7e-4, rms: 4.5e-5 },
] as const

const normal = (rng: Rng, length: number, scale = 1): Float32Array =>
  Float32Array.from({ length }, () => scale * rng.normal())

/** Rows of length 1. */
function unitRows(rng: Rng, rows: number, d: number): Float32Array {
  const out = new Float32Array(rows * d)
  const args = { x: normal(rng, rows * d), norms: new Float32Array(rows), rows, cols: d, eps: 1e-12 }
  precise.run('l2_normalize', { ...args, out })
  return out
}

describe('bfloat16', () => {
  const bitsOf = (x: number): number => new Uint32Array(Float32Array.of(x).buffer)[0]!
  const fromBits = (bits: number): number => new Float32Array(Uint32Array.of(bits).buffer)[0]!

  it('is the nearest number of eight significant bits, of ties the even one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0x00800000, max: 0x7f7effff }), fc.boolean(), (bits, negative) => {
        const x = (negative ? -1 : 1) * fromBits(bits)
        const got = toBfloat16(x)
        expect(bitsOf(got) & 0xffff).toBe(0)
        const [below, above] = [fromBits(bits & 0xffff0000), fromBits((bits & 0xffff0000) + 0x10000)]
        const nearer = Math.min(Math.abs(x) - below, above - Math.abs(x))
        expect(Math.abs(got - x)).toBe(nearer)
        if (Math.abs(x) - below === above - Math.abs(x)) expect((bitsOf(got) >>> 16) & 1).toBe(0)
      }),
    )
  })

  it('has infinities, NaN and zeros of both signs, and no denormals', () => {
    expect([1, -1, 0, Infinity, -Infinity, NaN].map(toBfloat16)).toEqual([1, -1, 0, Infinity, -Infinity, NaN])
    expect(Object.is(toBfloat16(-0), -0)).toBe(true)
    expect(Object.is(toBfloat16(-1e-39), -0)).toBe(true)
    expect(toBfloat16(2 ** -126)).toBe(2 ** -126)
    expect(toBfloat16(2 ** 128 - 2 ** 119)).toBe(Infinity)
    expect(toBfloat16(2 ** 128 - 2 ** 119 - 2 ** 104)).toBe(2 ** 128 - 2 ** 120)
  })
})

describe.each(sets)('a device of %s for products in bf16', (isa) => {
  const backend = nativeBackend({ isa, matmul: 'bf16' })
  const sealed = nativeBackend({ device: 'sealed', isa, matmul: 'bf16' })
  const plain = nativeBackend({ isa })

  it('scores frames and words as the reference does that rounds the same operands, alike on 1, 2 and 3 threads', () => {
    const problems = casesByOp.get('frame_score')!.flatMap((testCase) => {
      const runs = [1, 2, 3].map((count) => (addon.setThreads(count), runCase(backend, testCase)))
      const differences = [...runs, runCase(sealed, testCase)].map((run) =>
        bitDifferences(testCase, runs[0]!, run),
      )
      return [...checkCase(backend, testCase, runCase(rounding, testCase)), ...differences.flat()]
    })
    expect(problems).toEqual([])
  })

  it('agrees with it on random calls, and refuses what it refuses', async () => {
    const reference = (op: OpName, args: object) => rounding.run(op, args as OpArgs[OpName])
    const options = { seed: 5, calls: 120, threads: [1, 2, 3, 7], only: ['frame_score'] as const, reference }
    const backends = new Map([[isa, backend]])
    const report = await fuzz({ ...options, setThreads: addon.setThreads, backends })
    expect(report.problems).toEqual([])
    expect(report.compared).toBeGreaterThan(40)
  })

  it('computes everything else as without', () => {
    for (const op of ['gemm', 'similarity', 'frame_score_backward', 'info_nce', 'conv2d'] as const) {
      for (const testCase of casesByOp.get(op)!)
        expect(bitDifferences(testCase, runCase(plain, testCase), runCase(backend, testCase))).toEqual([])
    }
  })

  // The bits of every set and of VDPBF16PS in one pass of the kernel, as long as nothing on the way is denormal.
  it('adds the second product of a pair, then the first, each rounded once', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 384 }), (seed, d) => {
        const rng = new Rng(seed)
        const [clips, captions] = [9, 5]
        const [frames, words] = [normal(rng, clips * d), normal(rng, captions * d)]
        const ones = (length: number) => new Int32Array(length).fill(1)
        const out = new Float32Array(clips * captions)
        const sizes = { clips, captions, maxFrames: 1, maxWords: 1, d, reduction: 0 }
        const lengths = { frameLengths: ones(clips), wordLengths: ones(captions) }
        backend.run('frame_score', { frames, words, ...lengths, out, ...sizes })
        const [a, b] = [frames.map(toBfloat16), words.map(toBfloat16)]
        const wanted = out.map((_, at) => {
          const [i, j] = [Math.floor(at / captions) * d, (at % captions) * d]
          let sum = 0
          for (let k = 0; k < d; k += 2) {
            if (k + 1 < d) sum = Math.fround(sum + a[i + k + 1]! * b[j + k + 1]!)
            sum = Math.fround(sum + a[i + k]! * b[j + k]!)
          }
          return Math.max(0, sum)
        })
        expect(out.map((x) => x + 0)).toEqual(wanted) // a negative sum has become -0
      }),
      { numRuns: 30 },
    )
  })

  it('is off by at most 2⁻⁷ of the size of the products, whatever is reduced how', () => {
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.nat(),
          clips: fc.integer({ min: 1, max: 20 }),
          captions: fc.integer({ min: 1, max: 20 }),
          maxFrames: fc.integer({ min: 1, max: 40 }),
          maxWords: fc.integer({ min: 1, max: 20 }),
          d: fc.integer({ min: 1, max: 70 }),
          exponent: fc.integer({ min: -40, max: 40 }),
          reduction: fc.constantFrom(...reductions),
        }),
        ({ seed, exponent, ...sizes }) => {
          const { clips, captions, maxFrames, maxWords, d } = sizes
          const rng = new Rng(seed)
          const frames = normal(rng, clips * maxFrames * d, 2 ** exponent)
          const words = normal(rng, captions * maxWords * d)
          const lengths = {
            frameLengths: Int32Array.from({ length: clips }, () => rng.int(maxFrames + 1)),
            wordLengths: Int32Array.from({ length: captions }, () => rng.int(maxWords + 1)),
          }
          const scores = (by: typeof backend, of: (x: number) => number = (x) => x) => {
            const out = new Float32Array(clips * captions)
            by.run('frame_score', { frames: frames.map(of), words: words.map(of), ...lengths, out, ...sizes })
            return out
          }
          const [got, exact, most] = [scores(backend), scores(precise), scores(precise, Math.abs)]
          for (const [at, score] of got.entries())
            expect(Math.abs(score - exact[at]!)).toBeLessThanOrEqual((2 ** -7 + 2 ** -15) * most[at]!)
        },
      ),
      { numRuns: 40 },
    )
  })

  /** Each frame near the one before. */
  const near = (rng: Rng, clips: number, frames: number, d: number): Float32Array => {
    const steps = normal(rng, clips * frames * d, 0.3 / Math.sqrt(d))
    const walk = unitRows(rng, clips, d)
    const out = new Float32Array(steps.length)
    for (let c = 0; c < clips; c++)
      for (let t = 0; t < frames; t++) {
        const row = walk.subarray(c * d, (c + 1) * d)
        const at = (c * frames + t) * d
        row.forEach((x, k) => (row[k] = x + steps[at + k]!))
        const length = Math.hypot(...row)
        row.forEach((x, k) => (out[at + k] = row[k] = x / length))
      }
    return out
  }
  const d = 300
  const [clips, maxFrames] = [12, 60]
  it.each(errors)('is as far off as docs/numerics.md says: $what', ({ kind, reduction, most, rms }) => {
    const rng = new Rng(1, 'bf16')
    const apart = unitRows(rng, clips * maxFrames, d)
    const walks = near(rng, clips, maxFrames, d)
    const sentences = unitRows(rng, clips * 12, d)
    const frames = kind === 'apart' ? apart : walks
    const within = reduction === null
    const [words, maxWords] = within ? [frames, maxFrames] : [sentences, 12]
    const lengths = (length: number) => new Int32Array(clips).fill(length)
    const sizes = { clips, captions: clips, maxFrames, maxWords, d, reduction: reduction ?? 0 }
    const call = { frames, words, frameLengths: lengths(maxFrames), wordLengths: lengths(maxWords), ...sizes }
    const [got, exact] = [new Float32Array(clips * clips), new Float64Array(clips * clips)]
    backend.run('frame_score', { ...call, out: got })
    precise.run('frame_score', { ...call, out: exact })
    const off = [...exact].map((score, at) => got[at]! - score)
    const largest = Math.max(...off.map(Math.abs))
    const root = Math.sqrt(off.reduce((sum, x) => sum + x * x, 0) / off.length)
    expect(largest).toBeLessThan(3 * most)
    expect(root).toBeLessThan(3 * rms)
  })
})
