import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBackend } from '../backend/index.js'
import { matrix, row } from '../base/matrix.js'
import { writeNpy } from '../base/npy.js'
import { concatenatedTower, embedKept, type SentenceTower } from '../text/index.js'
import { tinyTextTower, tinyTokenizer } from '../testing/tiny-onnx.js'
import { dualEncoder, modelFromConfig } from './dual-encoder.js'
import { frozen } from './frozen.js'
import { projection } from './projection.js'
import { textEncoders } from './registry.js'
import { sentenceTowers } from './sentence-towers.js'
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

  it('several towers stand side by side, each held by its hash and kept for itself', async () => {
    const own = join(folder, 'several')
    await mkdir(own)
    const at = (name: string) => join(own, name)
    for (const [name, dim] of Object.entries({ one: 3, two: 2 })) {
      await mkdir(at(name))
      await writeFile(at(`${name}/text.onnx`), tinyTextTower({ dim, pooled: true }))
      await writeFile(at(`${name}/tokenizer.json`), tinyTokenizer())
    }
    await writeNpy(at('captions.npy'), matrix(2, 2, Float32Array.of(3, 4, 0, 1)))
    await writeFile(at('captions.ids.txt'), 'rain#1\na dog barks\n')
    const [one, two] = ['one', 'two'].map((name) => ({ type: 'onnx', model: at(`${name}/text.onnx`) }))
    const towers = [one!, { type: 'vectors', file: at('captions.npy') }, two!]
    const built = await textEncoders.build({ type: 'concatenated', towers, project: 6 }, setting)
    const first = dualEncoder({ audio: projection({ inputs: 2, dim: 6 }), text: built, backend })
    const captions = [{ id: 'rain#1', text: 'rain falls' }, 'a dog barks']
    const embed = async (config: { readonly type: string; readonly [key: string]: unknown }) => {
      const text = await textEncoders.build(config, setting)
      return dualEncoder({ audio: frozen({ inputs: text.dim }), text, backend }).text.embed(captions)
    }
    // Without a head: what each gives, side by side, at unit length again.
    const plain = await embed({ type: 'concatenated', towers: [one, two] })
    const [a, b] = [await embed(one!), await embed(two!)]
    expect(plain.cols).toBe(5)
    for (const r of [0, 1]) {
      const [x, y] = [row(plain, r).subarray(0, 3), row(plain, r).subarray(3)]
      const [longX, longY] = [Math.hypot(...x), Math.hypot(...y)]
      expect(Math.hypot(longX, longY)).toBeCloseTo(1, 5)
      for (const [c, value] of x.entries()) expect(value / longX).toBeCloseTo(row(a, r)[c]!, 5)
      for (const [c, value] of y.entries()) expect(value / longY).toBeCloseTo(row(b, r)[c]!, 5)
    }
    const hash = expect.stringMatching(/^[0-9a-f]{64}$/) as string
    expect(first.config.text).toMatchObject({
      ...{ kind: 'concatenated', inputs: 7, project: 6 },
      towers: [{ ...one, sha256: hash }, { type: 'vectors' }, { ...two, sha256: hash }],
    })
    const again = modelFromConfig(structuredClone(first.config), { backend })
    again.load(first.state())
    expect(again.id).toBe(first.id)
    expect(await again.text.embed(captions)).toEqual(await first.text.embed(captions))
    // Vectors of each are kept under its own name, those of a file are not.
    const open = await Promise.all(towers.map((tower) => sentenceTowers.build(tower)))
    const together = concatenatedTower(open.map(({ tower }) => tower))
    const sentencesOf = captions.map((caption) => (typeof caption === 'string' ? { text: caption } : caption))
    const made = await embedKept(together, sentencesOf, { cacheFolder: at('kept') })
    expect((await readdir(at('kept'))).toSorted()).toEqual([open[0]!.tower.id, open[2]!.tower.id].toSorted())
    expect(made).toEqual(await together.embed(sentencesOf))
    expect([...row(made, 1).subarray(3, 5)]).toEqual([0, 1])
    await writeFile(at('two/text.onnx'), tinyTextTower({ dim: 2 }))
    await expect(modelFromConfig(first.config, { backend }).text.embed(captions)).rejects.toMatchObject({
      code: 'INVALID_FILE',
      file: at('two/text.onnx'),
    })
    await expect(textEncoders.build({ type: 'concatenated', towers: [] }, setting)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
  })
})
