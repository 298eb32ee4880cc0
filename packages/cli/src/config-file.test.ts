import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { configKeys, parseConfig } from '@sonotext/core/runs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { changeConfig, loadConfig } from './config-file.js'
import { cli, notBuilt } from './testing/run-cli.js'

let folder: string
const write = async (name: string, text: string): Promise<string> => {
  await writeFile(join(folder, name), text)
  return join(folder, name)
}
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-config-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('a configuration file', () => {
  it('may be YAML or JSON, with the same meaning', async () => {
    const yaml = await write(
      'run.yaml',
      '# first try\ndata:\n  manifest: m.jsonl\ntraining: { epochs: 3, batchSize: 8 }\nseed: 4\n',
    )
    const json = await write(
      'run.json',
      '{"data": {"manifest": "m.jsonl"}, "training": {"epochs": 3, "batchSize": 8}, "seed": 4}',
    )
    const config = await loadConfig(yaml, [])
    expect(config).toEqual(await loadConfig(json, []))
    expect([config.seed, config.training.epochs, config.training.batchSize]).toEqual([4, 3, 8])
    expect(config.loss['negatives']).toEqual({ type: 'semi-hard' })
  })

  it('names files relative to itself, --set relative to the working directory', async () => {
    const file = await write(
      'paths.yaml',
      'data: { manifest: scenes/m.jsonl, cache: ../cache }\nmodel: { text: { vectors: /w/vectors.txt } }\n',
    )
    const config = await loadConfig(file, [])
    expect(config.data.manifest).toBe(join(folder, 'scenes/m.jsonl'))
    expect(config.data.cache).toBe(resolve(folder, '../cache'))
    expect(config.model.text['vectors']).toBe('/w/vectors.txt')
    const set = await loadConfig(file, ['data.manifest=other.jsonl'])
    expect(set.data).toEqual({ ...config.data, manifest: resolve('other.jsonl') })
  })

  it('gives way to --set, the last one counts, and text stays text', async () => {
    const file = await write('set.yaml', 'data: { manifest: m.jsonl }\ntraining: { epochs: 3 }\n')
    const config = await loadConfig(file, [
      'training.epochs=4',
      'training.epochs=5',
      'optimizer.lr=2e-4',
      'data.trainSplit=1',
      'model.text.trainable=true',
    ])
    expect(config.training.epochs).toBe(5)
    expect(config.optimizer['lr']).toBe(2e-4)
    expect(config.data.trainSplit).toBe('1')
    expect(config.model.text['trainable']).toBe(true)
  })

  it('is named in the message about what is wrong in it', async () => {
    const file = await write(
      'wrong.yaml',
      'data: { manifest: m.jsonl, spilt: train }\nloss: { type: tripplet }\n',
    )
    await expect(loadConfig(file, [])).rejects.toThrow(
      /wrong\.yaml: unknown key data\.spilt.*; loss\.type: expected one of triplet, info-nce, .*, got "tripplet" \(did you mean triplet\?\)/,
    )
  })

  it('loads the plugins it names, relative to itself, before its parts are looked up', async () => {
    await write(
      'twice.mjs',
      `export default ({ register }) => register('schedule', {
         name: 'twice', description: 'Twice the rate.', schema: { properties: { by: { type: 'number', default: 2, description: 'Factor.' } } },
         fromConfig: ({ by }) => ({ name: 'twice', start: ({ base }) => ({ rate: () => by * base, epochEnd() {}, state: () => ({}), restore() {} }) }),
       })`,
    )
    const file = await write(
      'own.yaml',
      'plugins: [./twice.mjs]\ndata: { manifest: m.jsonl }\nschedule: twice\n',
    )
    const config = await loadConfig(file, ['schedule.by=3'])
    expect(config.schedule).toEqual({ type: 'twice', by: 3 })
    expect(config.plugins).toEqual([join(folder, 'twice.mjs')])
    const lost = await write('lost.yaml', 'plugins: [./none.mjs]\ndata: { manifest: m.jsonl }\n')
    await expect(loadConfig(lost, [])).rejects.toMatchObject({
      code: 'MISSING_FILE',
      file: join(folder, 'none.mjs'),
    })
  })

  it('may be one of version 0.1', async () => {
    const file = await write(
      'old.yaml',
      'data: { manifest: m.jsonl }\ntext: { vectors: v.txt }\ntraining: { learningRate: 0.1, epochs: 3 }\n',
    )
    const { model, optimizer, training } = await loadConfig(file, ['optimizer.lr=0.2'])
    expect([model.text['vectors'], optimizer['lr'], training.epochs]).toEqual([join(folder, 'v.txt'), 0.2, 3])
    await expect(loadConfig(file, ['training.learningRate=0.2'])).rejects.toThrow(
      /did you mean optimizer\.lr/,
    )
  })

  it('may be empty when --set says the rest', async () => {
    const file = await write('empty.yaml', '# nothing yet\n')
    expect((await loadConfig(file, ['data.manifest=m.jsonl'])).data.manifest).toBe(resolve('m.jsonl'))
    await expect(loadConfig(file, [])).rejects.toThrow(/empty\.yaml: missing key data\.manifest/)
  })
})

it('a run’s own configuration is changed without touching it', () => {
  const before = parseConfig({ data: { manifest: '/d/m.jsonl' } })
  const after = changeConfig(before, ['training.epochs=7', 'data.cache=c'])
  expect(after).toEqual({
    ...before,
    data: { ...before.data, cache: resolve('c') },
    training: { ...before.training, epochs: 7 },
  })
  expect(before.training.epochs).toBe(100)
})

it.skipIf(notBuilt !== null)('config --yaml is a configuration that says the defaults', async () => {
  const { stdout, code } = await cli(['config', '--yaml'])
  expect(code).toBe(0)
  const file = await write('whole.yaml', stdout)
  expect(await loadConfig(file, [])).toEqual(
    parseConfig({ data: { manifest: join(folder, 'scenes/manifest.jsonl') } }),
  )
  for (const { key } of configKeys().filter(({ key, when }) => when.length === 0 && !key.includes('[]')))
    expect(stdout).toMatch(new RegExp(`^ *(# )?${key.split('.').at(-1)}:`, 'm'))
})
