import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBackend } from '../backend/index.js'
import { buildGuards, buildLoss, buildModel, buildOptimizer, buildSchedule, buildStopper } from './build.js'
import { parseConfig } from './config.js'

const backend = openBackend()
const captions = ['a dog barks', 'rain falls on a roof', 'a dog in the rain'].map((text) => text.split(' '))
const config = (more: object) => parseConfig({ data: { manifest: 'm' }, ...more })
const features = { preset: 'thesis', sampleRate: 22_050 }

let folder: string
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'sonotext-build-'))))
afterAll(() => rm(folder, { recursive: true }))

describe('a model from a configuration', () => {
  it('has the size, score and features it asks for, the same for the same seed', async () => {
    const options = { backend, features }
    const small = config({ text: { dim: 8 }, model: { score: 'mtsq' } })
    const model = await buildModel(small, captions, options)
    expect(model.dim).toBe(8)
    expect(model.config).toMatchObject({
      audio: { kind: 'crnn', hidden: 4, dropout: 0.3 },
      text: { kind: 'words', dim: 8, trainable: false },
      similarity: { kind: 'frame-word', reduction: 'MTSQ' },
      features,
    })
    expect((await buildModel(small, captions, options)).id).toBe(model.id)
    expect((await buildModel({ ...small, seed: 18 }, captions, options)).id).not.toBe(model.id)
  })

  it('the thesis CRNN by default: 732,354 parameters', async () => {
    const model = await buildModel(config({ text: { trainable: false } }), captions, { backend, features })
    const sizes = [...model.audio.encoder.parameters().values()].map(({ size }) => size)
    expect(sizes.reduce((a, b) => a + b)).toBe(732_354)
  })

  it('pooled scores take one vector a caption', async () => {
    const { config: built } = await buildModel(
      config({ text: { dim: 8, trainable: true, minCount: 2 }, model: { score: 'pooled' } }),
      captions,
      { backend, features },
    )
    expect(built).toMatchObject({
      text: { kind: 'mean-words', trainable: true, vocabulary: { words: ['a', 'dog', 'rain'] } },
      similarity: { kind: 'pooled' },
    })
  })

  it('takes word vectors from a file, and their length from there', async () => {
    const vectors = join(folder, 'vectors.txt')
    await writeFile(vectors, 'dog 1 0 0 0\nrain 0 1 0 0\na 0 0 1 0\n')
    const model = await buildModel(config({ text: { vectors } }), captions, { backend, features })
    expect(model.dim).toBe(4)
    const odd = join(folder, 'odd.txt')
    await writeFile(odd, 'dog 1 0 0\nrain 0 1 0\na 0 0 1\n')
    await expect(
      buildModel(config({ text: { vectors: odd } }), captions, { backend, features }),
    ).rejects.toThrow(/odd\.txt: Expected vectors of even length, got 3\./)
    await expect(
      buildModel(config({ text: { vectors: join(folder, 'none.txt') } }), captions, { backend, features }),
    ).rejects.toMatchObject({ code: 'MISSING_FILE' })
  })
})

it('loss, optimiser, schedule and stopper follow their keys', () => {
  expect(buildLoss(config({ loss: { negatives: 'hard-text' } })).name).toContain('hard-text')
  expect(buildLoss(config({ loss: { type: 'info-nce' } })).name).toContain('info')
  expect(buildOptimizer(config({ training: { learningRate: 0.02 } }))).toMatchObject({
    lr: 0.02,
    name: 'adam',
  })
  expect(buildOptimizer(config({ training: { decoupledWeightDecay: true } })).name).toBe('adamw')
  for (const schedule of ['constant', 'plateau', 'cosine']) {
    expect(buildSchedule(config({ training: { schedule } })).name).toBe(schedule)
  }
  const warm = buildSchedule(
    config({ training: { schedule: 'cosine', warmupEpochs: 2, minLearningRate: 0.1, learningRate: 1 } }),
  )
  const rates = warm.start({ base: 1, epochs: 10 })
  expect([rates.rate(1), rates.rate(2), rates.rate(10)]).toEqual([0.5, 1, 0.1])
  expect(buildStopper(config({}))).toBeNull()
  expect(buildStopper(config({ training: { earlyStopping: 2 } }))?.start().epochEnd).toBeTypeOf('function')
  const plateau = { plateauThreshold: 0.005, plateauThresholdMode: 'absolute' }
  expect(buildSchedule(config({ training: plateau })).config).toMatchObject({
    threshold: 0.005,
    thresholdMode: 'absolute',
  })
  const still = { stagnationWindow: 10, stagnationStd: 0.001, stagnationGrace: 60 }
  expect(buildStopper(config({ training: still }))?.config).toEqual({ std: 0.001, window: 10, grace: 60 })
  const shared = config({ loss: { type: 'info-nce', positives: 'same-clip', guardEqualCaptions: true } })
  expect(buildLoss(shared).config).toMatchObject({ positives: 'same-clip' })
  expect(buildGuards(shared).map(({ name }) => name)).toEqual(['equal-captions'])
  expect(buildGuards(config({}))).toEqual([])
})

it('refuses keys that do not fit each other', () => {
  expect(() => config({ training: { earlyStopping: 3, stagnationWindow: 10 } })).toThrow(/one of them stops/)
  for (const key of ['monitor', 'watch'])
    expect(() => config({ training: { [key]: 'mAP@10', retrieval: false } })).toThrow(/retrieval false/)
})
