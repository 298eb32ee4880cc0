import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBackend } from '../backend/index.js'
import { losses } from '../losses/index.js'
import { optimizers, schedules, stoppers } from '../train/index.js'
import { buildGuards, buildModel, buildYardsticks } from './build.js'
import { parseConfig } from './config.js'

const backend = openBackend()
const captions = ['a dog barks', 'rain falls on a roof', 'a dog in the rain'].map((text) => text.split(' '))
const config = (more: object = {}) => parseConfig({ data: { manifest: 'm' }, ...more })
const options = { backend, bands: 64 }

let folder: string
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'sonotext-build-'))))
afterAll(() => rm(folder, { recursive: true }))

describe('a model from a configuration', () => {
  it('has the size, score and features it asks for, the same for the same seed', async () => {
    const small = config({
      features: { sampleRate: 'native' },
      model: { text: { dim: 8 }, similarity: { type: 'frame-word', reduction: 'MTSQ' } },
    })
    const model = await buildModel(small, captions, options)
    expect(model.dim).toBe(8)
    expect(model.config).toMatchObject({
      audio: { kind: 'crnn', bands: 64, hidden: 4, dropout: 0.3 },
      text: { kind: 'words', dim: 8, trainable: false },
      similarity: { kind: 'frame-word', reduction: 'MTSQ' },
      features: { type: 'log-mel', preset: 'thesis', sampleRate: 'native' },
    })
    expect((await buildModel(small, captions, options)).id).toBe(model.id)
    expect((await buildModel({ ...small, seed: 18 }, captions, options)).id).not.toBe(model.id)
  })

  it('the thesis CRNN by default: 732,354 parameters', async () => {
    const model = await buildModel(config(), captions, options)
    const sizes = [...model.audio.encoder.parameters().values()].map(({ size }) => size)
    expect(sizes.reduce((a, b) => a + b)).toBe(732_354)
  })

  it('takes the width of its input from the features', async () => {
    const model = await buildModel(config({ model: { text: { dim: 8 } } }), captions, { backend, bands: 128 })
    expect(model.audio.encoder.bands).toBe(128)
    const flat = config({ model: { audio: { type: 'projection', hidden: [5] }, text: { dim: 7 } } })
    const projected = await buildModel(flat, captions, { backend, bands: 12 })
    expect([projected.audio.encoder.bands, projected.dim]).toEqual([12, 7])
  })

  it('mean words give one vector a caption', async () => {
    const { config: built } = await buildModel(
      config({
        model: { text: { type: 'mean-words', dim: 8, trainable: true, minCount: 2 }, similarity: 'pooled' },
      }),
      captions,
      options,
    )
    expect(built).toMatchObject({
      text: { kind: 'mean-words', trainable: true, vocabulary: { words: ['a', 'dog', 'rain'] } },
      similarity: { kind: 'pooled' },
    })
  })

  it('takes word vectors from a file, and their length from there', async () => {
    const withVectors = (vectors: string, text: object = {}) =>
      config({ model: { text: { vectors, ...text } } })
    const vectors = join(folder, 'vectors.txt')
    await writeFile(vectors, 'dog 1 0 0 0\nrain 0 1 0 0\na 0 0 1 0\n')
    expect((await buildModel(withVectors(vectors), captions, options)).dim).toBe(4)
    const odd = join(folder, 'odd.txt')
    await writeFile(odd, 'dog 1 0 0\nrain 0 1 0\na 0 0 1\n')
    await expect(buildModel(withVectors(odd), captions, options)).rejects.toThrow(
      /Expected vectors of even length from the text encoder for a CRNN, got 3\./,
    )
    expect((await buildModel(withVectors(odd, { project: 6 }), captions, options)).dim).toBe(6)
    await expect(buildModel(withVectors(join(folder, 'none.txt')), captions, options)).rejects.toMatchObject({
      code: 'MISSING_FILE',
    })
  })
})

it('loss, optimiser, schedule and stopper follow their keys', () => {
  const built = (more: object) => {
    const { loss, optimizer, schedule, stopper } = config(more)
    return {
      loss: losses.build(loss),
      optimizer: optimizers.build(optimizer),
      schedule: schedules.build(schedule),
      stopper: stoppers.build(stopper),
    }
  }
  expect(built({}).loss).toMatchObject({ name: 'triplet-semi-hard', config: { margin: 0.5 } })
  expect(built({ loss: { negatives: 'hard-text', margin: 0.2 } }).loss).toMatchObject({
    name: 'triplet-hard-text',
    config: { margin: 0.2 },
  })
  expect(built({ loss: { type: 'info-nce', temperature: 0.1 } }).loss.config).toMatchObject({
    temperature: 0.1,
    positives: 'own-pair',
  })
  expect(built({ optimizer: { lr: 0.02 } }).optimizer).toMatchObject({ lr: 0.02, name: 'adam' })
  expect(built({ optimizer: 'adamw' }).optimizer.name).toBe('adamw')
  for (const name of schedules.names) expect(built({ schedule: name }).schedule.name).toBe(name)
  const warm = built({ schedule: { type: 'cosine', warmup: 2, end: 0.1 }, optimizer: { lr: 1 } }).schedule
  const rates = warm.start({ base: 1, epochs: 10 })
  expect([rates.rate(1), rates.rate(2), rates.rate(10)]).toEqual([0.5, 1, 0.1])
  expect(built({}).stopper).toBeNull()
  const stopper = built({ stopper: { type: 'patience', patience: 2 } }).stopper!.start()
  expect([1, 1, 1].map((metric) => stopper.epochEnd(metric) === null)).toEqual([true, true, false])
  const still = built({ stopper: { type: 'stagnation', grace: 2, window: 2 } }).stopper!.start()
  expect([1, 1].map((metric) => still.epochEnd(metric) === null)).toEqual([true, false])
})

it('guards may read files, and yardsticks go by the names of their losses', async () => {
  const file = join(folder, 'same.csv')
  await writeFile(file, 'clip,caption\na,b#1\n')
  const guarded = config({ guards: ['equal-captions', { type: 'given-pairs', file }] })
  const [, given] = await buildGuards(guarded)
  const items = ['a', 'b'].map((id, group) => ({ clip: { id }, caption: { id: `${id}#1`, text: id }, group }))
  expect([...given!.pairs({ items, planes: {}, step: 1, epoch: 0 })]).toEqual([[0, 1]])
  expect(() => config({ guards: ['given-pairs'] })).toThrow(/missing key guards\[0\]\.file/)
  const yardsticks = buildYardsticks(config({ validation: { yardsticks: [{ negatives: 'random' }] } }))
  expect(Object.keys(yardsticks)).toEqual(['triplet-random'])
})
