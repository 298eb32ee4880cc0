import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { logMelPresets } from '../audio/index.js'
import { negatives } from '../negatives/index.js'
import { configKeys, experimentSchema, parseConfig, setKey, valueAt } from './config.js'

const minimal = { data: { manifest: 'm.jsonl' } }
const root = new URL('../../../../', import.meta.url)

describe('experiment configuration', () => {
  it('fills every default of every group', () => {
    const config = parseConfig(minimal)
    expect(config.training.batchSize).toBe(32)
    expect(config.loss).toEqual({
      type: 'triplet',
      margin: 0.5,
      negatives: 'semi-hard',
      temperature: 0.07,
      learnableTemperature: false,
      positives: 'own-pair',
      guardEqualCaptions: false,
      padding: 'masked',
    })
    for (const { key, default: value } of configKeys()) {
      if (value !== undefined) expect(valueAt(config, key), key).toEqual(value)
    }
  })

  it('leaves the given object alone', () => {
    parseConfig(minimal)
    expect(minimal).toEqual({ data: { manifest: 'm.jsonl' } })
  })

  it('refuses unknown keys with the nearest known one, of the group or of another', () => {
    expect(() => parseConfig({ ...minimal, training: { epoch: 3 } }, 'run.yaml')).toThrow(
      /^run\.yaml: unknown key training\.epoch \(did you mean training\.epochs\?\)/,
    )
    expect(() => parseConfig({ ...minimal, margin: 1 })).toThrow(
      /unknown key margin \(did you mean loss\.margin\?\)/,
    )
    expect(() => parseConfig({ ...minimal, flavour: 1 })).toThrow(/unknown key flavour\. Every key/)
  })

  it('names the choices of an enumeration and the wrong value', () => {
    expect(() => parseConfig({ ...minimal, loss: { negatives: 'semihard' } })).toThrow(
      /loss\.negatives: expected one of random, .*hard, got "semihard"/,
    )
  })

  it('lists every problem at once', () => {
    const bad = { data: {}, training: { epochs: 0, batchSize: 'many' } }
    expect(() => parseConfig(bad)).toThrow(
      /missing key data\.manifest.*training\.epochs.*training\.batchSize/s,
    )
  })

  it('refuses keys that contradict each other', () => {
    const training = { schedule: 'cosine', epochs: 3, warmupEpochs: 3, learningRate: 1e-7 }
    expect(() => parseConfig({ ...minimal, training })).toThrow(
      /warmupEpochs: must be less than training\.epochs \(3\), got 3; training\.minLearningRate: must not be above/,
    )
    expect(() => parseConfig({ ...minimal, training: { ...training, schedule: 'constant' } })).not.toThrow()
  })

  it('sets nested keys from text: JSON where the key takes a number or a switch, else as it stands', () => {
    const config: Record<string, unknown> = structuredClone(minimal)
    const set = ['training.epochs=3', 'text.trainable=true', 'features.preset=clap', 'data.trainSplit=1']
    for (const assignment of [...set, 'data.validationSplit=a=b']) setKey(config, assignment)
    const { training, text, features, data } = parseConfig(config)
    expect([training.epochs, text.trainable, features.preset]).toEqual([3, true, 'clap'])
    expect([data.trainSplit, data.validationSplit]).toEqual(['1', 'a=b'])
    for (const wrong of ['training', '=3', 'training.=3', '__proto__.x=1']) {
      expect(() => setKey(config, wrong), wrong).toThrow(/Expected key=value/)
    }
    expect(() => setKey({ seed: 4 }, 'seed.x=1')).toThrow(/seed is not a group/)
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
  })
})

describe('the schema', () => {
  const properties = experimentSchema['properties'] as Record<
    string,
    { properties: Record<string, { enum?: string[] }> }
  >

  it('agrees with its types', async () => {
    const { schemas, typesOf } = (await import(new URL('tools/schema-types.mjs', root).href)) as {
      schemas: Record<string, string>
      typesOf(schema: string): Promise<string>
    }
    const schema = Object.keys(schemas).find((path) => path.endsWith('/config.schema.json'))!
    const written = readFileSync(fileURLToPath(new URL(schemas[schema]!, root)), 'utf8')
    expect(written, 'run node tools/schema-types.mjs').toBe(await typesOf(schema))
  })

  it('knows every preset and every strategy', () => {
    expect(properties['features']!.properties['preset']!.enum).toEqual([...logMelPresets])
    expect(properties['loss']!.properties['negatives']!.enum).toEqual(Object.keys(negatives))
  })

  it('describes every key', () => {
    for (const { key, description } of configKeys()) expect(description.length, key).toBeGreaterThan(10)
    expect(
      configKeys()
        .filter(({ required }) => required)
        .map(({ key }) => key),
    ).toEqual(['data.manifest'])
  })
})
