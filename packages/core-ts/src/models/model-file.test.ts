import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBackend } from '../backend/index.js'
import { readSafetensors, type NamedTensor, type TensorFile, writeSafetensors } from '../base/index.js'
import { Rng } from '../base/rng.js'
import { Linear, Parameter, withinWeights } from '../nn/index.js'
import { Vocabulary } from '../text/index.js'
import { crnn, dualEncoder, loadModel, meanWords, projection, saveModel, words } from './index.js'

const backend = openBackend()
const vocabulary = Vocabulary.build([['a', 'dog', 'barks']])
const models = {
  crnn: () => dualEncoder({ audio: crnn({ hidden: 2 }), text: words({ vocabulary, dim: 4 }), backend }),
  projection: () =>
    dualEncoder({
      audio: projection({ inputs: 5, dim: 4, hidden: [3] }),
      text: meanWords({ vocabulary, dim: 6, project: 4, trainable: false }),
      backend,
    }),
}
type Config = Record<'audio' | 'text', Record<string, unknown>> & Record<string, unknown>

let folder: string
const saved = new Map<string, TensorFile>()
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-model-file-'))
  for (const [name, make] of Object.entries(models)) {
    using model = make()
    await saveModel(model, join(folder, name))
    saved.set(name, await readSafetensors(join(folder, name)))
  }
})
afterAll(() => rm(folder, { recursive: true }))

/** A file of one of the models whose tensors or description were changed. */
async function changed(
  of: keyof typeof models,
  change: (file: { config: Config; tensors: Map<string, NamedTensor> }) => void,
  describe = (model: Config): unknown => ({ model }),
): Promise<string> {
  const path = join(folder, 'changed')
  const { tensors: all, metadata } = saved.get(of)!
  const { model: config } = JSON.parse(metadata['content']!) as { model: Config }
  const tensors = new Map(all)
  change({ config, tensors })
  await writeSafetensors(path, tensors, { ...metadata, content: JSON.stringify(describe(config)) })
  return path
}

describe('a model file', () => {
  it.each(Object.keys(models) as (keyof typeof models)[])('gives the model back: %s', async (of) => {
    using model = await loadModel(join(folder, of), { backend })
    using same = models[of]()
    expect(model.id).toBe(same.id)
  })

  it.each<[string, unknown]>([
    ['null', null],
    ['nothing', {}],
    ['an empty model', { model: {} }],
    ['a model that is text', { model: 'crnn' }],
    ['parts that are numbers', { model: { audio: 1, text: 2, similarity: 3 } }],
  ])('that describes %s is refused by name', async (_, body) => {
    const path = await changed(
      'crnn',
      () => {},
      () => body,
    )
    await expect(loadModel(path, { backend })).rejects.toMatchObject({ code: 'INVALID_FILE', file: path })
  })

  // Without a look at what the file holds, some of these take gigabytes and minutes.
  it.each<[string, keyof typeof models, (config: Config) => unknown]>([
    ['a huge GRU', 'crnn', ({ audio }) => (audio['hidden'] = 1e6)],
    ['huge frames', 'crnn', ({ audio }) => (audio['bands'] = 64 * 2 ** 24)],
    ['huge word vectors', 'crnn', ({ text }) => (text['dim'] = 1e9)],
    ['huge frozen word vectors', 'projection', ({ text }) => (text['dim'] = 1e9)],
    ['huge inputs', 'projection', ({ audio }) => (audio['inputs'] = 1e9)],
    ['a huge hidden layer', 'projection', ({ audio }) => (audio['hidden'] = [1e5, 1e5])],
    ['a thousand layers', 'projection', ({ audio }) => (audio['hidden'] = Array(1000).fill(1000))],
    ['a huge projection', 'projection', ({ text, audio }) => (text['project'] = audio['dim'] = 1e8)],
    ['a size that is no number', 'crnn', ({ audio }) => (audio['hidden'] = '2')],
    ['a size below nothing', 'crnn', ({ audio }) => (audio['hidden'] = -2)],
    ['a share above 1', 'crnn', ({ audio }) => (audio['dropout'] = 1e3)],
    ['a share that is text', 'projection', ({ audio }) => (audio['dropout'] = 'often')],
    ['layers that are no list', 'projection', ({ audio }) => (audio['hidden'] = { length: 1e9 })],
    [
      'words that are numbers',
      'crnn',
      ({ text }) => (text['vocabulary'] = { words: [1, 2, 3], counts: [1, 1, 1] }),
    ],
    [
      'counts that are text',
      'crnn',
      ({ text }) => (text['vocabulary'] = { words: ['a', 'b', 'c'], counts: ['', '', ''] }),
    ],
    ['no vocabulary', 'crnn', ({ text }) => (text['vocabulary'] = null)],
    ['yes for true', 'crnn', ({ text }) => (text['trainable'] = 'yes')],
    ['a projection of text', 'projection', ({ text }) => (text['project'] = 'four')],
    ['a kind that is there in every object', 'crnn', ({ audio }) => (audio['kind'] = 'constructor')],
    ['a kind that is a list', 'crnn', ({ audio }) => (audio['kind'] = ['crnn'])],
    [
      'a similarity there is none of',
      'crnn',
      (config) => (config['similarity'] = { kind: 'pooled', more: 1 }),
    ],
  ])('with %s is refused before memory is taken', async (_, of, change) => {
    const path = await changed(of, ({ config }) => void change(config))
    await expect(loadModel(path, { backend })).rejects.toMatchObject({ code: 'INVALID_FILE', file: path })
  })

  it('with other tensors than it describes is refused by name', async () => {
    const spoil: ((tensors: Map<string, NamedTensor>) => unknown)[] = [
      (tensors) => tensors.delete('audio.bn1.gamma'),
      (tensors) => tensors.set('audio.more', { shape: [1], data: new Float32Array(1) }),
      (tensors) => tensors.set('audio.bn1.gamma', { shape: [1], data: new Float64Array(1) }),
      (tensors) => tensors.set('audio.bn1.gamma', { shape: [2], data: new Float32Array(2) }),
      (tensors) => tensors.set('audio.bn1.gamma', { shape: [1, 1], data: new Float32Array(1) }),
    ]
    for (const change of spoil) {
      const path = await changed('crnn', ({ tensors }) => void change(tensors))
      await expect(loadModel(path, { backend }), String(change)).rejects.toMatchObject({
        code: 'INVALID_FILE',
        file: path,
      })
    }
  })
})

describe('a limit of weights', () => {
  it('lets modules have exactly so many numbers, and draws none past it', () => {
    const layer = () => new Linear(backend, 3, 2, { rng: new Rng(1) })
    expect(withinWeights(8, layer).bias!.size).toBe(2)
    expect(() => withinWeights(7, layer)).toThrow(/got 2 numbers where 1 are left/)
    let drawn = 0
    const large = () => Parameter.from(backend, [2 ** 40], () => (drawn++, []))
    expect(() => withinWeights(1e6, large)).toThrow(/no more weights than there are/)
    expect(drawn).toBe(0)
  })

  it('counts on behind an inner one, and ends with an error', () => {
    withinWeights(3, () => {
      withinWeights(2, () => Parameter.from(backend, [2], [1, 2]))
      expect(() => withinWeights(1, () => Parameter.from(backend, [2], [1, 2]))).toThrow()
      expect(Parameter.from(backend, [3], [1, 2, 3]).size).toBe(3)
    })
    expect(Parameter.from(backend, [4], [1, 2, 3, 4]).size).toBe(4)
  })
})
