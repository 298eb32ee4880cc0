import { loadAddon } from '@sonotext/native-cuda'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Rng } from '../base/index.js'
import { difference } from '../testing/check-case.js'
import { nativeBackend } from './native.js'
import { referenceBackend } from './reference/index.js'

/** Ways that the kernel goes for some shapes alone, and that the shared cases, whose buffers are all different, do not reach. */
const sets = loadAddon()
  .instructionSets()
  .filter(({ supported }) => supported)
  .map(({ name }) => name)

const vectors = (rng: Rng, rows: number, d: number): Float32Array =>
  Float32Array.from({ length: rows * d }, () => rng.normal() / Math.sqrt(d))

const devices = sets.flatMap((isa) => (['fp32', 'bf16'] as const).map((matmul) => [isa, matmul] as const))

describe.each(devices)('frame_score with %s in %s', (isa, matmul) => {
  const backend = nativeBackend({ device: 'cpu', isa, matmul })
  const reference = referenceBackend({ matmul })

  it('of a set with itself is that of two equal sets, and symmetric to the bit', () => {
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.nat(),
          n: fc.integer({ min: 1, max: 40 }),
          steps: fc.integer({ min: 1, max: 70 }),
          d: fc.integer({ min: 1, max: 40 }),
          threads: fc.constantFrom(1, 2, 3),
        }),
        ({ seed, n, steps, d, threads }) => {
          const rng = new Rng(seed)
          const frames = vectors(rng, n * steps, d)
          const lengths = Int32Array.from({ length: n }, () => rng.int(steps + 1))
          const sizes = { clips: n, captions: n, maxFrames: steps, maxWords: steps, d, reduction: 0 }
          const call = { frames, frameLengths: lengths, wordLengths: lengths.slice(), ...sizes }
          const [out, wanted] = [new Float32Array(n * n).fill(NaN), new Float32Array(n * n)]
          loadAddon().setThreads(threads)
          backend.run('frame_score', { ...call, words: frames, out })
          reference.run('frame_score', { ...call, words: frames.slice(), out: wanted })
          expect(difference('frame_score', wanted, out)).toBeNull()
          out.forEach((score, at) => expect(out[(at % n) * n + Math.floor(at / n)]).toBe(score))
        },
      ),
      { numRuns: 40 },
    )
  })

  it('of a set with itself under other reductions, or of other lengths, is not symmetric', () => {
    const rng = new Rng(3)
    const [n, steps, d] = [5, 9, 4]
    const frames = vectors(rng, n * steps, d)
    const whole = new Int32Array(n).fill(steps)
    for (const [reduction, wordLengths] of [
      [1, whole],
      [2, whole],
      [0, Int32Array.of(9, 8, 7, 6, 5)],
    ] as const) {
      const sizes = { clips: n, captions: n, maxFrames: steps, maxWords: steps, d, reduction }
      const call = { frames, words: frames, frameLengths: whole, wordLengths, ...sizes }
      const [out, wanted] = [new Float32Array(n * n), new Float32Array(n * n)]
      backend.run('frame_score', { ...call, out })
      reference.run('frame_score', { ...call, words: frames.slice(), out: wanted })
      expect(difference('frame_score', wanted, out)).toBeNull()
    }
  })

  it('of single frames and single words is their product, with the bits of longer buffers of the same', () => {
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.nat(),
          clips: fc.integer({ min: 1, max: 90 }),
          captions: fc.integer({ min: 1, max: 40 }),
          d: fc.integer({ min: 1, max: 800 }),
          reduction: fc.constantFrom(0, 1, 2),
        }),
        ({ seed, clips, captions, d, reduction }) => {
          const rng = new Rng(seed)
          const [frames, words] = [vectors(rng, clips, d), vectors(rng, captions, d)]
          const padded = new Float32Array(captions * 2 * d).fill(NaN)
          for (let j = 0; j < captions; j++) padded.set(words.subarray(j * d, (j + 1) * d), 2 * j * d)
          const ones = (length: number) => new Int32Array(length).fill(1)
          const sizes = { clips, captions, maxFrames: 1, d, reduction }
          const call = { frames, frameLengths: ones(clips), wordLengths: ones(captions), ...sizes }
          const [out, other] = [new Float32Array(clips * captions), new Float32Array(clips * captions)]
          backend.run('frame_score', { ...call, words, maxWords: 1, out })
          backend.run('frame_score', { ...call, words: padded, maxWords: 2, out: other })
          out.forEach((score, at) => expect(score === other[at], `${score} and ${other[at]}`).toBe(true))
        },
      ),
      { numRuns: 40 },
    )
  })
})
