import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBackend } from '../backend/index.js'
import { Rng } from '../base/rng.js'
import { realData } from '../testing/data-folder.js'
import { OnnxGraph } from '../onnx/index.js'
import { tinyAudioTower, type TinyTowerOptions } from '../testing/tiny-onnx.js'
import type { AudioFeatures } from './feature-kind.js'
import { readMono } from './decode.js'
import { frontEnd, frontEndPresets } from './front-ends.js'
import { onnxFeatures, type OnnxFeaturesOptions } from './onnx-features.js'
import { patchesOf, patchShape } from './patches.js'

const backend = openBackend()
let folder: string
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'sonotext-onnx-features-'))))
afterAll(() => rm(folder, { recursive: true }))

const tower = async (options: TinyTowerOptions = {}): Promise<string> => {
  const file = join(folder, `${JSON.stringify(options).replaceAll(/\W+/g, '-')}.onnx`)
  if (!existsSync(file)) await writeFile(file, tinyAudioTower(options))
  return file
}
const yamnet = async (
  more: Partial<OnnxFeaturesOptions> = {},
  options: TinyTowerOptions = {},
): Promise<AudioFeatures> =>
  onnxFeatures({ model: await tower(options), frontEnd: { preset: 'yamnet' }, ...more })

const noise = (samples: number, seed = 1): Float32Array => {
  const rng = new Rng(seed, 'noise')
  return Float32Array.from({ length: samples }, () => 0.1 * rng.normal())
}
const rowsOf = async (
  kind: AudioFeatures,
  samples: Float32Array,
  { sampleRate = 16_000, cut = Infinity } = {},
): Promise<number[][]> => {
  const blocks = []
  for (let at = 0; at < samples.length; at += cut) blocks.push(samples.subarray(at, at + cut))
  const rows: number[][] = []
  for await (const { rows: n, cols, data } of kind.compute({ sampleRate, blocks }, { backend }).blocks)
    for (let r = 0; r < n; r++) rows.push([...data.slice(r * cols, (r + 1) * cols)])
  return rows
}

describe('patches', () => {
  const counts = async (preset: (typeof frontEndPresets)[number], seconds: readonly number[]) => {
    const front = frontEnd({ preset })
    const { length, bands } = patchShape(front)
    return Promise.all(
      seconds.map(async (s) => {
        const audio = { sampleRate: front.sampleRate, blocks: [noise(Math.round(s * front.sampleRate))] }
        let count = 0
        for await (const patch of patchesOf(front, audio, { backend })) {
          expect(patch.length).toBe(length * bands)
          count++
        }
        return count
      }),
    )
  }
  it('are as many as where the models come from', async () => {
    // YAMNet: 0.975 s hold one patch, each further 0.48 s begun one more; VGGish drops what is not full.
    expect(await counts('yamnet', [0.1, 0.975, 0.98, 1.455, 1.456, 10])).toEqual([1, 1, 2, 2, 3, 20])
    expect(await counts('vggish', [0.1, 0.975, 1.9, 1.94, 10])).toEqual([1, 1, 1, 2, 10])
    expect(await counts('clap', [1, 10, 10.01, 20])).toEqual([1, 1, 2, 2])
    expect(await counts('whisper', [1, 30, 31])).toEqual([1, 1, 2])
  })
  it('have the extents that the models take', () => {
    const shapes = frontEndPresets.map((preset) => [preset, patchShape(frontEnd({ preset }))] as const)
    expect(
      Object.fromEntries(shapes.map(([preset, { length, bands }]) => [preset, [length, bands]])),
    ).toEqual({
      yamnet: [96, 64],
      vggish: [96, 64],
      clap: [1001, 64],
      whisper: [3000, 80],
      panns: [1001, 64],
      waveform: [160_000, 1],
    })
  })
  it('of a front end that there is not are refused', () => {
    expect(() => frontEnd({ preset: 'yamnot' as 'yamnet' })).toThrow(/one of yamnet, vggish/)
    expect(() => frontEnd({ preset: 'yamnet', hop: 0 })).toThrow(/seconds above 0 for hop/)
    expect(() => frontEnd({ preset: 'waveform', overrides: { bands: 3 } })).toThrow(/sampleRate alone/)
    expect(() => frontEnd({ preset: 'yamnet', overrides: { melScale: 'bark' as 'htk' } })).toThrow(/melScale/)
  })
})

describe('vectors of a pretrained model', () => {
  it('do not depend on how the sound is cut into blocks', async () => {
    const kind = await yamnet()
    const samples = noise(40_000)
    const whole = await rowsOf(kind, samples)
    expect(whole).toHaveLength(5)
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 100, max: 20_000 }), async (cut) => {
        expect(await rowsOf(kind, samples, { cut })).toEqual(whole)
      }),
      { numRuns: 5 },
    )
    expect(await rowsOf(kind, samples)).toEqual(whole)
  })

  it('pool to mean, largest, deviation and trend side by side', async () => {
    const samples = noise(40_000)
    const rows = await rowsOf(await yamnet(), samples)
    const kind = await yamnet({ pool: ['mean', 'max', 'std', 'trend'] })
    expect(kind.cols).toBe(12)
    const [vector] = await rowsOf(kind, samples)
    for (let c = 0; c < 3; c++) {
      const column = rows.map((row) => row[c]!)
      const mean = column.reduce((a, b) => a + b) / column.length
      expect(vector![c]).toBeCloseTo(mean, 5)
      expect(vector![3 + c]).toBe(Math.max(...column))
      const variance = column.reduce((sum, x) => sum + (x - mean) ** 2, 0) / column.length
      expect(vector![6 + c]).toBeCloseTo(Math.sqrt(variance), 5)
      const middle = (column.length - 1) / 2
      const along = column.reduce((sum, x, t) => sum + x * (t - middle), 0)
      const places = column.reduce((sum, _, t) => sum + (t - middle) ** 2, 0)
      expect(vector![9 + c]).toBeCloseTo((along / places) * 2 * middle, 5)
    }
    expect(kind.compute({ sampleRate: 16_000, blocks: [samples] }, { backend }).frameStep).toBe(0)
  })

  it('have a step of a patch, or of its frames', async () => {
    const step = (kind: AudioFeatures) =>
      kind.compute({ sampleRate: 16_000, blocks: [noise(16_000)] }, { backend }).frameStep
    expect(step(await yamnet())).toBeCloseTo(0.48, 9)
    const frames = await yamnet({ frontEnd: { preset: 'vggish' } }, { frames: true })
    expect(step(frames)).toBeCloseTo(0.01, 9)
    expect(await rowsOf(frames, noise(32_000))).toHaveLength(2 * 96)
  })

  it('fit models of other layouts and of one patch at a time', async () => {
    const samples = noise(40_000)
    const wanted = await rowsOf(await yamnet(), samples)
    for (const shape of [
      [1, 96, 64],
      ['batch', 'time', 64],
      ['n', 1, 96, 64],
      [null, null, 64],
      [4, 96, 64],
    ]) {
      const rows = await rowsOf(await yamnet({}, { shape }), samples)
      for (const [r, row] of rows.entries())
        for (const [c, value] of row.entries()) expect(value).toBeCloseTo(wanted[r]![c]!, 4)
      expect(rows).toHaveLength(5)
    }
  })

  it('of a model that does not fit its front end are refused, saying both', async () => {
    const refused = async (options: Partial<OnnxFeaturesOptions>, tiny: TinyTowerOptions, message: RegExp) =>
      expect(yamnet(options, tiny)).rejects.toMatchObject({
        code: 'UNSUPPORTED',
        message: expect.stringMatching(message) as string,
      })
    await refused(
      { frontEnd: { preset: 'clap' } },
      {},
      /takes patch \[n, 96, 64\] float32; the front end gives patches of 1001 frames × 64 bands/,
    )
    await refused({}, { type: 'int64' }, /takes patch \[n, 96, 64\] int64/)
    await refused({}, { shape: ['n', 2, 96, 64] }, /the front end gives patches of 96 frames/)
    await refused({ output: 'logits' }, {}, /no output "logits": the model gives embedding \[n, 3\]/)
    await refused({ frontEnd: { preset: 'waveform' } }, {}, /patches of 160000 samples/)
  })

  it('are named by the model, not by where it lies, and hold a run to it', async () => {
    const [one, other] = [await yamnet(), await yamnet({}, { dim: 4 })]
    expect(one.id).not.toBe(other.id)
    const copy = join(folder, 'copy.onnx')
    await writeFile(copy, tinyAudioTower())
    const moved = await onnxFeatures({ model: copy, frontEnd: { preset: 'yamnet' } })
    expect(moved.id).toBe(one.id)
    await expect(
      onnxFeatures({ model: await tower({ dim: 4 }), frontEnd: { preset: 'yamnet' }, ...one.pins }),
    ).rejects.toMatchObject({ code: 'INVALID_FILE' })
    expect((await yamnet({ frontEnd: { preset: 'yamnet', hop: 0.96 } })).id).not.toBe(one.id)
  })

  it('of patches that overlap are averaged where several stand for the same time', async () => {
    const samples = noise(50_000)
    const frontEnd = { preset: 'yamnet' } as const
    // Each vector is made of one frame, so all patches say the same of it.
    const wanted = await rowsOf(
      await yamnet({ frontEnd: { ...frontEnd, hop: 0.96 } }, { frames: true }),
      samples,
    )
    for (const hop of [0.48, 0.24, 0.07]) {
      const kind = await yamnet({ frontEnd: { ...frontEnd, hop } }, { frames: true })
      const rows = await rowsOf(kind, samples)
      expect(kind.compute({ sampleRate: 16_000, blocks: [samples] }, { backend }).frameStep).toBeCloseTo(
        0.01,
        9,
      )
      expect(kind.lead).toBeUndefined()
      expect(rows.length).toBeGreaterThan(300)
      for (const [r, row] of rows.slice(0, 300).entries())
        for (const [c, value] of row.entries()) expect(value).toBeCloseTo(wanted[r]![c]!, 4)
    }
    await expect(yamnet({ frontEnd: { ...frontEnd, hop: 0.485 } }, { frames: true })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/multiple of 0.01 s/) as string,
    })
  })

  it.each([
    ['frames first', ['n', 96, 64]],
    ['bands first', ['n', 64, 96]],
    ['channels last', ['n', 96, 64, 1]],
  ])('may be means over the bands of maps within the model, %s', async (name, shape) => {
    const graph = new OnnxGraph('maps')
    const x = graph.input({ name: 'patch', type: 'float32', shape })
    const axis = shape.length === 4 ? 3 : 1
    const one = shape.length === 4 ? x : graph.node('Unsqueeze', [x, graph.weight('axis', [1], [axis])])
    const two = graph.node('Mul', [one, graph.weight('two', [1], Float32Array.of(2))])
    const maps = graph.node('Concat', [one, two], { attributes: { axis }, outputs: ['maps'] })
    graph.node('ReduceMean', [maps], { attributes: { axes: [1, 2, 3], keepdims: 0 }, outputs: ['embedding'] })
    graph.output({ name: 'embedding', type: 'float32', shape: ['n'] })
    const model = join(folder, `${name}.onnx`)
    await writeFile(model, graph.encode())
    const given = { preset: 'yamnet', hop: 0.96 } as const
    const kind = await onnxFeatures({ model, frontEnd: given, output: 'maps' })
    expect(kind.cols).toBe(2)
    const samples = noise(32_000)
    const rows = await rowsOf(kind, samples)
    const audio = { sampleRate: 16_000, blocks: [samples] }
    let r = 0
    for await (const patch of patchesOf(frontEnd(given), audio, { backend }))
      for (let t = 0; t < 96; t++, r++) {
        const mean = patch.subarray(t * 64, (t + 1) * 64).reduce((a, b) => a + b) / 64
        expect(rows[r]![0]).toBeCloseTo(mean, 4)
        expect(rows[r]![1]).toBeCloseTo(2 * mean, 4)
      }
    expect(rows).toHaveLength(r)
  })

  it('of what is too quiet to be a sound are zeros, however the sound is cut', async () => {
    // A constant offset is nothing that is heard.
    const samples = noise(64_000).fill(0.01, 16_000, 40_000)
    const frontEnd = { preset: 'yamnet', hop: 0.24 } as const
    for (const frames of [false, true]) {
      const [heard, kind] = [
        await yamnet({ frontEnd }, { frames }),
        await yamnet({ frontEnd, silence: -60 }, { frames }),
      ]
      expect(kind.id).not.toBe(heard.id)
      const [all, rows] = [await rowsOf(heard, samples), await rowsOf(kind, samples)]
      expect(await rowsOf(kind, samples, { cut: 1234 })).toEqual(rows)
      expect(rows).toHaveLength(all.length)
      const { frameStep } = kind.compute({ sampleRate: 16_000, blocks: [samples] }, { backend })
      let zeros = 0
      for (const [t, row] of rows.entries()) {
        const at = (frame: number) => Math.round(((kind.lead ?? 0) + frame * frameStep) * 16_000)
        // Where a frame is in part silence, the sound in it decides.
        const silent = samples.subarray(at(t), at(t + 1)).every((x) => x === samples[20_000])
        if (silent) zeros++
        expect(row).toEqual(silent ? [0, 0, 0] : all[t])
      }
      expect(zeros).toBeGreaterThan(frames ? 140 : 4)
    }
  })

  it('pool whatever the hop of patches of several vectors is', async () => {
    const samples = noise(64_000)
    for (const hop of [0.485, 1.2])
      expect(
        await rowsOf(
          await yamnet({ frontEnd: { preset: 'yamnet', hop }, pool: ['mean'] }, { frames: true }),
          samples,
        ),
      ).toHaveLength(1)
  })

  it('know no silence of a whole clip, and no level above full scale', async () => {
    await expect(yamnet({ silence: -60, pool: ['mean'] })).rejects.toThrow(/no silence beside pool/)
    await expect(yamnet({ silence: 3 })).rejects.toThrow(/from -200 to 0 dB for silence, got 3/)
    await expect(yamnet({ silence: NaN })).rejects.toThrow(/got NaN/)
  })

  it('of a clip without sound are an error', async () => {
    await expect(rowsOf(await yamnet(), new Float32Array(0))).rejects.toMatchObject({ code: 'INVALID_DATA' })
  })
})

const real = realData()
const model = real === null ? '' : join(real, 'models/yamnet256.onnx')
describe.skipIf(!existsSync(model))(`a real tower${existsSync(model) ? '' : ' (no SONOTEXT_DATA)'}`, () => {
  it('gives the same bits each time and tells a dog from rain', async () => {
    const kind = await onnxFeatures({ model, frontEnd: { preset: 'yamnet' }, pool: ['mean', 'max', 'std'] })
    expect(kind.cols).toBe(768)
    const vectorOf = async (file: string) => {
      const { samples, sampleRate } = await readMono(join(real!, 'esc10/audio', file))
      const first = await rowsOf(kind, samples, { sampleRate })
      expect(await rowsOf(kind, samples, { sampleRate, cut: 30_000 })).toEqual(first)
      return first[0]!
    }
    const cosine = (a: number[], b: number[]) => {
      const dot = (x: number[], y: number[]) => x.reduce((sum, value, i) => sum + value * y[i]!, 0)
      return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
    }
    const [dog, dog2, rain] = [
      await vectorOf('4-199261-A-0.wav'),
      await vectorOf('4-207124-A-0.wav'),
      await vectorOf('4-161127-A-10.wav'),
    ]
    expect(cosine(dog, dog2)).toBeGreaterThan(cosine(dog, rain) + 0.05)
  })
})
