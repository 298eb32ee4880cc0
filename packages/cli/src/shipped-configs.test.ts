import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { losses } from '@sonotext/core/losses'
import { schedules, stoppers } from '@sonotext/core/train'
import { loadConfig } from './config-file.js'

const folder = fileURLToPath(new URL('../../../examples/configs/', import.meta.url))
const load = (name: string) => loadConfig(`${folder}${name}.yaml`, [])

it.each(readdirSync(folder))('%s is a configuration', async (name) => {
  const config = await loadConfig(`${folder}${name}`, ['loss.type=info-nce'])
  expect(config.loss.type).toBe('info-nce')
})

it('the recipe of the negative-sampling paper says what the paper says', async () => {
  const config = await load('negative-sampling')
  expect(config).toMatchObject({
    features: { preset: 'thesis', sampleRate: 'native' },
    model: { similarity: { reduction: 'STSQ', padding: 'padded-compat' } },
    data: { items: 'pair' },
    training: { epochs: 120, batchSize: 32 },
  })
  expect(losses.build(config.loss).config).toMatchObject({ margin: 0.5, negatives: { type: 'semi-hard' } })
  expect(schedules.build(config.schedule).config).toMatchObject({
    ...{ factor: 0.1, patience: 5, threshold: 0.005, thresholdMode: 'absolute', minLr: 1e-6 },
  })
  expect(stoppers.build(config.stopper)!.config).toEqual({ std: 0.001, window: 10, grace: 60 })
  expect(config.validation.yardsticks).toEqual([
    { type: 'triplet', margin: 0.5, negatives: { type: 'random' } },
  ])
  for (const name of ['random', 'hard-audio']) {
    const other = await loadConfig(`${folder}negative-sampling.yaml`, [`loss.negatives.type=${name}`])
    expect(losses.build(other.loss).name).toBe(`triplet-${name}`)
  }
})

it('the baselines of DCASE say what theirs say', async () => {
  const [before, after] = [await load('dcase2022'), await load('dcase2023')]
  expect(losses.build(before.loss)).toMatchObject({ name: 'triplet-random', config: { margin: 1 } })
  expect([before.training.epochs, before.schedule['threshold'], before.stopper['std']]).toEqual([
    150, 0.01, 0.01,
  ])
  expect(losses.build(after.loss).config).toMatchObject({ temperature: 0.07, positives: 'own-pair' })
  expect([after.training.epochs, after.features['preset']]).toEqual([80, 'dcase2023'])
})

it('the recipe of the aligning paper says what the paper says', async () => {
  const config = await load('thesis-alignment')
  expect(config).toMatchObject({
    features: { preset: 'thesis', sampleRate: 'native' },
    model: {
      text: { type: 'words', trainable: false },
      similarity: { reduction: 'STSQ', padding: 'masked' },
    },
    data: { items: 'pair' },
    training: { epochs: 100, batchSize: 32 },
    validation: { monitor: 'loss' },
  })
  expect(losses.build(config.loss)).toMatchObject({ name: 'triplet-random', config: { margin: 1 } })
  expect(schedules.build(config.schedule).config).toMatchObject({
    ...{ factor: 0.1, patience: 5, threshold: 0.001, thresholdMode: 'relative' },
  })
  expect(stoppers.build(config.stopper)!.config).toEqual({ std: 0.01, window: 10, grace: 60 })
  for (const reduction of ['MTSQ', 'MQST']) {
    const other = await loadConfig(`${folder}thesis-alignment.yaml`, [
      `model.similarity.reduction=${reduction}`,
    ])
    expect(other.model.similarity).toMatchObject({ type: 'frame-word', reduction })
  }
})
