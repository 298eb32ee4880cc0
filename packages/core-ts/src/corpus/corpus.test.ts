import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type AudioFeatures,
  encodeWav,
  type LogMelFeaturesOptions,
  logMelFeatures,
  readMono,
} from '../audio/index.js'
import { logMel } from '../audio/log-mel.js'
import { referenceBackend } from '../backend/index.js'
import { matrix } from '../base/matrix.js'
import { Rng } from '../base/rng.js'
import type { Clip } from '../data/index.js'
import { allOf } from '../testing/all-of.js'
import { type Corpus, type CorpusOptions, openCorpus } from './corpus.js'

let folder = ''
let cacheFolder = ''
let clips: Clip[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sonotext-corpus-'))
  cacheFolder = join(folder, 'elsewhere', 'cache')
  clips = Array.from({ length: 6 }, (_, i) => clip(`clip-${i}`, 2000 + 100 * i))
})
afterEach(() => rmSync(folder, { recursive: true }))

const noise = (seed: string, length: number) => {
  const rng = new Rng(1, seed)
  return Float32Array.from({ length }, () => rng.between(-0.5, 0.5))
}
/** A recording that was last changed long ago. */
function clip(id: string, length: number): Clip {
  const audio = join(folder, `${id}.wav`)
  writeFileSync(audio, encodeWav(noise(id, length), 8000).bytes)
  utimesSync(audio, 1_000_000, 1_000_000.25)
  return { id, audio, captions: [{ id: `${id}#1`, text: 'noise' }] }
}
const backend = referenceBackend()
const open = ({
  preset = 'thesis',
  overrides,
  ...options
}: Partial<CorpusOptions & LogMelFeaturesOptions> = {}): Promise<Corpus> =>
  openCorpus({
    features: logMelFeatures({ preset, ...(overrides && { overrides }) }),
    cacheFolder,
    workers: 0,
    backend,
    ...options,
  })
/** One pass over clips, closed afterwards. */
async function pass(options: Parameters<typeof open>[0] = {}, some = clips) {
  await using corpus = await open(options)
  const all = await allOf(corpus.read(some))
  return { all, stats: corpus.stats }
}
const entries = () =>
  (readdirSync(cacheFolder, { recursive: true }) as string[])
    .filter((name) => name.endsWith('.features'))
    .map((name) => join(cacheFolder, name))
const table = () =>
  join(
    cacheFolder,
    (readdirSync(cacheFolder) as string[]).find((name) => name.startsWith('log-mel'))!,
    'files.jsonl',
  )

describe('features of a corpus', () => {
  it('are those of the front end, in the order of the clips', async () => {
    const { all, stats } = await pass()
    expect(all.map(({ clip: { id }, index }) => [id, index])).toEqual(clips.map(({ id }, i) => [id, i]))
    for (const [i, { features, frameStep, duration, frames, computed, sampleRate }] of all.entries()) {
      const { samples } = await readMono(clips[i]!.audio)
      expect(features).toEqual(await logMel('thesis', { sampleRate: 8000 }, { backend }).compute(samples))
      expect({ frameStep, duration, frames, computed, sampleRate }).toEqual({
        ...{ frameStep: 0.02, duration: samples.length / 8000, frames: features.rows },
        ...{ computed: true, sampleRate: 8000 },
      })
    }
    expect(stats).toMatchObject({ audioFiles: 6, computed: 6, cacheBytes: 0 })
  })

  it('a second pass reads no audio, not a byte', async () => {
    const first = await pass()
    // Whoever opened one would find no sound.
    for (const { audio } of clips) {
      const { size, atime, mtime } = statSync(audio)
      writeFileSync(audio, Buffer.alloc(size, 'x'))
      utimesSync(audio, atime, mtime)
    }
    const second = await pass()
    expect(second.all.map(({ features }) => features)).toEqual(first.all.map(({ features }) => features))
    expect(second.stats).toMatchObject({ audioFiles: 0, audioBytes: 0, computed: 0 })
    expect(second.stats.cacheBytes).toBe(entries().reduce((sum, path) => sum + statSync(path).size, 0))
  })

  it('a clip is known by its content, features by their options', async () => {
    await pass()
    const copy = join(folder, 'copy.wav')
    copyFileSync(clips[0]!.audio, copy)
    utimesSync(copy, 1_000_000, 1_000_000)
    const some = [{ ...clips[0]!, audio: copy }]
    expect((await pass({}, some)).stats).toMatchObject({ audioFiles: 1, computed: 0 })
    for (const other of [
      { overrides: { fMax: 3000 } },
      { overrides: { sampleRate: 16_000 } },
      { preset: 'dcase2023' as const },
      { decode: { acceptCut: true } },
    ])
      expect((await pass(other, some)).stats).toMatchObject({ computed: 1 })
    expect((await pass({}, some)).stats).toMatchObject({ audioFiles: 0 })
  })

  it('a changed file is noticed: by its size, by its time, by time alone', async () => {
    await pass()
    const [{ audio: a }, { audio: b }, { audio: c }] = clips as [Clip, Clip, Clip]
    writeFileSync(a, encodeWav(noise('other', 3000), 8000).bytes)
    utimesSync(a, 1_000_000, 1_000_000.25)
    writeFileSync(b, encodeWav(noise('another', 2100), 8000).bytes)
    utimesSync(b, 1_000_000, 1_000_000.5)
    utimesSync(c, 1_000_000, 1_000_001)
    const { all, stats } = await pass()
    expect(all.map(({ computed }) => computed)).toEqual([true, true, false, false, false, false])
    expect(stats.audioFiles).toBe(3)
    expect(all[0]!.duration).toBe(3000 / 8000)
    expect((await pass()).stats.audioFiles).toBe(0)
  })

  it('a file that was changed a moment ago is not taken for known', async () => {
    const now = new Date()
    utimesSync(clips[0]!.audio, now, now)
    await pass()
    expect((await pass()).stats).toMatchObject({ audioFiles: 1, computed: 0 })
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
    [
      'with another header',
      (path: string) => {
        const bytes = readFileSync(path)
        bytes[17]! ^= 1
        writeFileSync(path, bytes)
      },
    ],
    ['of another kind', (path: string) => writeFileSync(path, 'x'.repeat(4000))],
    ['removed', (path: string) => rmSync(path)],
  ])('an entry %s is noticed, computed again and mended', async (_, damage) => {
    const some = clips.slice(0, 1)
    const first = await pass({}, some)
    damage(entries()[0]!)
    const again = await pass({}, some)
    expect(again.all[0]).toMatchObject({ computed: true, features: first.all[0]!.features })
    expect((await pass({}, some)).stats).toMatchObject({ computed: 0, audioFiles: 0 })
  })

  it('without a cache nothing is kept', async () => {
    await using corpus = await openCorpus({
      features: logMelFeatures({ preset: 'thesis' }),
      workers: 0,
      backend,
    })
    const [once, twice] = [await corpus.features(clips[0]!), await corpus.features(clips[0]!)]
    expect(twice).toEqual(once)
    expect(corpus.stats).toMatchObject({ computed: 2, cacheBytes: 0 })
    expect(existsSync(cacheFolder)).toBe(false)
  })

  it('a cache that is only read gives what it has; the rest is computed and not kept', async () => {
    await pass({}, clips.slice(0, 3))
    const before = readdirSync(cacheFolder, { recursive: true })
    const text = readFileSync(table(), 'utf8')
    expect((await pass({ readOnly: true })).stats).toMatchObject({ computed: 3, audioFiles: 3 })
    expect(readdirSync(cacheFolder, { recursive: true })).toEqual(before)
    expect(readFileSync(table(), 'utf8')).toBe(text)
  })

  it('a cache that may not be written to is only read, and that is said once', async ({ skip }) => {
    const forbidden = '/sys/kernel'
    if (!existsSync(forbidden)) skip('no file system here that refuses to be written to')
    const notes: string[] = []
    const { stats, all } = await pass({
      cacheFolder: forbidden,
      onNote: (note) => notes.push(note),
    })
    expect(stats.computed).toBe(6)
    expect(all).toHaveLength(6)
    expect(notes).toEqual([expect.stringMatching(/^Features are computed and not kept: \/sys\/kernel/)])
  })

  it('a cache that is in the way of a file ends the work', async () => {
    writeFileSync(join(folder, 'full'), 'a file where the folder should be')
    await expect(pass({ cacheFolder: join(folder, 'full') })).rejects.toMatchObject({ code: 'WRITE_FAILED' })
  })

  it('names the file in errors of the front end, and refuses bad options at once', async () => {
    const error = await pass({ overrides: { padMode: 'reflect', nFft: 8192 } }).catch(
      (reason: unknown) => reason,
    )
    expect(error).toMatchObject({ code: 'INVALID_DATA', file: clips[0]!.audio })
    expect((error as Error).message.match(/Leave the clip out/g)).toHaveLength(1)
    expect(() => open({ overrides: { bands: 0 } })).toThrow(/bands/)
    await expect(open({ workers: -1 })).rejects.toThrow(/workers/)
  })

  it('what killed processes left is removed when it is old', async () => {
    await pass({}, clips.slice(0, 1))
    const unfinished = join(table(), '..', 'unfinished')
    const [old, young] = [join(unfinished, 'a.1.tmp'), join(unfinished, 'b.2.tmp')]
    for (const path of [old, young]) writeFileSync(path, 'half of an ent')
    utimesSync(old, 1, 1)
    await pass({}, clips.slice(0, 1))
    expect([existsSync(old), existsSync(young)]).toEqual([false, true])
  })

  it('two at once in one folder', async () => {
    const passes = await Promise.all([pass(), pass()])
    expect(passes[0].all.map(({ features }) => features)).toEqual(
      passes[1].all.map(({ features }) => features),
    )
    expect(entries()).toHaveLength(6)
    expect((await pass()).stats).toMatchObject({ audioFiles: 0, computed: 0 })
  })

  it('maxSeconds holds for what is kept too', async () => {
    await pass()
    const error = await pass({ decode: { maxSeconds: 0.28 } }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'TOO_LONG', file: clips[3]!.audio })
  })
})

describe('a part of a clip', () => {
  /** Features that say where they lie: the frame's number, and 1,000 of them in a recording of 128,000 samples. */
  const numbered: AudioFeatures = {
    name: 'numbered',
    config: null,
    id: 'numbered-1',
    cols: 64,
    compute: ({ blocks }) => ({
      frameStep: 0.01,
      blocks: (async function* () {
        let frame = 0
        for await (const block of blocks) {
          const rows = block.length / 128
          yield matrix(
            rows,
            64,
            Float32Array.from({ length: rows * 64 }, (_, i) => frame + Math.floor(i / 64)),
          )
          frame += rows
        }
      })(),
    }),
  }
  const column = ({ rows, cols, data }: { rows: number; cols: number; data: Float32Array }) =>
    Array.from({ length: rows }, (_, r) => data[r * cols]!)
  const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i)

  it('is the same from the cache and when it is computed, and says where it lies', async () => {
    const long = clip('long', 128_000)
    for (const kept of [false, true]) {
      const options = {
        features: numbered,
        ...(kept ? {} : { cacheFolder: join(folder, 'none'), readOnly: true }),
      }
      await using corpus = await open(options)
      if (kept) await corpus.features(long)
      for (const [part, from, count] of [
        [{}, 0, 1000],
        [{ from: 100, frames: 50 }, 100, 50],
        [{ from: 990, frames: 50 }, 990, 10],
        [{ from: 2000, frames: 50 }, 1000, 0],
        [{ frames: 64 }, 0, 64],
        [{ frames: 300, at: 0.5 }, 350, 300],
        [{ frames: 300, at: 0.9999 }, 700, 300],
        [{ frames: 3000, at: 0.5 }, 0, 1000],
      ] as const) {
        const read = await corpus.features(long, part)
        expect([read.from, column(read.features)]).toEqual([from, range(from, count)])
        expect(read).toMatchObject({ frames: 1000, duration: 16, frameStep: 0.01 })
      }
    }
  })

  it('a crop reads its part of the cache and no more', async () => {
    const long = clip('long', 128_000)
    await using corpus = await open({ features: numbered })
    await corpus.features(long)
    const bytesOf = async (crop?: { frames: number; at: number }) => {
      const before = corpus.stats.cacheBytes
      await corpus.source(long, crop === undefined ? {} : { crop })
      return corpus.stats.cacheBytes - before
    }
    const whole = await bytesOf()
    expect(whole).toBe(statSync(entries()[0]!).size)
    for (const at of [0, 0.3, 0.77, 0.999]) {
      // Whole blocks of 64 frames and their checksums, besides the header.
      expect(await bytesOf({ frames: 100, at })).toBeLessThanOrEqual(64 + 4 * 3 + 3 * 64 * 256)
    }
    expect(corpus.stats.audioFiles).toBe(1)
  })

  it('damage elsewhere is not met, damage in the part is', async () => {
    const long = clip('long', 128_000)
    {
      await using corpus = await open({ features: numbered })
      await corpus.features(long)
    }
    const bytes = readFileSync(entries()[0]!)
    bytes[64 + 500 * 256]! ^= 1
    writeFileSync(entries()[0]!, bytes)
    await using corpus = await open({ features: numbered })
    expect((await corpus.features(long, { from: 0, frames: 100 })).computed).toBe(false)
    expect((await corpus.features(long, { from: 490, frames: 20 })).computed).toBe(true)
    expect((await corpus.features(long, { from: 490, frames: 20 })).computed).toBe(false)
  })

  it('windows cover the recording, from the cache and as it is decoded', async () => {
    const long = clip('long', 128_000)
    for (const [windows, expected] of [
      [
        { seconds: 3 },
        [
          [0, 300],
          [300, 300],
          [600, 300],
          [900, 100],
        ],
      ],
      [
        { seconds: 4, hop: 3 },
        [
          [0, 400],
          [300, 400],
          [600, 400],
        ],
      ],
      [
        { seconds: 2, hop: 5 },
        [
          [0, 200],
          [500, 200],
        ],
      ],
      [{ seconds: 60 }, [[0, 1000]]],
      [
        { seconds: 5 },
        [
          [0, 500],
          [500, 500],
        ],
      ],
    ] as const) {
      for (const kept of [true, false]) {
        await using corpus = await open({
          ...{ features: numbered, windows },
          ...(kept ? {} : { cacheFolder: join(folder, 'none'), readOnly: true }),
        })
        const all = await allOf(corpus.windows(long))
        expect(all.map(({ features }) => column(features))).toEqual(
          expected.map(([from, frames]) => range(from, frames)),
        )
        expect(all.map(({ index, start, end }) => [index, start, end])).toEqual(
          // The last one ends with the recording, of which 16 s have a thousand frames.
          expected.map(([from, frames], i) => {
            return [i, from * 0.01, from + frames === 1000 ? 16 : (from + frames) * 0.01]
          }),
        )
        // Once, however many windows there are.
        if (!kept) expect(corpus.stats.computed).toBe(0)
      }
    }
    await using corpus = await open()
    await expect(corpus.windows(long).next()).rejects.toThrow(/windows of openCorpus/)
    await expect(open({ windows: { seconds: 0 } })).rejects.toThrow(/windows.seconds/)
  })
})

describe('bad clips', () => {
  it('are set aside with their names and reasons, the rest goes on', async () => {
    const cut = { ...clips[1]!, id: 'cut', audio: join(folder, 'cut.wav') }
    writeFileSync(cut.audio, readFileSync(clips[0]!.audio).subarray(0, 500))
    const none = { ...clips[1]!, id: 'none', audio: join(folder, 'none.wav') }
    const silent = { ...clips[1]!, id: 'silent', audio: join(folder, 'silent.wav') }
    writeFileSync(silent.audio, encodeWav(new Float32Array(4000), 8000).bytes)
    const all = [none, ...clips.slice(0, 3), cut, ...clips.slice(3), silent]
    await using corpus = await open()
    const progress: number[] = []
    const { clips: kept, quarantine } = await corpus.sift(all, {
      maxBadShare: 0.5,
      onProgress: (done, total) => progress.push(done / total),
    })
    expect(kept).toEqual(clips)
    expect(progress.at(-1)).toBe(1)
    expect(quarantine.clips.map(({ id, reasons }) => [id, reasons[0]])).toEqual([
      ['none', expect.stringMatching(/none.wav: Expected an audio file, found nothing/)],
      ['cut', expect.stringMatching(/cut.wav: Expected \d+ bytes of samples/)],
      ['silent', expect.stringMatching(/silent.wav: the clip is silent/)],
    ])
    await expect(corpus.sift(all, { maxBadShare: 0.2 })).rejects.toThrow(/3 of 9 clips are bad/)
    await expect(corpus.sift([cut], { maxBadShare: 1 })).rejects.toThrow(/none of 1 clips/)
    const passed: string[] = []
    const read = await allOf(corpus.read(all, { onBad: ({ id }) => passed.push(id) }))
    expect(read.map((one) => one.clip.id)).toEqual([...clips.map(({ id }) => id), 'silent'])
    expect(passed).toEqual(['none', 'cut'])
    await expect(allOf(corpus.read(all))).rejects.toMatchObject({ code: 'MISSING_FILE' })
  })

  it('what is wrong with the work and not with a clip ends it', async () => {
    writeFileSync(join(folder, 'full'), '')
    await using corpus = await open({ cacheFolder: join(folder, 'full') })
    await expect(corpus.sift(clips, { maxBadShare: 1 })).rejects.toMatchObject({ code: 'WRITE_FAILED' })
  })

  it('a warm sift reads neither audio nor features', async () => {
    await pass()
    await using corpus = await open()
    await corpus.sift(clips)
    expect(corpus.stats).toEqual({ audioFiles: 0, audioBytes: 0, cacheBytes: 0, computed: 0 })
  })
})

describe('reading ahead', () => {
  it('begins no more than it may, whoever is slow', async () => {
    const many = Array.from({ length: 40 }, (_, i) => clip(`many-${i}`, 1000))
    await using corpus = await open()
    /** Waits until so many are read, and whether more are. */
    const settled = async (expected: number) => {
      const turn = () => new Promise((resolve) => setTimeout(resolve, 10))
      for (let i = 0; i < 1000 && corpus.stats.audioFiles < expected; i++) await turn()
      for (let i = 0; i < 5; i++) await turn()
      return corpus.stats.audioFiles
    }
    let taken = 0
    for await (const { index } of corpus.read(many)) {
      expect(index).toBe(taken++)
      if (taken % 5 === 1) {
        const ahead = Math.min(40, taken + 7)
        expect(await settled(ahead)).toBe(ahead)
      }
      if (taken === 20) break
    }
    const after = corpus.stats.audioFiles
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(corpus.stats.audioFiles).toBe(after)
  })

  it('stops at once when it is told to', async () => {
    await using corpus = await open()
    const controller = new AbortController()
    const seen: number[] = []
    const reading = (async () => {
      for await (const { index } of corpus.read(clips, { signal: controller.signal })) {
        seen.push(index)
        controller.abort()
      }
    })()
    await expect(reading).rejects.toMatchObject({ code: 'ABORTED' })
    expect(seen).toEqual([0])
    await expect(corpus.features(clips[0]!, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    })
    const waiting = Array.from({ length: 12 }, () => new AbortController())
    const jobs = waiting.map(({ signal }) => corpus.features(clips[0]!, { signal }).catch(({ code }) => code))
    for (const one of waiting) one.abort()
    expect(new Set(await Promise.all(jobs))).toEqual(new Set(['ABORTED']))
    expect((await corpus.features(clips[1]!)).frames).toBeGreaterThan(0)
  })
})
