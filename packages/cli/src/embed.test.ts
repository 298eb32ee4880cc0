import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openNpy, openSafetensors } from '@sonotext/core/base'
import { writeToneClips } from '@sonotext/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, cliJson, notBuilt } from './testing/run-cli.js'

let folder: string
const at = (name: string): string => join(folder, name)
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-embed-'))
  const { manifest } = await writeToneClips(folder, { splits: { train: 6, test: 3 } })
  const config = {
    data: { manifest },
    features: { type: 'concatenated', kinds: ['log-mel'], pool: ['mean', 'std'] },
    model: { audio: 'projection', text: { type: 'mean-words', dim: 8 }, similarity: 'pooled' },
    training: { epochs: 1, batchSize: 4 },
  }
  const frames = { ...config, features: 'log-mel' }
  await writeFile(at('one.json'), JSON.stringify(config))
  await writeFile(at('frames.json'), JSON.stringify(frames))
})
afterAll(() => rm(folder, { recursive: true }))

describe.skipIf(notBuilt !== null)(`embed${notBuilt === null ? '' : ` (${notBuilt})`}`, () => {
  it('writes what the model gives, or what goes into what was trained', { timeout: 120_000 }, async () => {
    for (const name of ['one', 'frames'])
      expect((await cli(['train', '-c', at(`${name}.json`), '--run', at(name)])).code).toBe(0)
    const given = await cliJson(['embed', at('one'), '--split', 'test', '--out', at('outputs')])
    expect(given).toMatchObject({ clips: 3, captions: 6, dim: 8 })
    const inputs = await cliJson(['embed', at('one'), '--split', 'test', '--inputs', '--out', at('inputs')])
    // Words are no vectors.
    expect(inputs).toMatchObject({ clips: 3, captions: 6, dim: 128, sentences: null })
    const listed = ['features.ids.txt', 'features.npy', 'truth.jsonl']
    expect((await readdir(at('inputs'))).toSorted()).toEqual(listed)
    expect(await openNpy(at('inputs/features.npy'))).toMatchObject({ rows: 3, cols: 128 })
    const refused = await cli(['embed', at('frames'), '--inputs', '--out', at('x')])
    expect(refused.code).toBe(2)
    expect(refused.stderr).toMatch(
      /has \d+ frames and an NPY file one vector for each: take --format safetensors/,
    )
    await cliJson(['embed', at('frames'), '--inputs', '--format', 'safetensors', '--out', at('x')])
    const [first] = (await openSafetensors(at('x/features.safetensors'))).tensors.values()
    expect(first!.shape).toEqual([expect.any(Number), 64])
    expect((await cli(['embed', at('one'), '--inputs', '--format', 'index', '--out', at('x')])).code).toBe(2)
  })
})
