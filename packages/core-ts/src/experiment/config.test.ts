import { describe, expect, it } from 'vitest'
import { configKeys, parseConfig, setKey } from './config.js'

const minimal = { data: { manifest: 'm.jsonl' } }

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
      padding: 'masked',
    })
    for (const { key, default: value } of configKeys()) {
      if (value === undefined) continue
      const got = key
        .split('.')
        .reduce<unknown>((node, part) => (node as Record<string, unknown>)[part], config)
      expect(got, key).toEqual(value)
    }
  })

  it('leaves the given object alone', () => {
    parseConfig(minimal)
    expect(minimal).toEqual({ data: { manifest: 'm.jsonl' } })
  })

  it('refuses unknown keys with the nearest known one', () => {
    expect(() => parseConfig({ ...minimal, training: { epoch: 3 } }, 'run.yaml')).toThrow(
      /run\.yaml: unknown key training\.epoch \(did you mean training.epochs\?\)/,
    )
  })

  it('names the choices of an enumeration and the wrong value', () => {
    expect(() => parseConfig({ ...minimal, loss: { negatives: 'semihard' } })).toThrow(
      /loss\.negatives: expected one of random, .*hard, got "semihard"/,
    )
  })

  it('lists every problem at once', () => {
    const bad = { data: {}, training: { epochs: 0, batchSize: 'many' } }
    expect(() => parseConfig(bad)).toThrow(
      /missing key data.manifest.*training\.epochs.*training\.batchSize/s,
    )
  })

  it('sets nested keys from text, as JSON where it is JSON', () => {
    const config: Record<string, unknown> = structuredClone(minimal)
    setKey(config, 'training.epochs=3')
    setKey(config, 'text.trainable=true')
    setKey(config, 'features.preset=clap')
    const parsed = parseConfig(config)
    expect([parsed.training.epochs, parsed.text.trainable, parsed.features.preset]).toEqual([3, true, 'clap'])
    expect(() => setKey(config, 'training')).toThrow(/key=value/)
    expect(() => setKey(config, 'seed.x=1')).not.toThrow()
    expect(() => setKey({ seed: 4 }, 'seed.x=1')).toThrow(/not a group/)
  })
})
