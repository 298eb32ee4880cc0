import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { referenceBackend } from '../backend/index.js'
import { Rng } from '../base/rng.js'
import { encodeWav } from './encode-wav.js'
import { computeFeatures, featureStore, type FeatureProgress, type FeatureStoreOptions } from './features.js'

let folder = ''
let files: string[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sonotext-features-'))
  files = Array.from({ length: 6 }, (_, i) => {
    const rng = new Rng(i, 'clip')
    const path = join(folder, `clip-${i}.wav`)
    writeFileSync(
      path,
      encodeWav(
        Float32Array.from({ length: 2000 + 100 * i }, () => rng.between(-0.5, 0.5)),
        8000,
      ).bytes,
    )
    return path
  })
})
afterEach(() => rmSync(folder, { recursive: true }))

const backend = referenceBackend()
const store = (options: Partial<FeatureStoreOptions> = {}) =>
  featureStore({ preset: 'thesis', cacheFolder: join(folder, 'cache'), backend, ...options })

const entries = () =>
  readdirSync(join(folder, 'cache'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

describe('featureStore', () => {
  it('computes once, then reads the same numbers', async () => {
    const first = await store().get(files[0]!)
    const second = await store().get(files[0]!)
    expect([first.cached, second.cached]).toEqual([false, true])
    expect(second.features).toEqual(first.features)
    expect(second).toMatchObject({ frameStep: 0.02, duration: 0.25, features: { rows: 13, cols: 64 } })
  })

  it('knows a clip by its content and a configuration by its options', async () => {
    await store().get(files[0]!)
    const copy = join(folder, 'copy.wav')
    writeFileSync(copy, readFileSync(files[0]!))
    expect((await store().get(copy)).cached).toBe(true)
    expect((await store({ overrides: { fMax: 4000 } }).get(copy)).cached).toBe(false)
    expect((await store({ overrides: { sampleRate: 16_000 } }).get(copy)).cached).toBe(false)
    expect((await store({ preset: 'dcase2023' }).get(copy)).cached).toBe(false)
    writeFileSync(copy, encodeWav(new Float32Array(2000), 8000).bytes)
    expect((await store().get(copy)).cached).toBe(false)
  })

  it('brings all clips to one rate when asked', async () => {
    const { frameStep, features } = await store({ overrides: { sampleRate: 11_025 } }).get(files[0]!)
    expect(frameStep).toBe(220 / 11_025)
    expect(features.rows).toBe(1 + Math.floor(Math.ceil((2000 * 11_025) / 8000) / 220))
  })

  it.each([
    ['cut short', (path: string) => truncateSync(path, 100)],
    ['emptied', (path: string) => truncateSync(path, 0)],
    [
      'with one bit turned',
      (path: string) => {
        const bytes = readFileSync(path)
        bytes[500]! ^= 1
        writeFileSync(path, bytes)
      },
    ],
    ['of another kind', (path: string) => writeFileSync(path, 'x'.repeat(4000))],
  ])('an entry %s is noticed, computed again and mended', async (_, damage) => {
    const first = await store().get(files[0]!)
    damage(entries()[0]!)
    const again = await store().get(files[0]!)
    expect(again.cached).toBe(false)
    expect(again.features).toEqual(first.features)
    expect((await store().get(files[0]!)).cached).toBe(true)
  })

  it('names the file in errors of the front end', async () => {
    const error = await store({ overrides: { padMode: 'reflect', nFft: 8192 } })
      .get(files[0]!)
      .catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      code: 'INVALID_DATA',
      file: files[0],
      remedy: expect.stringContaining('Leave'),
    })
    expect((error as Error).message).toMatch(
      /clip-0.wav: Expected more than 4096 samples to reflect .* Leave the clip out/,
    )
    expect((error as Error).message.match(/Leave the clip out/g)).toHaveLength(1)
  })

  it('refuses bad options at once', () => {
    expect(() => store({ overrides: { bands: 0 } })).toThrow(/bands/)
  })
})

describe('computeFeatures', () => {
  it('one bad clip does not end the run', async () => {
    const bad = [join(folder, 'none.wav'), join(folder, 'cut.wav'), join(folder, 'text.wav')]
    writeFileSync(bad[1]!, readFileSync(files[0]!).subarray(0, 500))
    writeFileSync(bad[2]!, 'not audio')
    const seen: string[] = []
    const progress: FeatureProgress[] = []
    const all = [bad[0]!, ...files.slice(0, 3), bad[1]!, ...files.slice(3), bad[2]!]
    const run = await computeFeatures(all, store(), {
      onFeatures: (file, { features }, index) => {
        expect([features.cols, all[index]]).toEqual([64, file])
        seen.push(file)
      },
      onProgress: (p) => progress.push(p),
    })
    expect(run).toMatchObject({ computed: 6, cached: 0 })
    expect(run.quarantined.map(({ file, code }) => [file, code])).toEqual([
      [bad[0], 'MISSING_FILE'],
      [bad[1], 'INVALID_FILE'],
      [bad[2], 'INVALID_FILE'],
    ])
    for (const { file, message } of run.quarantined)
      expect(message.startsWith(`${file}: Expected `)).toBe(true)
    expect(seen.sort()).toEqual(files)
    expect(progress.map(({ done }) => done)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(progress.at(-1)).toMatchObject({ done: 9, total: 9, quarantined: 3 })
  })

  it('continues where an aborted run was, beside what a killed one left', async () => {
    const controller = new AbortController()
    const aborted = computeFeatures(files, store(), {
      concurrency: 1,
      signal: controller.signal,
      onProgress: ({ done }) => done === 3 && controller.abort(),
    })
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' })
    expect(entries()).toHaveLength(3)
    writeFileSync(`${entries()[0]!}.1234.abcd.tmp`, 'half of an ent')
    truncateSync(
      entries().find((path) => path.endsWith('.features'))!,
      70,
    ) // power lost before it reached the disk
    expect(await computeFeatures(files, store())).toEqual({ computed: 4, cached: 2, quarantined: [] })
    expect(await computeFeatures(files, store())).toEqual({ computed: 0, cached: 6, quarantined: [] })
  })

  it('two runs at once in one folder', async () => {
    const runs = await Promise.all([
      computeFeatures(files, store()),
      computeFeatures(files, store(), { concurrency: 2 }),
    ])
    for (const run of runs) expect(run.computed + run.cached).toBe(6)
    expect(entries().filter((path) => path.endsWith('.tmp'))).toEqual([])
    expect(await computeFeatures(files, store())).toMatchObject({ cached: 6 })
  })

  it('a cache that cannot be written ends the run', async () => {
    writeFileSync(join(folder, 'full'), 'a file where the folder should be')
    const run = computeFeatures(files, store({ cacheFolder: join(folder, 'full') }))
    await expect(run).rejects.toMatchObject({ code: 'WRITE_FAILED' })
  })

  it('a callback that throws ends the run, with no work left behind', async () => {
    mkdirSync(join(folder, 'cache'))
    const run = computeFeatures(files, store(), {
      concurrency: 2,
      onFeatures: (_, __, index) => {
        if (index === 0) throw new Error('enough')
      },
    })
    await expect(run).rejects.toThrow('enough')
    const kept = entries().length
    expect(kept).toBeLessThan(6)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(entries()).toHaveLength(kept)
  })

  it('no files, and a concurrency of 0', async () => {
    expect(await computeFeatures([], store())).toEqual({ computed: 0, cached: 0, quarantined: [] })
    await expect(computeFeatures(files, store(), { concurrency: 0 })).rejects.toThrow(/concurrency/)
  })
})
