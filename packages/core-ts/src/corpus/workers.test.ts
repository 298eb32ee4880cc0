import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type * as audioModule from '../audio/index.js'
import { type AudioFeatures, encodeWav } from '../audio/index.js'
import type * as backendModule from '../backend/index.js'
import { Rng } from '../base/rng.js'
import { allOf } from '../testing/all-of.js'
import type * as corpusModule from './index.js'
import type { Corpus, CorpusOptions } from './index.js'

// Worker threads run the built files: so does what starts them.
const dist = fileURLToPath(new URL('../../dist/', import.meta.url))
const built = existsSync(join(dist, 'corpus/worker.js'))
const load = async <T>(folder: string): Promise<T> =>
  (built ? await import(pathToFileURL(join(dist, folder, 'index.js')).href) : {}) as T
const { openCorpus } = await load<typeof corpusModule>('corpus')
const { concatenatedFeatures, ffmpegDecoder, logMelFeatures } = await load<typeof audioModule>('audio')
const { openBackend } = await load<typeof backendModule>('backend')

let folder = ''
const clips = Array.from({ length: 24 }, (_, i) => ({ id: `clip-${i}`, audio: '' }))
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sonotext-workers-'))
  for (const [i, clip] of clips.entries()) {
    const rng = new Rng(i, 'clip')
    clip.audio = join(folder, `${clip.id}.wav`)
    const samples = Float32Array.from({ length: 4000 + 10 * i }, () => rng.between(-0.5, 0.5))
    writeFileSync(clip.audio, encodeWav(samples, 8000).bytes)
    utimesSync(clip.audio, 1_000_000, 1_000_000)
  }
  writeFileSync(join(folder, 'parts.mjs'), parts)
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Features that a user could have written: means of 80 samples; some recordings end or stall the thread they are read in. */
const parts = `
  import { setTimeout as sleep } from 'node:timers/promises'
  import { isMainThread, threadId } from 'node:worker_threads'
  export const means = ({ deadly = null, slow = 0 }) => ({
    name: 'means', config: null, id: 'means', cols: 2,
    origin: { module: import.meta.url, export: 'means', argument: { deadly, slow } },
    compute: ({ blocks }) => ({ frameStep: 1, blocks: (async function* () {
      for await (const block of blocks) {
        if (block.length === deadly) process.exit(3)
        await sleep(slow)
        yield { rows: 1, cols: 2, data: Float32Array.of(block.length, isMainThread ? 0 : threadId) }
      }
    })() }),
  })
  export const broken = () => { throw new Error('no such part') }`
const means = async (argument: object): Promise<AudioFeatures> => {
  const url = pathToFileURL(join(folder, 'parts.mjs')).href
  const module = (await import(/* @vite-ignore */ url)) as { means: (a: object) => AudioFeatures }
  return module.means(argument)
}
const open = (options: Partial<CorpusOptions> = {}): Promise<Corpus> =>
  openCorpus({
    ...{ features: logMelFeatures({ preset: 'thesis' }), workers: 2 },
    onNote: (note) => {
      throw new Error(note)
    },
    ...options,
  })

describe.skipIf(!built)(
  `worker threads${built ? '' : ' (skipped: the TypeScript is not built, npm run setup)'}`,
  () => {
    it('give the bits of the main thread, on every backend', async () => {
      for (const backend of [openBackend(), openBackend({ device: 'reference' })]) {
        await using here = await open({ workers: 0, backend })
        await using there = await open({ backend })
        const [a, b] = await Promise.all([
          allOf(here.read(clips.slice(0, 6))),
          allOf(there.read(clips.slice(0, 6))),
        ])
        expect(b).toEqual(a)
        expect(there.stats).toEqual(here.stats)
      }
    })

    it('do the work, share a cache with the main thread and read no audio when it is warm', async () => {
      const cacheFolder = join(folder, 'cache')
      {
        await using corpus = await open({ features: await means({ slow: 1 }), cacheFolder })
        const all = await allOf(corpus.read(clips))
        const threads = new Set(all.map(({ features }) => features.data[1]))
        expect(threads.size).toBe(2)
        expect(threads.has(0)).toBe(false)
        expect(corpus.stats).toMatchObject({ computed: 24, audioFiles: 24 })
      }
      for (const workers of [2, 0]) {
        await using corpus = await open({ features: await means({}), cacheFolder, workers })
        const all = await allOf(corpus.read(clips))
        expect(all.map(({ features }) => features.data[0])).toEqual(clips.map((_, i) => 4000 + 10 * i))
        expect(corpus.stats).toMatchObject({ audioFiles: 0, computed: 0 })
        const part = await corpus.features(clips[3]!, { from: 0, frames: 1 })
        expect(part.features.data[0]).toBe(4030)
      }
    })

    it('make kinds that stand side by side again', async () => {
      const features = concatenatedFeatures({
        kinds: [await means({ slow: 1 }), logMelFeatures({ preset: 'thesis' })],
        pool: ['max'],
      })
      await using here = await open({ features, workers: 0 })
      await using there = await open({ features })
      const [a, b] = [
        await allOf(here.read(clips.slice(0, 8))),
        await allOf(there.read(clips.slice(0, 8))),
      ].map((all) => all.map(({ features: { data } }) => [...data]))
      expect(a!.every(([, thread]) => thread === 0)).toBe(true)
      expect(b!.every(([, thread]) => thread! > 0)).toBe(true)
      expect(b!.map((row) => row.toSpliced(1, 1))).toEqual(a!.map((row) => row.toSpliced(1, 1)))
    })

    it('errors come with code, file, remedy and message', async () => {
      const bad = { id: 'bad', audio: join(folder, 'bad.wav') }
      writeFileSync(bad.audio, readFileSync(clips[0]!.audio).subarray(0, 999))
      await using here = await open({ workers: 0 })
      await using there = await open()
      const failure = (corpus: Corpus) => corpus.features(bad).catch((error: unknown) => error)
      const [a, b] = [await failure(here), await failure(there)]
      const fields = (error: unknown) => {
        const { code, file, remedy, message } = error as Record<string, unknown>
        return { code, file, remedy, message }
      }
      expect(fields(b)).toEqual(fields(a))
      expect(b).toMatchObject({ code: 'INVALID_FILE', file: bad.audio })
    })

    it('one that ends is replaced; the recording that ends two is refused and the rest goes on', async () => {
      await using corpus = await open({ features: await means({ deadly: 4070 }) })
      const refused: unknown[] = []
      const all = await allOf(
        corpus.read(clips, { onBad: ({ id }, { code, message }) => refused.push([id, code, message]) }),
      )
      expect(all.map(({ clip }) => clip.id)).toEqual(
        clips.map(({ id }) => id).filter((id) => id !== 'clip-7'),
      )
      expect(refused).toEqual([
        [
          'clip-7',
          'INVALID_DATA',
          expect.stringMatching(/clip-7.wav: .*a worker thread ended over it twice/),
        ],
      ])
    })

    it('no more is begun than there are places, whoever asks for how much', async () => {
      await using corpus = await open({ features: await means({ slow: 20 }), workers: 1 })
      const controller = new AbortController()
      const jobs = clips.map((clip) =>
        corpus.features(clip, { signal: controller.signal }).catch(({ code }) => code),
      )
      await jobs[0]
      controller.abort()
      const results = await Promise.all(jobs)
      expect(results.filter((result) => result === 'ABORTED').length).toBeGreaterThan(18)
      expect((await corpus.features(clips[5]!)).features.data[0]).toBe(4050)
    })

    it('a corpus that is closed lets nothing hang, and takes nothing more', async () => {
      const corpus = await open({ features: await means({ slow: 1000 }) })
      const jobs = clips.slice(0, 8).map((clip) => corpus.features(clip).catch(({ code }) => code))
      await new Promise((resolve) => setTimeout(resolve, 20))
      await corpus[Symbol.asyncDispose]()
      expect(new Set(await Promise.all(jobs))).toEqual(new Set(['ABORTED']))
      await expect(corpus.features(clips[0]!)).rejects.toMatchObject({ code: 'ABORTED' })
    })

    it('where there can be none the main thread reads, and that is said', async () => {
      const kind = await means({})
      const { origin, ...withoutOrigin } = kind
      expect(origin).toBeDefined()
      for (const [options, reason] of [
        [
          { features: { ...kind, origin: { ...kind.origin!, export: 'broken' } } },
          /could not be started \(no such part\)/,
        ],
        [
          { features: { ...kind, origin: { ...kind.origin!, module: 'file:///nowhere.mjs' } } },
          /could not be started/,
        ],
        [{ features: withoutOrigin }, /features "means" do not say/],
        [
          { decode: { decoders: [{ name: 'mine', open: async () => undefined }] } },
          /decoder "mine" does not say/,
        ],
      ] as const) {
        const notes: string[] = []
        await using corpus = await open({ ...options, onNote: (note) => notes.push(note) })
        expect(await allOf(corpus.read(clips.slice(0, 5)))).toHaveLength(5)
        expect(notes).toEqual([expect.stringMatching(reason)])
      }
      const notes: string[] = []
      await using corpus = await open({
        decode: { decoders: [ffmpegDecoder()] },
        onNote: (note) => notes.push(note),
      })
      await corpus.features(clips[0]!)
      expect(notes).toEqual([])
    })

    it('a process that stops in the middle and closes the corpus ends as it should', async () => {
      const parts = pathToFileURL(join(folder, 'parts.mjs')).href
      const code = `
      import { means } from ${JSON.stringify(parts)}
      import { openCorpus } from ${JSON.stringify(join(dist, 'corpus/index.js'))}
      const corpus = await openCorpus({ features: means({ slow: 5 }), workers: 1 })
      const clips = ${JSON.stringify(clips.slice(0, 8))}
      await corpus.features(clips[0])
      const stop = new AbortController()
      const jobs = clips.map((clip) => corpus.features(clip, { signal: stop.signal }).catch(({ code }) => code))
      await new Promise((resolve) => setTimeout(resolve, 2))
      stop.abort()
      await corpus[Symbol.asyncDispose]()
      console.log('closed', new Set(await Promise.all(jobs)).size)`
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code])
      expect(stdout.trim()).toBe('closed 1')
    })

    it('do not keep the process alive, and leave the thread pool as it is', async () => {
      const code = `
      import { openBackend } from ${JSON.stringify(join(dist, 'backend/index.js'))}
      import { logMelFeatures } from ${JSON.stringify(join(dist, 'audio/index.js'))}
      import { openCorpus } from ${JSON.stringify(join(dist, 'corpus/index.js'))}
      const backend = openBackend({ threads: 1 })
      const corpus = await openCorpus({ features: logMelFeatures({ preset: 'thesis' }), workers: 2, backend })
      await Promise.all(${JSON.stringify(clips.slice(0, 8))}.map((clip) => corpus.features(clip)))
      console.log(backend.info.threads)`
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code])
      expect(stdout.trim()).toBe('1')
    })
  },
)
