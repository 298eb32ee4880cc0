import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBackend } from '../backend/index.js'
import { matrix, row } from '../base/matrix.js'
import { writeNpy } from '../base/npy.js'
import type { SentenceTower } from '../text/index.js'
import { tinyTextTower, tinyTokenizer } from '../testing/tiny-onnx.js'
import { dualEncoder, modelFromConfig } from './dual-encoder.js'
import { frozen } from './frozen.js'
import { projection } from './projection.js'
import { textEncoders } from './registry.js'
import { sentences, type SentencesOptions } from './sentences.js'

const backend = openBackend()
let folder: string
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'sonotext-sentences-'))))
afterAll(() => rm(folder, { recursive: true }))

const tower: SentenceTower = {
  ...{ name: 'letters', id: 'letters', cols: 3, costly: false },
  async embed(captions) {
    const out = matrix(captions.length, 3)
    for (const [i, { text }] of captions.entries())
      out.data.set([text.length, text.charCodeAt(0) - 96, 1], 3 * i)
    return out
  },
}
const spec = (more: Partial<SentencesOptions> = {}) =>
  sentences({ config: { kind: 'letters' }, inputs: 3, tower: async () => tower, ...more })
const model = (more: Partial<SentencesOptions> = {}) =>
  dualEncoder({ audio: frozen({ inputs: 3 }), text: spec(more), backend })

describe('captions behind a sentence encoder', () => {
  it('are its vectors at unit length, in any order and company', async () => {
    const { text } = model()
    const all = await text.embed(['ab', '', 'z', 'ab'])
    expect([...row(all, 0)]).toEqual([...row(all, 3)])
    expect([...row(all, 1)]).toEqual([0, 0, 0])
    const length = Math.hypot(2, 1, 1)
    for (const [i, x] of [2, 1, 1].entries()) expect(row(all, 0)[i]).toBeCloseTo(x / length, 6)
    expect([...(await text.embed(['z'])).data]).toEqual([...row(all, 2)])
  })

  it('with a head have its length, and nothing for no words', async () => {
    const headed = dualEncoder({
      audio: projection({ inputs: 7, dim: 4 }),
      text: spec({ project: 4, hidden: [5] }),
      backend,
    })
    const all = await headed.text.embed(['ab', ' '])
    expect([all.rows, all.cols]).toEqual([2, 4])
    expect(Math.hypot(...row(all, 0))).toBeCloseTo(1, 5)
    expect([...row(all, 1)]).toEqual([0, 0, 0, 0])
    expect([...headed.text.encoder.parameters().keys()]).toEqual([
      ...['linear1.weight', 'linear1.bias', 'linear2.weight', 'linear2.bias'],
    ])
    expect(() => spec({ hidden: [5] })).toThrow(/project/)
  })

  it('have to be known before they are encoded; their own tokens do not matter', async () => {
    const { text } = model()
    expect(() => text.encode('ab')).toThrow(
      /Expected a caption whose vector is known, got "ab"\. Call await model\.text\.prepare/,
    )
    await text.prepare([{ text: 'ab', tokens: ['a', 'b'] }])
    expect([...text.encode({ text: 'ab', tokens: ['a', 'b'] })]).toEqual([1])
  })

  it('of a tower with other vectors than in training are refused', async () => {
    await expect(model({ inputs: 4, project: 3 }).text.embed(['a'])).rejects.toThrow(
      /vectors of 4 numbers as in training/,
    )
  })
})

describe('by configuration', () => {
  const setting = { captions: [], seed: 1 }
  it('an ONNX tower is held by its hash in the model file', async () => {
    const file = join(folder, 'text.onnx')
    await writeFile(file, tinyTextTower())
    await writeFile(join(folder, 'tokenizer.json'), tinyTokenizer())
    const built = await textEncoders.build({ type: 'onnx', model: file, project: 6 }, setting)
    const first = dualEncoder({ audio: projection({ inputs: 2, dim: 6 }), text: built, backend })
    const again = modelFromConfig(structuredClone(first.config), { backend })
    again.load(first.state())
    expect(again.id).toBe(first.id)
    const wanted = await first.text.embed(['a dog barks'])
    expect(await again.text.embed(['a dog barks'])).toEqual(wanted)
    await writeFile(file, tinyTextTower({ dim: 3, pooled: true }))
    await expect(modelFromConfig(first.config, { backend }).text.embed(['rain'])).rejects.toMatchObject({
      code: 'INVALID_FILE',
      file,
    })
  })

  it('vectors made elsewhere go by the ids of captions, or by their texts', async () => {
    const file = join(folder, 'captions.npy')
    await writeNpy(file, matrix(3, 2, Float32Array.of(3, 4, 0, 1, 1, 0)))
    await writeFile(join(folder, 'captions.ids.txt'), 'a#1\na#2\na question\n')
    const text = await textEncoders.build({ type: 'vectors', file }, setting)
    const { text: side } = dualEncoder({ audio: frozen({ inputs: 2 }), text, backend })
    const all = await side.embed([{ id: 'a#2', text: 'x' }, { id: 'a#1', text: 'y' }, 'a question'])
    expect([...all.data].map((x) => Number(x.toFixed(4)))).toEqual([0, 1, 0.6, 0.8, 1, 0])
    await expect(side.embed(['another'])).rejects.toMatchObject({ code: 'INVALID_DATA', file })
    await expect(side.embed([{ id: 'b', text: 'z' }])).rejects.toThrow(
      /Expected a vector for the caption "b"/,
    )
  })
})
