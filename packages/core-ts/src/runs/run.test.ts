import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeWav } from '../audio/index.js'
import { type Backend, openBackend } from '../backend/index.js'
import { readSafetensors } from '../base/safetensors.js'
import { readManifest, writeManifest } from '../data/index.js'
import { tinyRun, writeToneClips } from '../testing/tone-clips.js'
import { crnn, dualEncoder, words } from '../models/index.js'
import { Vocabulary } from '../text/index.js'
import { saveModel } from '../models/index.js'
import type { TrainingReport } from '../train/index.js'
import { parseConfig, type RunConfig } from './config.js'
import { evaluateRun } from './evaluate-run.js'
import { corpusOf, prepareClips } from './prepare.js'
import { readMadeWith } from './made-with.js'
import { reportRuns } from './report-runs.js'
import { openRun, readRunConfig } from './run-folder.js'
import { searchCaptions, searchRun, unknownWords } from './search-run.js'
import { trainRun } from './train-run.js'

const backend = openBackend()
let folder: string
let manifest: string
let config: RunConfig
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-run-'))
  ;({ manifest } = await writeToneClips(folder))
  config = parseConfig({ ...tinyRun, data: { manifest } })
  await trainRun(config, { folder: join(folder, 'run'), backend })
})
afterAll(() => rm(folder, { recursive: true }))

const weights = async (run: string): Promise<Buffer[]> =>
  [...(await readSafetensors(join(folder, run, 'model.safetensors'))).tensors.values()].map(({ data }) =>
    Buffer.from(data.buffer, data.byteOffset, data.byteLength),
  )

describe('trainRun', () => {
  it('reports features, steps and epochs as they happen', async () => {
    const features: number[] = []
    const reports: TrainingReport[] = []
    const result = await trainRun(config, {
      folder: join(folder, 'told'),
      backend,
      onFeatures: (done, total) => features.push(done / total),
      onReport: (report, trainer) => {
        expect(trainer.totalSteps).toBe(6)
        reports.push(report)
      },
    })
    expect(features.at(-1)).toBe(1)
    expect(reports.map(({ kind, step }) => `${kind} ${step}`)).toEqual([
      'epoch 0',
      'step 1',
      'step 2',
      'step 3',
      'epoch 3',
      'step 4',
      'step 5',
      'step 6',
      'epoch 6',
    ])
    expect(result).toMatchObject({ epochs: 2, steps: 6, trainClips: 12, validationClips: 6, quarantined: 0 })
    const epoch = reports.at(-1)!
    if (epoch.kind !== 'epoch') throw new Error('expected an epoch')
    const { 'textToAudio.mAP@10': toAudio, 'audioToText.mAP@10': toText } = epoch.validation
    expect(epoch.validation['mAP@10']).toBeCloseTo((toAudio! + toText!) / 2, 12)
  })

  it('is a function of the configuration: the same bits twice, others with another seed', async () => {
    const [first, again] = await Promise.all([weights('run'), weights('told')])
    expect(again).toEqual(first)
    await trainRun({ ...config, seed: 18 }, { folder: join(folder, 'seed'), backend })
    expect(await weights('seed')).not.toEqual(first)
  })

  it('says which version, Node.js, platform and device made it, start by start, and goes on from another', async () => {
    const here = {
      sonotext: (JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version,
      node: process.version,
      platform: `${process.platform}-${process.arch}`,
      device: backend.info.device,
      ranks: 1,
    } // prettier-ignore
    const made = join(folder, 'made')
    await trainRun(config, { folder: made, backend })
    expect(await readMadeWith(made)).toEqual([expect.objectContaining(here)])
    const elsewhere = [{ ...(await readMadeWith(made))[0], node: 'v1', device: 'cuda:7' }]
    await writeFile(join(made, 'made-with.json'), JSON.stringify(elsewhere))
    const longer = { ...config, training: { ...config.training, epochs: 3 } }
    await trainRun(longer, { folder: made, backend, resume: true })
    expect(await readMadeWith(made)).toEqual([elsewhere[0], expect.objectContaining(here)])
    expect(await reportRuns([made])).toMatch(/Made with[^]*cuda:7[^]*Node\.js v2/)
    const narrow = Object.create(backend, { info: { value: { ...backend.info, matmul: 'bf16' } } }) as Backend
    await expect(trainRun(longer, { folder: made, backend: narrow, resume: true })).rejects.toThrow(
      /trained with matrix products in fp32, and would go on in bf16.*--matmul fp32/s,
    )
    await writeFile(join(made, 'made-with.json'), '{')
    await expect(readMadeWith(made)).rejects.toMatchObject({ code: 'INVALID_FILE' })
  })

  it('stops at a signal with a checkpoint, and saveEvery makes more of them', async () => {
    const controller = new AbortController()
    const stopped = join(folder, 'stopped')
    const long = { ...config, training: { ...config.training, epochs: 50, saveEvery: 1 } }
    const run = trainRun(long, {
      folder: stopped,
      backend,
      signal: controller.signal,
      onReport: (report) => {
        if (report.step === 2) expect(existsSync(join(stopped, 'checkpoint.safetensors'))).toBe(true)
        if (report.step === 4) controller.abort()
      },
    })
    await expect(run).rejects.toMatchObject({ code: 'ABORTED' })
    const { metadata } = await readSafetensors(join(stopped, 'checkpoint.safetensors'))
    expect(JSON.parse(metadata['content']!)).toMatchObject({ learner: { steps: 4 } })
    await expect(trainRun(long, { folder: stopped, backend })).rejects.toThrow(/already a run in this folder/)
    const result = await trainRun(config, { folder: stopped, backend, resume: true })
    expect(result.steps).toBe(6)
    expect(await weights('stopped')).toEqual(await weights('run'))
  })

  it('learns words from given tokens where the manifest has them', async () => {
    const { clips } = await readManifest(manifest)
    const tokens = join(folder, 'tokens.jsonl')
    await writeManifest(
      tokens,
      clips.map((clip) => ({
        ...clip,
        captions: clip.captions.map(({ text }) => ({ text, tokens: text.toUpperCase().split(' ') })),
      })),
    )
    const run = join(folder, 'tokens')
    await trainRun({ ...config, data: { ...config.data, manifest: tokens } }, { folder: run, backend })
    const { model } = await openRun(run, { backend })
    expect(model.config.text['vocabulary']).toMatchObject({
      words: expect.arrayContaining(['WHISTLE', 'A']) as string[],
    })
  })

  it('watches mAP@10 when asked to, and keeps its best epoch', async () => {
    const training = { ...config.training, epochs: 4 }
    const validation = { ...config.validation, monitor: 'mAP@10' }
    const seen: number[] = []
    const { best } = await trainRun(
      { ...config, training, validation },
      {
        folder: join(folder, 'watched'),
        backend,
        onReport: (report) => report.kind === 'epoch' && seen.push(report.validation['mAP@10']!),
      },
    )
    expect(best!.monitor).toBe('mAP@10')
    expect(best!.metric).toBe(Math.max(...seen))
    expect(seen[best!.epoch]).toBe(best!.metric)
  })
})

describe('validation', () => {
  const looks = async (name: string, validation: Partial<RunConfig['validation']>, epochs = 3) => {
    const reports: TrainingReport[] = []
    await trainRun(
      {
        ...config,
        training: { ...config.training, epochs },
        validation: { ...config.validation, ...validation },
      },
      { folder: join(folder, name), backend, onReport: (report) => reports.push(report) },
    )
    return reports.flatMap((report) => (report.kind === 'epoch' ? [Object.keys(report.validation)] : []))
  }

  it('has a price that can be set', async () => {
    const signs = ['clipSpread', 'clipCosine', 'zeroScores']
    expect(await looks('cheap', { measures: [], every: 2 })).toEqual([
      ['loss'],
      [],
      ['loss', ...signs],
      ['loss', ...signs],
    ])
    const yardsticks = [{ type: 'triplet', negatives: 'random' }]
    expect((await looks('full', { yardsticks, measures: ['R@1'] }, 1))[0]).toEqual([
      ...['loss', 'triplet-random', 'textToAudio.R@1', 'audioToText.R@1', 'R@1'],
    ])
  })
})

describe('prepareClips', () => {
  const open = (cacheFolder = join(folder, 'features')) => corpusOf(config.features, { cacheFolder, backend })

  it('sets aside silent clips and, where they are needed, clips without captions', async () => {
    const silent = join(folder, 'silent.wav')
    await writeWav(silent, new Float32Array(8000), 8000)
    const { clips } = await readManifest(manifest)
    const odd = [...clips.slice(0, 6), { id: 'silent', audio: silent, captions: clips[0]!.captions }]
    const bare = { ...clips[6]!, captions: [] }
    await using corpus = await open()
    const all = await prepareClips([...odd, bare], corpus, { maxBadShare: 0.5, needCaptions: true })
    expect(all.quarantine.clips.map(({ id, reasons }) => [id, reasons[0]])).toEqual([
      ['silent', `${silent}: the clip is silent.`],
      [bare.id, 'The clip has no caption.'],
    ])
    expect(all.clips).toHaveLength(6)
    const search = await prepareClips([bare], corpus, { maxBadShare: 0 })
    expect(search.clips).toEqual([bare])
    await expect(prepareClips(odd, corpus, { maxBadShare: 0.1 })).rejects.toThrow(/1 of 7 clips are bad/)
    await expect(prepareClips([odd.at(-1)!], corpus, { maxBadShare: 1 })).rejects.toThrow(
      /none of 1 clips can be used/,
    )
  })

  it('a cache that cannot be written names the key that moves it', async () => {
    const blocked = join(folder, 'blocked')
    await writeFile(blocked, 'a file where a folder should be')
    const { clips } = await readManifest(manifest)
    await using corpus = await open(blocked)
    await expect(prepareClips(clips, corpus, { maxBadShare: 1 })).rejects.toMatchObject({
      code: 'WRITE_FAILED',
      message: expect.stringMatching(/blocked.*could not write.*--set data\.cache=FOLDER/) as string,
    })
  })
})

describe('a run that is opened', () => {
  it('evaluates a split both ways, with progress', async () => {
    const run = await openRun(join(folder, 'run'), { backend })
    const scored: [number, number][] = []
    const evaluation = await evaluateRun(run, {
      measures: ['R@1', 'MRR'],
      onScored: (done, total) => scored.push([done, total]),
    })
    expect(evaluation).toMatchObject({ split: 'test', queries: 12, items: 6 })
    expect(Object.keys(evaluation.textToAudio!)).toEqual(['R@1', 'MRR'])
    expect(scored.at(-1)).toEqual([6, 6])
    await expect(evaluateRun(run, { split: 'dev' })).rejects.toMatchObject({ code: 'INVALID_DATA' })
  })

  it('keeps the features of another manifest beside that one', async () => {
    const run = await openRun(join(folder, 'run'), { backend })
    const { clips } = await readManifest(manifest)
    const other = join(folder, 'elsewhere', 'clips.jsonl')
    await writeManifest(other, clips)
    await evaluateRun(run, { manifest: other })
    expect(existsSync(join(folder, 'elsewhere', 'features'))).toBe(true)
  })

  it('search gives what scoring every clip gives', async () => {
    const run = await openRun(join(folder, 'run'), { backend })
    const sentences = ['a high whistle', 'a hiss']
    const found = await searchRun(run, sentences, { k: 24 })
    const { clips } = await readManifest(manifest)
    await using corpus = await run.corpus()
    const features = await Promise.all(clips.map(async (clip) => (await corpus.features(clip)).features))
    const scores = await run.model.score(features, sentences)
    for (const [q, hits] of found.entries()) {
      expect(hits.map(({ rank }) => rank)).toEqual(hits.map((_, i) => i + 1))
      for (const { index, score, clip, id } of hits) {
        expect([clip.id, id]).toEqual([clips[index]!.id, clips[index]!.id])
        expect(score).toBeCloseTo(scores.data[index * 2 + q]!, 6)
      }
      expect(hits.map(({ score }) => score)).toEqual(hits.map(({ score }) => score).toSorted((a, b) => b - a))
    }
  })

  it('the captions of a recording are those that score highest with it', async () => {
    const run = await openRun(join(folder, 'run'), { backend })
    const { clips } = await readManifest(manifest)
    const files = [clips[1]!.audio, clips[4]!.audio]
    const found = await searchCaptions(run, files, { split: 'test', k: 12 })
    const test = clips.filter(({ split }) => split === 'test')
    const texts = test.flatMap(({ captions }) => captions.map(({ text }) => text))
    await using corpus = await run.corpus()
    const features = await Promise.all(
      files.map(async (file) => (await corpus.features({ id: file, audio: file })).features),
    )
    const scores = await run.model.score(features, texts)
    for (const [q, hits] of found.entries()) {
      expect(hits).toHaveLength(12)
      for (const { index, score, text, clip } of hits) {
        expect(text).toBe(texts[index])
        expect(clip.captions.map((caption) => caption.text)).toContain(text)
        expect(score).toBeCloseTo(scores.data[q * 12 + index]!, 6)
      }
      expect(hits.map(({ score }) => score)).toEqual(hits.map(({ score }) => score).toSorted((a, b) => b - a))
    }
    const bare = join(folder, 'bare.jsonl')
    await writeManifest(
      bare,
      clips.map(({ id, audio }) => ({ id, audio })),
    )
    await expect(searchCaptions(run, files, { manifest: bare })).rejects.toThrow(
      /there are no captions to choose from/,
    )
  })

  it('knows which words it does not know', async () => {
    const { model } = await openRun(join(folder, 'run'), { backend })
    expect(unknownWords(model, 'A purring, high whistle!')).toEqual(['purring'])
    expect(unknownWords(model, '')).toEqual([])
  })

  it('says what to do where the manifest of a run has moved', async () => {
    const moved = { ...config, data: { ...config.data, manifest: join(folder, 'gone.jsonl') } }
    const run = await openRun(join(folder, 'run'), { backend })
    const text =
      /gone\.jsonl: there is no such file, which the run was trained on\. Where it has moved, name it: /
    const evaluated = evaluateRun({ ...run, config: moved }).catch((error: Error) => error.message)
    expect(await evaluated).toMatch(new RegExp(`${text.source}--manifest`))
    const trained = trainRun(moved, { folder: join(folder, 'run'), backend, resume: true })
    expect(await trained.catch((error: Error) => error.message)).toMatch(
      new RegExp(`${text.source}--set data\\.manifest=`),
    )
  })

  it('says what is missing or damaged', async () => {
    await expect(openRun(join(folder, 'nowhere'), { backend })).rejects.toThrow(
      /this folder holds no training run/,
    )
    const lost = join(folder, 'lost')
    await mkdir(lost, { recursive: true })
    await copyFile(join(folder, 'run', 'model.safetensors'), join(lost, 'model.safetensors'))
    await expect(openRun(lost, { backend })).rejects.toThrow(/the configuration of this run is gone/)
    const damaged = join(folder, 'seed')
    await writeFile(join(damaged, 'config.json'), '{"data":')
    await expect(readRunConfig(damaged)).rejects.toMatchObject({
      code: 'INVALID_FILE',
      file: join(damaged, 'config.json'),
    })
    await writeFile(join(damaged, 'config.json'), await readFile(join(folder, 'run', 'config.json')))
    const vocabulary = Vocabulary.build([['dog']])
    const model = dualEncoder({ audio: crnn({ hidden: 4 }), text: words({ vocabulary, dim: 8 }), backend })
    await saveModel(model, join(damaged, 'model.safetensors'))
    await expect(openRun(damaged, { backend })).rejects.toThrow(
      /does not say which features it was trained on/,
    )
    await rm(join(damaged, 'model.safetensors'))
    await expect(openRun(damaged, { backend })).rejects.toThrow(/the run has no model yet/)
  })
})
