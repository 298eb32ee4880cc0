import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { logMelPresets } from '../audio/index.js'
import { losses } from '../losses/index.js'
import { strategies } from '../negatives/index.js'
import { changedKeys, configJsonSchema, configKeys, parseConfig, setKeys, valueAt } from './config.js'

const minimal = { data: { manifest: 'm.jsonl' } }
const refused = (more: object): string => {
  try {
    parseConfig({ ...minimal, ...more })
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('was not refused')
}

describe('a configuration', () => {
  it('fills every default of every group and of the parts that are chosen', () => {
    const config = parseConfig(minimal)
    expect(config.training.batchSize).toBe(32)
    expect(config.loss).toEqual({ type: 'triplet', margin: 0.5, negatives: { type: 'semi-hard' } })
    expect(config.stopper).toEqual({ type: 'never' })
    const chosen = (when: readonly string[]): boolean =>
      when.every((choice) => valueAt(config, choice.split('=')[0]!) === choice.split('=')[1])
    for (const { key, when, default: value } of configKeys())
      if (value !== undefined && chosen(when) && !key.includes('[]'))
        expect(valueAt(config, key), key).toEqual(key === 'loss.negatives' ? { type: 'semi-hard' } : value)
  })

  it('leaves the given object alone', () => {
    parseConfig(minimal)
    expect(minimal).toEqual({ data: { manifest: 'm.jsonl' } })
  })

  it('takes a part by its name alone', () => {
    const { loss, guards, schedule } = parseConfig({
      ...minimal,
      loss: { negatives: 'hard' },
      guards: ['equal-captions'],
      schedule: 'constant',
    })
    expect([loss, guards, schedule]).toEqual([
      { type: 'triplet', margin: 0.5, negatives: { type: 'hard' } },
      [{ type: 'equal-captions' }],
      { type: 'constant' },
    ])
  })

  it('refuses unknown keys with the nearest known one, of the group or of another', () => {
    expect(() => parseConfig({ ...minimal, training: { epoch: 3 } }, { source: 'run.yaml' })).toThrow(
      /^run\.yaml: unknown key training\.epoch \(did you mean training\.epochs\?\)/,
    )
    expect(refused({ margin: 1 })).toMatch(/unknown key margin \(did you mean loss\.margin\?\)/)
    expect(refused({ flavour: 1 })).toMatch(/unknown key flavour\. Every key/)
    expect(refused({ loss: { margn: 1 } })).toMatch(/unknown key loss\.margn \(did you mean loss\.margin\?\)/)
    expect(refused({ validation: {}, training: { learningRate: 1 } })).toMatch(
      /unknown key training\.learningRate \(did you mean optimizer\.lr\?\)/,
    )
  })

  it('refuses a key of another choice, and says which has it', () => {
    expect(refused({ loss: { type: 'triplet', temperature: 3 } })).toMatch(
      /loss\.temperature: a key of loss\.type info-nce, soft-target, sigmoid, not of triplet/,
    )
    expect(refused({ loss: { type: 'info-nce', margin: 3 } })).toMatch(
      /loss\.margin: a key of loss\.type triplet, graded-margin, not of info-nce/,
    )
    expect(refused({ schedule: { warmup: 1 } })).toMatch(
      /schedule\.warmup: a key of schedule\.type cosine, not of plateau/,
    )
  })

  it('names the choices and the wrong value', () => {
    expect(refused({ loss: { negatives: 'semihard' } })).toMatch(
      /loss\.negatives\.type: expected one of random, .*hard, .*got "semihard" \(did you mean semi-hard\?\)/,
    )
    expect(refused({ features: { sampleRate: 'own' } })).toMatch(
      /features\.sampleRate: expected integer \| native, got "own"/,
    )
    expect(refused({ features: { preset: 'mel' } })).toMatch(
      /features\.preset: expected one of thesis, .*got "mel"/,
    )
    expect(refused({ loss: 3 })).toMatch(
      /loss: expected one of triplet, info-nce, .* or a group of keys, got 3/,
    )
    expect(refused({ guards: 'equal-captions' })).toMatch(/guards: expected a list of parts/)
    expect(refused({ training: 'long' })).toMatch(/training: expected a group of keys, got "long"/)
  })

  it('lists every problem at once', () => {
    const bad = { data: {}, training: { epochs: -1, batchSize: 'many' } }
    expect(() => parseConfig(bad)).toThrow(
      /missing key data\.manifest.*training\.epochs.*training\.batchSize/s,
    )
    expect(() => parseConfig(null)).toThrow(/expected a group of keys, got null/)
  })

  it('refuses keys that contradict each other', () => {
    const schedule = { type: 'cosine', warmup: 3 }
    const [optimizer, training] = [{ lr: 1e-7 }, { epochs: 3 }]
    expect(refused({ schedule, optimizer, training })).toMatch(
      /schedule\.warmup: must be less than training\.epochs \(3\), got 3; schedule\.end: must not be above optimizer\.lr/,
    )
    expect(() => parseConfig({ ...minimal, schedule: 'constant', optimizer, training })).not.toThrow()
    expect(refused({ schedule: 'constant', training: { epochs: 0 } })).toMatch(
      /training\.epochs: must be 1 or more where weights begin as drawn/,
    )
  })

  it('refuses a monitor that validation will not give, and measures that there are not', () => {
    expect(refused({ validation: { monitor: 'mAP@5' } })).toMatch(
      /validation\.monitor: expected one of loss, mAP@10, textToAudio\.mAP@10, .*got "mAP@5" \(name mAP@5 in validation\.measures\)/,
    )
    expect(refused({ validation: { monitor: 'losss' } })).toMatch(/\(did you mean loss\?\)/)
    expect(refused({ validation: { measures: ['R@0'] } })).toMatch(
      /validation\.measures: Expected a measure.*R@10/,
    )
    const validation = {
      measures: ['R@1'],
      monitor: 'audioToText.R@1',
      yardsticks: [{ negatives: 'random' }],
    }
    expect(parseConfig({ ...minimal, validation }).validation.monitor).toBe('audioToText.R@1')
    expect(() =>
      parseConfig({ ...minimal, validation: { ...validation, monitor: 'triplet-random' } }),
    ).not.toThrow()
  })

  it('makes paths absolute, in parts too', () => {
    const config = {
      data: { manifest: 'm.jsonl' },
      model: { text: { vectors: '../v.txt' } },
      guards: [{ type: 'given-pairs', file: 'p.csv' }],
      plugins: [],
    }
    const { data, model, guards } = parseConfig(config, { base: '/runs/a' })
    expect([data.manifest, model.text['vectors'], guards[0]!['file']]).toEqual([
      resolve('/runs/a/m.jsonl'),
      resolve('/runs/v.txt'),
      resolve('/runs/a/p.csv'),
    ])
  })

  it('does not take what an object inherits for a key or a choice', () => {
    for (const more of [{ constructor: 1 }, { loss: 'toString' }, { loss: { toString: 1 } }])
      expect(() => parseConfig({ ...minimal, ...more })).toThrow(/unknown key|expected one of/)
    expect(() => parseConfig(JSON.parse('{"data":{"manifest":"m"},"__proto__":{"seed":3}}'))).toThrow(
      /unknown key __proto__/,
    )
  })
})

describe('keys that are set', () => {
  const set = (assignments: string[], config: Record<string, unknown> = structuredClone(minimal)) => {
    setKeys(config, assignments)
    return parseConfig(config)
  }

  it('are read as JSON where the key takes a number or a switch, else as they stand', () => {
    const text = ['model.text.trainable=true', 'features.preset=clap', 'data.trainSplit=1']
    const { training, model, features, data } = set([
      'training.epochs=3',
      ...text,
      'data.validationSplit=a=b',
    ])
    expect([training.epochs, model.text['trainable'], features['preset']]).toEqual([3, true, 'clap'])
    expect([data.trainSplit, data.validationSplit]).toEqual(['1', 'a=b'])
    for (const wrong of ['training', '=3', 'training.=3', '__proto__.x=1'])
      expect(() => set([wrong]), wrong).toThrow(/Expected key=value/)
    expect(() => set(['seed.x=1'], { seed: 4 })).toThrow(/seed is not a group/)
    expect(() => set(['type=1'])).toThrow(/there is no key type/)
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
  })

  it('choose a part before its keys are set, in any order', () => {
    expect(set(['loss.margin=0.3']).loss).toMatchObject({ type: 'triplet', margin: 0.3 })
    expect(set(['loss.temperature=0.2', 'loss.type=info-nce']).loss).toMatchObject({ temperature: 0.2 })
    expect(set(['loss.negatives.type=hard', 'loss.margin=1']).loss).toMatchObject({
      margin: 1,
      negatives: { type: 'hard' },
    })
    expect(set(['loss.negatives=hard']).loss['negatives']).toEqual({ type: 'hard' })
    expect(() => set(['loss.margin=0.3', 'loss.type=info-nce'])).toThrow(
      /loss\.margin: a key of loss\.type triplet/,
    )
  })

  it('drop what was said of the part they replace', () => {
    const before = { ...minimal, loss: { type: 'triplet', margin: 0.3 } }
    expect(set(['loss.type=info-nce'], structuredClone(before)).loss).toEqual({
      type: 'info-nce',
      temperature: 0.07,
      learnable: false,
      positives: 'own-pair',
    })
    expect(set(['loss.type=triplet'], structuredClone(before)).loss['margin']).toBe(0.3)
    expect(set(['loss.margin=2'], { ...minimal, loss: 'triplet' }).loss['margin']).toBe(2)
  })

  it('make paths absolute from where they are written', () => {
    const config: Record<string, unknown> = { data: {} }
    setKeys(config, ['data.manifest=m.jsonl', 'model.text.vectors=v.txt', 'data.trainSplit=m.jsonl'], '/here')
    const { data, model } = parseConfig(config)
    expect([data.manifest, model.text['vectors'], data.trainSplit]).toEqual([
      resolve('/here/m.jsonl'),
      resolve('/here/v.txt'),
      'm.jsonl',
    ])
  })
})

it('what differs is told by key', () => {
  const before = parseConfig(minimal)
  expect(changedKeys(before, parseConfig(minimal))).toEqual([])
  const now = parseConfig({ ...minimal, loss: { margin: 5 }, optimizer: { betas: [0.8, 0.9] } })
  expect(changedKeys(before, now)).toEqual([
    { key: 'loss.margin', was: 0.5, is: 5 },
    { key: 'optimizer.betas', was: [0.9, 0.999], is: [0.8, 0.9] },
  ])
})

describe('a configuration of version 0.1', () => {
  const file = fileURLToPath(new URL('../../test-data/version-0.1/config.json', import.meta.url))
  const read = (): Record<string, unknown> =>
    JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>

  it('means what it meant', () => {
    expect(parseConfig(read())).toMatchObject({
      seed: 4,
      data: { items: 'pair', manifest: '/data/clips.jsonl' },
      features: { type: 'log-mel', preset: 'dcase2023', sampleRate: 44_100 },
      model: {
        audio: { type: 'crnn', dropout: 0.2 },
        text: { type: 'words', dim: 16, trainable: true, minCount: 1 },
        similarity: { type: 'frame-word', reduction: 'MTSQ', padding: 'padded-compat' },
      },
      loss: { type: 'triplet', margin: 0.4, negatives: { type: 'hard-text' } },
      optimizer: { type: 'adamw', lr: 2e-4, weightDecay: 0, clip: 5 },
      schedule: { type: 'plateau', patience: 3, factor: 0.1, minLr: 1e-6 },
      stopper: { type: 'patience', patience: 7 },
      training: { epochs: 12, batchSize: 32 },
      validation: { monitor: 'mAP@10' },
    })
    // Its default stood in every configuration, whether there was such a split or not.
    expect(parseConfig(read()).data).not.toHaveProperty('validationSplit')
  })

  it('ignored keys of other choices, so they are left out', () => {
    const { loss, schedule, model } = parseConfig({
      data: { manifest: 'm' },
      model: { score: 'pooled' },
      loss: { type: 'info-nce', margin: 3, learnableTemperature: true },
      training: { schedule: 'cosine', warmupEpochs: 2, plateauPatience: 9 },
    })
    expect(loss).toEqual({ type: 'info-nce', temperature: 0.07, learnable: true, positives: 'own-pair' })
    expect(schedule).toEqual({ type: 'cosine', warmup: 2, end: 1e-6 })
    expect([model.text.type, model.similarity.type]).toEqual(['mean-words', 'pooled'])
  })

  it('is refused where keys of today stand beside its own, by the new names', () => {
    expect(() => parseConfig({ ...read(), optimizer: { lr: 1 } })).toThrow(
      /unknown key text \(did you mean model\.text\?\).*learningRate \(did you mean optimizer\.lr\?\)/s,
    )
  })
})

describe('the schema', () => {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, useDefaults: false })
  ajv.addFormat('path', true)
  const valid = ajv.compile(configJsonSchema())

  it('takes what is taken and refuses what is refused', () => {
    const whole = parseConfig(minimal)
    for (const good of [
      minimal,
      whole,
      { ...minimal, loss: 'info-nce' },
      { ...minimal, guards: ['equal-captions'] },
    ])
      expect(valid(good), ajv.errorsText(valid.errors)).toBe(true)
    for (const bad of [
      {},
      { ...minimal, loss: { type: 'triplet', temperature: 1 } },
      { ...minimal, loss: { type: 'triplet', negatives: { type: 'hardest' } } },
      { ...minimal, training: { epochs: -1 } },
      { ...minimal, guards: ['given-pairs'] },
    ])
      expect(valid(bad), JSON.stringify(bad)).toBe(false)
  })

  it('knows every preset and every strategy', () => {
    const description = (key: string) => configKeys().find((entry) => entry.key === key)!.description
    expect(description('features.preset')).toContain(logMelPresets.join(' | '))
    expect(description('loss.negatives.type')).toContain(strategies.names.join(' | '))
    expect(description('loss.type')).toContain(losses.names.join(' | '))
  })

  it('describes every key', () => {
    for (const { key, description } of configKeys()) expect(description.length, key).toBeGreaterThan(10)
    const required = configKeys().filter((key) => key.required)
    expect([...new Set(required.map(({ key }) => key))]).toEqual([
      'data.manifest',
      'features.model',
      'features.frontEnd.preset',
      'features.file',
      'features.kinds',
      'model.text.model',
      'model.text.file',
      'model.text.towers',
      'model.text.towers[].type',
      'model.text.towers[].model',
      'model.text.towers[].file',
      'model.text.towers[].towers',
      'loss.targets.file',
      'objectives[].loss.type',
      'objectives[].loss.targets.file',
      'objectives[].source.type',
      'objectives[].source.file',
      'guards[].type',
      'guards[].file',
      'optimizer.groups[].names',
      'validation.yardsticks[].targets.file',
    ])
  })
})

it('a list that is no JSON is told how its texts are quoted', () => {
  expect(() => setKeys({}, ['validation.measures=[mAP@10, R@1]'])).toThrow(
    `validation.measures: expected JSON, got [mAP@10, R@1]. In JSON texts and keys stand in quotes, and the whole in those of the shell: --set 'validation.measures=["mAP@10","R@1"]'.`,
  )
  expect(() => setKeys({}, ['loss={type: triplet}'])).toThrow(/loss: expected JSON, got \{type: triplet\}/)
  const config: Record<string, unknown> = {}
  setKeys(config, ['validation.measures=["R@1"]'])
  expect(config['validation']).toEqual({ measures: ['R@1'] })
})
