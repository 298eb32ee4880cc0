import { copyFile, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { logMelFeatures } from '../audio/index.js'
import { openBackend } from '../backend/index.js'
import { matrix } from '../base/matrix.js'
import { writeNpy } from '../base/npy.js'
import { readManifest, writeManifest } from '../data/index.js'
import { exportOnnx } from '../models/index.js'
import { openOnnx } from '../onnx/index.js'
import { tinyAudioTower, tinyTextTower, tinyTokenizer } from '../testing/tiny-onnx.js'
import { writeToneClips } from '../testing/tone-clips.js'
import { checkOnnx } from './check-onnx.js'
import { calibrateRun, classifyRun } from './classify-run.js'
import { parseConfig } from './config.js'
import { embedRun } from './embed-run.js'
import { evaluateRun } from './evaluate-run.js'
import { evaluateMatrix, evaluateVectors, readNamedRows, readTruth } from './evaluate-vectors.js'
import { frozenRun } from './frozen-run.js'
import { openRun } from './run-folder.js'
import { searchRun } from './search-run.js'
import { towerVectorsOf } from './tower-vectors.js'
import { trainRun } from './train-run.js'

const backend = openBackend()
let folder: string
let manifest: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-towers-'))
  ;({ manifest } = await writeToneClips(folder))
  // Both sides of one tiny model: three numbers for a clip, three for a sentence.
  await writeFile(
    join(folder, 'audio.onnx'),
    tinyAudioTower({ shape: ['n', 1, 1001, 64], input: 'input_features' }),
  )
  await writeFile(join(folder, 'text.onnx'), tinyTextTower({ pooled: true }))
  await writeFile(join(folder, 'tokenizer.json'), tinyTokenizer())
})
afterAll(() => rm(folder, { recursive: true }))

const pair = (changes: object = {}) =>
  parseConfig({
    data: { manifest },
    features: {
      type: 'onnx',
      model: join(folder, 'audio.onnx'),
      frontEnd: { preset: 'clap' },
      pool: ['mean'],
    },
    model: {
      audio: 'frozen',
      text: { type: 'onnx', model: join(folder, 'text.onnx') },
      similarity: 'pooled',
    },
    ...changes,
  })

describe('a CLAP-like pair without training', () => {
  it('searches, is evaluated, and labels recordings by sentences', async () => {
    const run = await frozenRun(pair(), { backend })
    const evaluation = await evaluateRun(run, { split: 'test', measures: ['R@1'] })
    expect(evaluation).toMatchObject({ queries: 12, items: 6 })
    const [hits] = await searchRun(run, ['a dog barks'], { k: 3, split: 'test' })
    expect(hits).toHaveLength(3)
    const { clips } = await readManifest(manifest)
    const files = clips.slice(0, 2).map(({ audio }) => audio)
    const found = await classifyRun(run, files, ['dog', 'rain'], { prompts: ['a {}', 'the {} falls'] })
    expect(found.map(({ file }) => file)).toEqual(files)
    for (const { labels } of found) {
      expect(labels[0]!.share + labels[1]!.share).toBeCloseTo(1, 5)
      expect(labels[0]!.share).toBeGreaterThanOrEqual(labels[1]!.share)
    }
    await expect(classifyRun(run, files, ['dog'])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(classifyRun(run, files, ['dog', 'rain'], { prompts: ['sound'] })).rejects.toThrow(/\{\}/)
  })

  it('refuses parts that are to be trained', async () => {
    const text = { type: 'onnx', model: join(folder, 'text.onnx'), project: 3 }
    const trained = pair({ model: { audio: 'frozen', text, similarity: 'pooled' } })
    await expect(frozenRun(trained, { backend, file: 'clap.yaml' })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      file: 'clap.yaml',
    })
  })

  it('is calibrated on clips whose tag is a label', async () => {
    const run = await frozenRun(pair(), { backend })
    const { clips } = await readManifest(manifest)
    const tagged = join(folder, 'tagged.jsonl')
    const lines = clips.map(({ id, audio }, i) =>
      JSON.stringify({ id, audio, tags: [i % 2 === 0 ? 'dog' : 'rain'] }),
    )
    await writeFile(tagged, `${lines.join('\n')}\n`)
    const found = await calibrateRun(run, ['dog', 'rain'], { manifest: tagged })
    expect(found.clips).toBe(24)
    expect(found.temperature).toBeGreaterThan(0)
    await expect(calibrateRun(run, ['cat', 'owl'], { manifest: tagged })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    })
  })
})

describe('a canonical start', () => {
  const config = (epochs: number, seed = 1) =>
    pair({
      seed,
      // A validation split would pick the start where an epoch does not better it.
      data: { manifest: join(folder, 'unvalidated.jsonl') },
      model: {
        audio: { type: 'projection', standardize: true },
        text: { type: 'onnx', model: join(folder, 'text.onnx'), project: 2, gate: 2 },
        similarity: 'pooled',
        start: 'canonical',
      },
      loss: { type: 'info-nce' },
      training: { epochs, batchSize: 8 },
    })

  it('is the model where no epoch follows, whatever the seed, and trains on from there', async () => {
    const { clips } = await readManifest(manifest)
    await writeManifest(
      join(folder, 'unvalidated.jsonl'),
      clips.filter(({ split }) => split !== 'validation'),
    )
    const scoresOf = async (name: string, ...of: Parameters<typeof config>) => {
      const at = join(folder, name)
      const notes: string[] = []
      const onNote = (note: string) => notes.push(note)
      const { epochs, steps } = await trainRun(config(...of), { folder: at, backend, onNote })
      expect(epochs).toBe(of[0])
      expect(steps > 0).toBe(of[0] > 0)
      // Where there is no epoch there is none to pick.
      expect(notes).toHaveLength(of[0] > 0 ? 1 : 0)
      const run = await openRun(at, { backend })
      return (await embedRun(run, { split: 'test' })).audio.data
    }
    const begun = await scoresOf('begun', 0)
    expect(await scoresOf('other-seed', 0, 2)).toEqual(begun)
    const trained = await scoresOf('on', 1)
    expect(trained).not.toEqual(begun)
    const more = await trainRun(config(1), { folder: join(folder, 'begun'), backend, resume: true })
    expect(more.epochs).toBe(1)
    const resumed = await embedRun(await openRun(join(folder, 'begun'), { backend }), { split: 'test' })
    expect(resumed.audio.data).toEqual(trained)
  })
})

describe('vectors with ids', () => {
  it('of a run give the measures of the run', async () => {
    const run = await frozenRun(pair(), { backend })
    const { audio, clips, text, captions, captionClips } = await embedRun(run, { split: 'test' })
    const file = (name: string) => join(folder, name)
    await writeNpy(file('a.npy'), audio)
    await writeNpy(file('t.npy'), text)
    await writeFile(file('a.ids.txt'), clips.join('\n'))
    await writeFile(file('t.ids.txt'), captions.join('\n'))
    const lines = captions.map((caption, i) => JSON.stringify({ caption, clip: captionClips[i] }))
    await writeFile(file('truth.jsonl'), lines.join('\n'))
    const measures = ['R@1', 'mAP@10', 'MRR']
    const wanted = await evaluateRun(run, { split: 'test', measures })
    for (const truth of [file('truth.jsonl'), manifest]) {
      const found = await evaluateVectors(
        await readNamedRows(file('a.npy')),
        await readNamedRows(file('t.npy')),
        await readTruth(truth),
        { backend, measures },
      )
      expect(found.textToAudio).toEqual(wanted.textToAudio)
      expect(found.audioToText).toEqual(wanted.audioToText)
      expect(found.intervals).toEqual(wanted.intervals)
    }
  })

  it('and a truth that do not belong together are refused', async () => {
    const truth = { clipOf: new Map([['1', 'a']]), groups: new Map<string, string>() }
    expect(() => evaluateMatrix(matrix(1, 1), ['b'], ['1'], truth)).toThrow(
      /Expected the clip "a" of the caption "1"/,
    )
    expect(() => evaluateMatrix(matrix(1, 1), ['a'], ['2'], truth)).toThrow(
      /line of the truth for the caption "2"/,
    )
    const bad = join(folder, 'bad.jsonl')
    for (const [line, message] of [
      ['{"caption": "x"', /line 1: expected/],
      ['{"caption": "x"}', /no clip/],
      ['{"clip": "x"}', /no caption/],
      ['{"caption": 1, "clip": 2}\n{"caption": 1, "clip": 2}', /line 2: .*"1" again/],
    ] as const) {
      await writeFile(bad, line)
      await expect(readTruth(bad)).rejects.toThrow(message)
    }
    await writeNpy(join(folder, 'ids.npy'), matrix(2, 3))
    expect((await readNamedRows(join(folder, 'ids.npy'))).ids).toEqual(['0', '1'])
    await writeFile(join(folder, 'ids.ids.txt'), 'a\na\n')
    await expect(readNamedRows(join(folder, 'ids.npy'))).rejects.toThrow(/2 different ids/)
  })
})

describe('the cache', () => {
  it('a second run reads no audio and computes no tower; a changed file is noticed', async () => {
    const own = join(folder, 'own')
    await mkdir(own)
    const { manifest: path, clips } = await writeToneClips(own)
    const past = new Date(Date.now() - 10_000)
    for (const { audio } of clips) await utimes(audio, past, past)
    const config = pair({ data: { manifest: path } })
    const run = await frozenRun(config, { backend })
    const first = await embedRun(run)
    const cacheFolder = join(own, 'features')
    const again = async () => {
      await using corpus = await run.corpus({ cacheFolder })
      for await (const { computed } of corpus.read(clips)) expect(computed).toBe(false)
      return corpus.stats
    }
    expect(await again()).toMatchObject({ audioFiles: 0, audioBytes: 0, computed: 0 })
    const kept = (await readdir(cacheFolder)).toSorted()
    expect(await embedRun(run)).toEqual(first)
    expect((await readdir(cacheFolder)).toSorted()).toEqual(kept)
    await copyFile(clips[1]!.audio, clips[0]!.audio)
    const changed = await embedRun(run)
    expect(changed.audio.data.slice(0, 3)).toEqual(first.audio.data.slice(3, 6))
    expect(changed.audio.data.slice(3)).toEqual(first.audio.data.slice(3))
  })
})

describe('heads', () => {
  it('are trained by configuration, and hold the run to its towers', async () => {
    const config = pair({
      model: {
        audio: { type: 'projection', standardize: true },
        text: { type: 'onnx', model: join(folder, 'text.onnx'), project: 4, gate: 2 },
        similarity: 'pooled',
      },
      loss: { type: 'info-nce' },
      training: { epochs: 2, batchSize: 4 },
    })
    await trainRun(config, { folder: join(folder, 'run'), backend })
    const run = await openRun(join(folder, 'run'), { backend })
    const { data } = run.model.state().get('text.gate.directions')!
    for (const at of [0, data.length / 2])
      expect(Math.hypot(...data.subarray(at, at + data.length / 2))).toBeCloseTo(1, 4)
    expect(run.features).toMatchObject({
      type: 'onnx',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    })
    expect(await evaluateRun(run, { split: 'test', measures: ['R@1'] })).toMatchObject({ queries: 12 })
    // What the towers give is what the exported files take.
    const { features, sentences, clips, captions } = await towerVectorsOf(run, { split: 'test' })
    const wanted = await embedRun(run, { split: 'test' })
    expect([clips, captions]).toEqual([wanted.clips, wanted.captions])
    const files = exportOnnx(run.model)
    const through = async (name: 'audio' | 'text', input: string, shape: number[], data: Float32Array) => {
      const file = join(folder, `exported-${name}.onnx`)
      await writeFile(file, files[name])
      return (await (await openOnnx(file)).run({ [input]: { shape, data } })).get(`${name}_embeds`)!.data
    }
    const heard = Float32Array.from(features.flatMap(({ data }) => [...data]))
    const audio = await through('audio', 'features', [6, 1, heard.length / 6], heard)
    const text = await through('text', 'sentences', [12, sentences!.cols], sentences!.data)
    for (const [got, of] of [
      [audio, wanted.audio],
      [text, wanted.text],
    ] as const)
      for (const [i, value] of got.entries()) expect(value).toBeCloseTo(of.data[i]!, 4)
    await writeFile(join(folder, 'audio.onnx'), tinyAudioTower({ shape: ['n', 1, 1001, 64], dim: 4 }))
    await expect(
      openRun(join(folder, 'run'), { backend }).then((opened) => evaluateRun(opened)),
    ).rejects.toMatchObject({
      code: 'INVALID_FILE',
    })
  })
})

describe('several towers', () => {
  it('side by side are trained, opened, exported and evaluated as one, and the run is held to each', async () => {
    const own = join(folder, 'several')
    await mkdir(own)
    for (const [name, dim] of Object.entries({ one: 4, two: 3 }))
      await writeFile(join(own, `${name}.onnx`), tinyAudioTower({ dim }))
    const frontEnd = { preset: 'yamnet' }
    const config = parseConfig(
      {
        data: { manifest, validationSplit: null },
        features: {
          type: 'concatenated',
          // Paths are relative to the configuration, as everywhere.
          kinds: [
            { type: 'onnx', model: 'one.onnx', frontEnd, pool: ['mean', 'max'] },
            { type: 'onnx', model: 'two.onnx', frontEnd },
            'log-mel',
          ],
          pool: ['mean'],
        },
        model: {
          audio: { type: 'projection', standardize: true },
          text: { type: 'onnx', model: join(folder, 'text.onnx'), project: 4 },
          similarity: 'pooled',
        },
        loss: 'info-nce',
        training: { epochs: 1, batchSize: 4 },
      },
      { base: own },
    )
    await trainRun(config, { folder: join(own, 'run'), backend })
    const run = await openRun(join(own, 'run'), { backend })
    const hash = expect.stringMatching(/^[0-9a-f]{64}$/) as string
    expect(run.features).toMatchObject({
      type: 'concatenated',
      kinds: [
        { type: 'onnx', model: join(own, 'one.onnx'), sha256: hash },
        { type: 'onnx', model: join(own, 'two.onnx'), sha256: hash },
        { type: 'log-mel' },
      ],
    })
    expect(await evaluateRun(run, { split: 'test', measures: ['R@1'] })).toMatchObject({
      queries: 12,
      items: 6,
    })
    const { audio } = exportOnnx(run.model)
    await writeFile(join(own, 'audio.onnx'), audio)
    await using corpus = await run.corpus()
    const { clips } = await readManifest(manifest)
    const { features } = await corpus.features(clips[0]!)
    const { cols: bands } = logMelFeatures({ preset: 'thesis' })
    expect([features.rows, features.cols]).toEqual([1, 2 * 4 + 3 + bands])
    const heard = await (
      await openOnnx(join(own, 'audio.onnx'))
    ).run({ features: { shape: [1, 1, features.cols], data: features.data } })
    const wanted = await run.model.audio.embed([features])
    for (const [i, value] of heard.get('audio_embeds')!.data.entries())
      expect(value).toBeCloseTo(wanted.data[i]!, 5)
    await writeFile(join(own, 'two.onnx'), tinyAudioTower({ dim: 2 }))
    await expect(run.corpus()).rejects.toMatchObject({ code: 'INVALID_FILE', file: join(own, 'two.onnx') })
  })
})

describe('checking a file', () => {
  it('says what it can be used as, or why not', async () => {
    const audio = join(folder, 'yamnet.onnx')
    await writeFile(audio, tinyAudioTower())
    expect(await checkOnnx(audio)).toMatchObject({
      audio: [
        { preset: 'yamnet', cols: 3 },
        { preset: 'vggish', cols: 3 },
      ],
      text: null,
      problems: [],
    })
    expect(await checkOnnx(join(folder, 'text.onnx'))).toMatchObject({
      audio: [],
      text: { cols: 3 },
      problems: [],
    })
    const odd = join(folder, 'odd.onnx')
    await writeFile(odd, tinyAudioTower({ shape: ['n', 7, 5] }))
    const { problems } = await checkOnnx(odd)
    expect(problems).toHaveLength(6)
    expect(problems[0]).toMatch(/^yamnet: .*patch \[n, 7, 5\] float32/)
    await writeFile(odd, 'no model')
    await expect(checkOnnx(odd)).rejects.toMatchObject({ code: 'INVALID_FILE' })
  })
})
