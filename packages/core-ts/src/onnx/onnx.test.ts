import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tinyAudioTower, tinyWeights } from '../testing/tiny-onnx.js'
import { describeOnnx, onnxRuntime, OnnxGraph, openOnnx, pickOutput } from './index.js'

let folder: string
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'sonotext-onnx-'))))
afterAll(() => rm(folder, { recursive: true }))

const written = async (name: string, bytes: Uint8Array): Promise<string> => {
  const file = join(folder, name)
  await writeFile(file, bytes)
  return file
}

describe('a model file', () => {
  it('says what it takes and gives', () => {
    expect(describeOnnx(tinyAudioTower())).toMatchObject({
      producer: 'sonotext',
      opset: 17,
      inputs: [{ name: 'patch', type: 'float32', shape: ['n', 96, 64] }],
      outputs: [{ name: 'embedding', type: 'float32', shape: ['n', 64 - 61] }],
      foreign: [],
      parameters: 192,
      external: false,
    })
  })

  it('keeps free texts', () => {
    const graph = new OnnxGraph('x')
    graph.output({
      name: graph.input({ name: 'x', type: 'int64', shape: [null, 'n', 2] }),
      type: 'int64',
      shape: [],
    })
    const { metadata, inputs } = describeOnnx(graph.encode({ frontEnd: '{"ä":1}' }))
    expect(metadata).toEqual({ frontEnd: '{"ä":1}' })
    expect(inputs[0]!.shape).toEqual([null, 'n', 2])
  })

  it('that is none, or damaged anywhere, is INVALID_FILE or still a model, never anything else', () => {
    const whole = tinyAudioTower()
    const safe = (bytes: Uint8Array) => {
      try {
        describeOnnx(bytes, 'x.onnx')
      } catch (error) {
        expect(error).toMatchObject({ code: 'INVALID_FILE', file: 'x.onnx' })
      }
    }
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
        safe(whole.subarray(0, at))
        safe(whole.with(at, byte))
      }),
      { numRuns: 300 },
    )
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), safe))
    expect(() => describeOnnx(new TextEncoder().encode('<!doctype html>'), 'x')).toThrow(
      /Expected an ONNX model/,
    )
  })
})

describe('running', () => {
  const row = (value: number, cols = 3) =>
    Array.from({ length: cols }, (_, j) => {
      const weights = tinyWeights(64, cols)
      let sum = 0
      for (let i = 0; i < 64; i++) sum += value * weights[i * cols + j]!
      return sum
    })

  it('gives what can be computed by hand, in the types that the model takes', async () => {
    for (const type of ['float32', 'float16', 'float64'] as const) {
      const file = await written(`${type}.onnx`, tinyAudioTower({ type }))
      const model = await openOnnx(file)
      const data = new Float32Array(2 * 96 * 64).fill(0.5).fill(-2, 96 * 64)
      const out = (await model.run({ patch: { shape: [2, 96, 64], data } })).get('embedding')!
      expect(out.shape).toEqual([2, 3])
      for (const [i, wanted] of [...row(0.5), ...row(-2)].entries())
        expect(out.data[i]).toBeCloseTo(wanted, 4)
    }
  })

  it('is of another file than the one that was meant: refused', async () => {
    const file = await written('pinned.onnx', tinyAudioTower())
    const { sha256 } = await openOnnx(file)
    await expect(openOnnx(file, { sha256 })).resolves.toMatchObject({ sha256 })
    await written('pinned.onnx', tinyAudioTower({ dim: 4 }))
    await expect(openOnnx(file, { sha256 })).rejects.toMatchObject({ code: 'INVALID_FILE', file })
  })

  it('needs a runtime, an operator that it knows, and inputs of the right extent', async () => {
    await expect(onnxRuntime(() => Promise.reject(new Error('not there')))).rejects.toMatchObject({
      code: 'MISSING_DEPENDENCY',
      message: expect.stringContaining('npm install onnxruntime-web') as string,
    })
    const graph = new OnnxGraph('strange')
    const x = graph.input({ name: 'x', type: 'float32', shape: [1] })
    graph.output({ name: graph.node('Teleport', [x]), type: 'float32', shape: [1] })
    const strange = await written('strange.onnx', graph.encode())
    await expect(openOnnx(strange)).rejects.toMatchObject({ code: 'UNSUPPORTED', file: strange })
    const model = await openOnnx(await written('tiny.onnx', tinyAudioTower()))
    await expect(model.run({ patch: { shape: [1, 2], data: new Float32Array(2) } })).rejects.toMatchObject({
      code: 'INVALID_DATA',
    })
    await expect(openOnnx(join(folder, 'none.onnx'))).rejects.toMatchObject({ code: 'MISSING_FILE' })
  })

  it('takes the output that is named, or one with a usual name', async () => {
    const graph = new OnnxGraph('two')
    const x = graph.input({ name: 'x', type: 'float32', shape: ['n', 2] })
    for (const name of ['logits', 'audio_embeds', 'other']) {
      graph.node('Identity', [x], { outputs: [name] })
      graph.output({ name, type: 'float32', shape: ['n', 2] })
    }
    const model = await openOnnx(await written('two.onnx', graph.encode()))
    expect(pickOutput(model)).toBe('audio_embeds')
    expect(pickOutput(model, 'other')).toBe('other')
    expect(() => pickOutput(model, 'none')).toThrow(/logits \[n, 2\] float32, audio_embeds/)
  })

  it('gives a value within the model where it is asked for', async () => {
    const file = await written('within.onnx', tinyAudioTower())
    const { inner } = describeOnnx(await readFile(file))
    expect(inner).toHaveLength(1)
    const plain = await openOnnx(file)
    expect(() => pickOutput(plain, inner[0])).toThrow(/one of the 1 values within/)
    const model = await openOnnx(file, { output: inner[0] })
    expect(model.sha256).toBe(plain.sha256)
    expect(pickOutput(model, inner[0])).toBe(inner[0])
    const data = new Float32Array(96 * 64).fill(0.25)
    const given = await model.run({ patch: { shape: [1, 96, 64], data } })
    expect(given.get(inner[0]!)).toEqual({ shape: [1, 64], data: new Float32Array(64).fill(0.25) })
    expect(given.get('embedding')!.shape).toEqual([1, 3])
    const as = await openOnnx(file, { output: 'embedding' })
    expect(as.description.outputs).toEqual(plain.description.outputs)
  })
})

it('the tiny tower is a file that others can read', async () => {
  const file = await written('again.onnx', tinyAudioTower({ frames: true }))
  expect(describeOnnx(await readFile(file)).outputs[0]!.shape).toEqual(['n', 96, 3])
})
