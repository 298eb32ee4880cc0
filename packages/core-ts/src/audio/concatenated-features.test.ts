import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBackend } from '../backend/index.js'
import { matrix, type Matrix } from '../base/matrix.js'
import { Rng } from '../base/rng.js'
import { tinyAudioTower } from '../testing/tiny-onnx.js'
import { concatenatedAgain, concatenatedFeatures } from './concatenated-features.js'
import type { AudioFeatures } from './feature-kind.js'
import { logMelFeatures } from './log-mel-features.js'
import { onnxFeatures } from './onnx-features.js'
import type { Pooling } from './pooled-rows.js'

const backend = openBackend()
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-concatenated-'))
  for (const dim of [3, 5]) await writeFile(join(folder, `${dim}.onnx`), tinyAudioTower({ dim }))
})
afterAll(() => rm(folder, { recursive: true }))

const tower = (dim: 3 | 5, pool: readonly Pooling[] = [], hop?: number): Promise<AudioFeatures> =>
  onnxFeatures({
    model: join(folder, `${dim}.onnx`),
    frontEnd: { preset: 'yamnet', ...(hop !== undefined && { hop }) },
    pool,
  })
const mel = logMelFeatures({ preset: 'thesis' })

const noise = (samples: number): Float32Array => {
  const rng = new Rng(1, 'noise')
  return Float32Array.from({ length: samples }, () => 0.1 * rng.normal())
}
const rowsOf = async (kind: AudioFeatures, samples: Float32Array, cut = Infinity): Promise<number[][]> => {
  const blocks = []
  for (let at = 0; at < samples.length; at += cut) blocks.push(samples.subarray(at, at + cut))
  const rows: number[][] = []
  const { blocks: given } = kind.compute({ sampleRate: 16_000, blocks }, { backend })
  for await (const { rows: n, cols, data } of given) {
    expect(cols).toBe(kind.cols)
    for (let r = 0; r < n; r++) rows.push([...data.slice(r * cols, (r + 1) * cols)])
  }
  return rows
}

interface Clock {
  readonly step: number
  readonly lead: number
  /** Rows that come at once. */
  readonly together: number
  /** Samples behind a row that must be there before it is given. */
  readonly behind: number
  /** A last row that is not full is left out. */
  readonly drop: boolean
}

/** A kind at 1000 Hz whose rows are [number, `name`]: row i is there when its own time and `behind` samples more have been heard. */
function counting(name: number, { step, lead, together, behind, drop }: Clock): AudioFeatures {
  return {
    ...{ name: `counting ${name}`, config: null, id: `counting-${name}-${step}`, cols: 2, lead },
    compute({ blocks }) {
      async function* rows(): AsyncGenerator<Matrix, void, undefined> {
        let [heard, next] = [0, 0]
        const some = (count: number) =>
          matrix(
            count,
            2,
            Float32Array.from({ length: 2 * count }, (_, i) => (i % 2 === 0 ? next++ : name)),
          )
        for await (const { length } of blocks) {
          heard += length
          while ((next + together) * step + behind <= heard) yield some(together)
        }
        const all = Math.max(1, Math[drop ? 'floor' : 'ceil'](heard / step))
        if (next < all) yield some(all - next)
      }
      return { frameStep: step / 1000, blocks: rows() }
    },
  }
}

describe('kinds side by side', () => {
  it('give the vectors of each, wherever the sound is cut into blocks', async () => {
    const kinds = [await tower(3, ['mean', 'std']), await tower(5, ['max'])]
    const together = concatenatedFeatures({ kinds })
    expect(together).toMatchObject({ name: 'concatenated', cols: 11, wholeClip: true })
    const samples = noise(40_000)
    const alone = await Promise.all(kinds.map((kind) => rowsOf(kind, samples)))
    const wanted = [alone.flatMap(([vector]) => vector!)]
    expect(await rowsOf(together, samples)).toEqual(wanted)
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 100, max: 20_000 }), async (cut) => {
        expect(await rowsOf(together, samples, cut)).toEqual(wanted)
      }),
      { numRuns: 5 },
    )
    const { frameStep } = together.compute({ sampleRate: 16_000, blocks: [samples] }, { backend })
    expect(frameStep).toBe(0)
  })

  it('give frames at the times of the first, with those of the others that are nearest', async () => {
    const clock = fc.record({
      step: fc.integer({ min: 3, max: 40 }),
      lead: fc.integer({ min: 0, max: 50 }).map((ms) => ms / 1000),
      together: fc.integer({ min: 1, max: 4 }),
      behind: fc.integer({ min: 0, max: 100 }),
      drop: fc.boolean(),
    })
    // The second has its last row before the first has asked for it for the last time.
    const early = { lead: 0, together: 1, behind: 0 }
    const lastRowStays: [Clock[], number, number] = [
      [
        { ...early, step: 10, drop: false },
        { ...early, step: 30, drop: true },
      ],
      59,
      1,
    ]
    await fc.assert(
      fc.asyncProperty(
        fc.array(clock, { minLength: 2, maxLength: 3 }),
        fc.integer({ min: 1, max: 600 }),
        fc.integer({ min: 1, max: 100 }),
        async (clocks, length, cut) => {
          const kinds = clocks.map((one, i) => counting(i, one))
          const samples = new Float32Array(length)
          const alone = await Promise.all(kinds.map((kind) => rowsOf(kind, samples)))
          const rows = await rowsOf(concatenatedFeatures({ kinds }), samples, cut)
          expect(rows).toHaveLength(alone[0]!.length)
          const time = (kind: number, row: number) => {
            const { step, lead } = clocks[kind]!
            return ((row + 0.5) * step) / 1000 + lead
          }
          for (const [r, row] of rows.entries()) {
            expect(row[0]).toBe(r)
            for (let kind = 1; kind < kinds.length; kind++) {
              const place = row[2 * kind]!
              expect(row[2 * kind + 1]).toBe(kind)
              const far = (other: number) => Math.abs(time(kind, other) - time(0, r))
              for (let other = 0; other < alone[kind]!.length; other++)
                expect(far(place)).toBeLessThanOrEqual(far(other) + 1e-9)
            }
          }
        },
      ),
      { numRuns: 60, examples: [lastRowStays] },
    )
  })

  it('give frames of real front ends: log-mel every 20 ms with the patch of 0.96 s around it', async () => {
    const samples = noise(40_000)
    const kinds = [mel, await tower(3)]
    const together = concatenatedFeatures({ kinds })
    const [frames, patches] = [await rowsOf(mel, samples), await rowsOf(kinds[1]!, samples)]
    const rows = await rowsOf(together, samples, 7000)
    expect(rows.map((row) => row.slice(0, mel.cols))).toEqual(frames)
    const step = mel.compute({ sampleRate: 16_000, blocks: [samples] }, { backend }).frameStep
    // The middle of patch p is at 0.48·(p + 1) s.
    const nearest = (r: number) => Math.min(4, Math.max(0, Math.round(((r + 0.5) * step) / 0.48 - 1)))
    expect(rows.map((row) => row.slice(mel.cols))).toEqual(frames.map((_, r) => patches[nearest(r)]))
    expect(together.wholeClip).toBeUndefined()
  })

  it('become one vector by statistics over the frames of those that have some', async () => {
    const vector = await tower(5, ['max'])
    const together = concatenatedFeatures({ kinds: [mel, vector, await tower(3)], pool: ['mean', 'std'] })
    expect(together).toMatchObject({ cols: 2 * mel.cols + 5 + 6, wholeClip: true })
    const samples = noise(40_000)
    const rows = await rowsOf(together, samples, 9000)
    const pooled = await rowsOf(await tower(3, ['mean', 'std']), samples)
    expect(rows).toHaveLength(1)
    expect(rows[0]!.slice(2 * mel.cols)).toEqual([...(await rowsOf(vector, samples))[0]!, ...pooled[0]!])
    const bands = (await rowsOf(mel, samples)).map((frame) => frame[7]!)
    expect(rows[0]![7]).toBeCloseTo(bands.reduce((sum, x) => sum + x) / bands.length, 4)
  })

  it('hear the sound once, none more than a block before the others', async () => {
    const heard: string[] = []
    const kind = (name: string): AudioFeatures => ({
      ...{ name, config: null, id: name, cols: 1 },
      compute: ({ blocks }) => ({
        frameStep: 1,
        blocks: (async function* () {
          for await (const block of blocks) {
            heard.push(`${name}${block[0]}`)
            yield matrix(1, 1, Float32Array.of(block[0]!))
          }
        })(),
      }),
    })
    const blocks = [0, 1, 2].map((i) => Float32Array.of(i))
    const together = concatenatedFeatures({ kinds: [kind('a'), kind('b')] })
    let given = 0
    for await (const { rows } of together.compute({ sampleRate: 1, blocks }, { backend }).blocks) {
      given += rows
      expect(heard.toSorted()).toEqual(
        Array.from({ length: 2 * given }, (_, i) => `${'ab'[Math.floor(i / given)]}${i % given}`),
      )
    }
    expect(given).toBe(3)
  })

  it('are named by what they are made of, in order, and made again from where they come from', async () => {
    const [a, b] = [await tower(3, ['mean']), await tower(5, ['mean'])]
    const together = concatenatedFeatures({ kinds: [a, b] })
    const ids = [
      together,
      concatenatedFeatures({ kinds: [b, a] }),
      concatenatedFeatures({ kinds: [a, b], pool: ['max'] }),
      concatenatedFeatures({ kinds: [a, await tower(5, ['max'])] }),
    ].map(({ id }) => id)
    expect(new Set(ids).size).toBe(4)
    expect(ids[0]).toMatch(/^concatenated-[0-9a-f]{16}$/)
    const again = await concatenatedAgain(
      JSON.parse(JSON.stringify(together.origin!.argument)) as Parameters<typeof concatenatedAgain>[0],
    )
    expect(again.id).toBe(together.id)
    expect(await rowsOf(again, noise(20_000))).toEqual(await rowsOf(together, noise(20_000)))
    const clock = { step: 10, lead: 0, together: 1, behind: 0, drop: false }
    expect(concatenatedFeatures({ kinds: [a, counting(0, clock)], pool: ['mean'] }).origin).toBeUndefined()
  })
})

describe('kinds that do not go together', () => {
  const clock = { step: 10, lead: 0, together: 1, behind: 0, drop: false }

  it('are refused before any sound is heard', async () => {
    const vector = await tower(3, ['mean'])
    const given = { ...{ name: 'given', config: null, id: 'g', cols: 2, frameStep: 0 } }
    const file = { ...given, framesOf: () => 1, read: async () => matrix(1, 2) }
    for (const [options, message] of [
      [{ kinds: [] }, /one kind of features or more for kinds/],
      [{ kinds: [vector, mel] }, /got onnx with one vector a clip, log-mel with frames\. Name statistics/],
      [{ kinds: [vector, file] }, /made of sound for kinds, got "given"\. Put vectors/],
      [{ kinds: [mel], pool: ['sum' as Pooling] }, /one of mean, max, std, trend for pool/],
    ] as const) {
      expect(() => concatenatedFeatures(options)).toThrow(message)
      expect(() => concatenatedFeatures(options)).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      )
    }
    // One that does not say that it gives one vector.
    const silent: AudioFeatures = {
      ...counting(0, clock),
      compute: (audio, options) => ({ ...counting(0, clock).compute(audio, options), frameStep: 0 }),
    }
    const mixed = concatenatedFeatures({ kinds: [silent, mel] })
    expect(() => mixed.compute({ sampleRate: 16_000, blocks: [] }, { backend })).toThrow(/one vector a clip/)
  })

  it('fail with the error of the one that fails, and the others let go', async () => {
    let ended = 0
    const other: AudioFeatures = {
      ...counting(0, clock),
      compute: ({ blocks }) => ({
        frameStep: 0.01,
        blocks: (async function* () {
          try {
            for await (const block of blocks) yield matrix(1, 2, Float32Array.of(block.length, 0))
          } finally {
            ended++
          }
        })(),
      }),
    }
    const failing: AudioFeatures = {
      ...counting(1, clock),
      compute: ({ blocks }) => ({
        frameStep: 0.01,
        blocks: (async function* () {
          let count = 0
          for await (const block of blocks) {
            if (++count === 3) throw new Error('no luck')
            yield matrix(1, 2, Float32Array.of(block.length, 1))
          }
        })(),
      }),
    }
    const kind = concatenatedFeatures({ kinds: [other, failing] })
    await expect(rowsOf(kind, new Float32Array(100), 10)).rejects.toThrow('no luck')
    expect(ended).toBe(1)
    // Whoever stops reading.
    const { blocks } = concatenatedFeatures({ kinds: [other, other] }).compute(
      { sampleRate: 1000, blocks: [new Float32Array(10), new Float32Array(10)] },
      { backend },
    )
    for await (const { rows } of blocks) {
      expect(rows).toBe(1)
      break
    }
    expect(ended).toBe(3)
  })

  it('where one gives nothing of a clip, the clip is to blame', async () => {
    const nothing: AudioFeatures = {
      ...counting(1, clock),
      compute: () => ({ frameStep: 0.01, blocks: (async function* () {})() }),
    }
    const kind = concatenatedFeatures({ kinds: [counting(0, clock), nothing] })
    await expect(rowsOf(kind, new Float32Array(100))).rejects.toMatchObject({ code: 'INVALID_DATA' })
    await expect(
      rowsOf(concatenatedFeatures({ kinds: [mel, mel] }), new Float32Array(0)),
    ).rejects.toMatchObject({
      code: 'INVALID_DATA',
    })
  })
})
