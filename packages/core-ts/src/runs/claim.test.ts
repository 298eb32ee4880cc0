import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBackend } from '../backend/index.js'
import { type Clip, readManifest, writeManifest } from '../data/index.js'
import { tinyRun, writeToneClips } from '../testing/tone-clips.js'
import { claimRunFolder } from './claim.js'
import { parseConfig, type RunConfig } from './config.js'
import { leakNotes } from './run-clips.js'
import { trainRun } from './train-run.js'

const backend = openBackend()
let folder: string
let manifest: string
let clips: readonly Clip[]
let config: RunConfig
const run = (name: string, changes: Partial<RunConfig> = {}, options: { resume?: boolean } = {}) =>
  trainRun({ ...config, ...changes }, { folder: join(folder, name), backend, ...options })

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-claim-'))
  ;({ manifest } = await writeToneClips(folder))
  clips = (await readManifest(manifest)).clips
  config = parseConfig({ ...tinyRun, training: { ...tinyRun.training, epochs: 1 }, data: { manifest } })
  await run('done')
})
afterAll(() => rm(folder, { recursive: true }))

describe('the folder of a run', () => {
  it('belongs to one training at a time', async () => {
    const mine = join(folder, 'mine')
    using claim = await claimRunFolder(mine, config)
    expect(claim.started).toBe(false)
    await expect(claimRunFolder(mine, config)).rejects.toMatchObject({
      code: 'IN_USE',
      message: expect.stringMatching(
        new RegExp(
          `another training writes into this folder: process ${process.pid} on ${hostname()}, since 20`,
        ),
      ) as string,
    })
    await expect(run('mine')).rejects.toMatchObject({ code: 'IN_USE' })
  })

  it('is free again when the training is over, however it ended', async () => {
    expect(existsSync(join(folder, 'done', 'run.lock'))).toBe(false)
    await expect(run('refused', { data: { ...config.data, trainSplit: 'trian' } })).rejects.toThrow(/trian/)
    expect(existsSync(join(folder, 'refused'))).toBe(false)
    await mkdir(join(folder, 'mine already'))
    await expect(run('mine already', { data: { ...config.data, trainSplit: 'trian' } })).rejects.toThrow()
    expect(await readdir(join(folder, 'mine already'))).toEqual([])
  })

  it('is taken over from a process that was killed', async () => {
    const left = join(folder, 'left')
    await mkdir(left)
    const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'])
    const { pid } = child
    const started = Date.now()
    await writeFile(
      join(left, 'run.lock'),
      `${JSON.stringify({ pid, host: hostname(), started, since: started, token: 'their-token' })}\n`,
    )
    await expect(run('left')).rejects.toThrow(new RegExp(`process ${pid} on`))
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
    expect((await run('left')).steps).toBe(3)
  })

  it('keeps what is not of a run', async () => {
    for (const name of ['config.json', 'log.jsonl', 'model.safetensors']) {
      const project = join(folder, `project-${name}`)
      await mkdir(project)
      await writeFile(join(project, name), '{"name": "mine"}')
      await expect(run(`project-${name}`)).rejects.toMatchObject({
        code: 'INVALID_CONFIG',
        message: expect.stringContaining(
          `files of other work in this folder that the run would overwrite: ${name}`,
        ) as string,
      })
      expect(await readFile(join(project, name), 'utf8')).toBe('{"name": "mine"}')
    }
  })

  it('that a run left before its first checkpoint is taken without a word', async () => {
    const early = join(folder, 'early')
    await mkdir(early)
    for (const name of ['config.json', 'log.jsonl'])
      await copyFile(join(folder, 'done', name), join(early, name))
    expect((await run('early', { seed: 5 })).steps).toBe(3)
    expect(JSON.parse(await readFile(join(early, 'config.json'), 'utf8'))).toMatchObject({ seed: 5 })
  })

  it('keeps a model whose checkpoint is gone', async () => {
    const lost = join(folder, 'lost')
    await mkdir(lost)
    for (const name of ['config.json', 'log.jsonl', 'model.safetensors'])
      await copyFile(join(folder, 'done', name), join(lost, name))
    const before = await readFile(join(lost, 'model.safetensors'))
    for (const resume of [false, true])
      await expect(run('lost', { seed: 5 }, { resume })).rejects.toMatchObject({
        code: 'INVALID_CONFIG',
        message: expect.stringMatching(/has a model and no checkpoint\.safetensors any more/) as string,
      })
    expect(await readFile(join(lost, 'model.safetensors'))).toEqual(before)
  })

  it('that cannot be written to is said', async () => {
    await writeFile(join(folder, 'file'), '')
    await expect(run('file')).rejects.toMatchObject({ code: 'WRITE_FAILED', file: join(folder, 'file') })
  })
})

describe('going on', () => {
  it('makes a lost model again', async () => {
    const model = join(folder, 'done', 'model.safetensors')
    const before = await readFile(model)
    await rm(model)
    await run('done', {}, { resume: true })
    expect(await readFile(model)).toEqual(before)
  })

  it('needs the configuration of the run', async () => {
    const loss = { ...config.loss, margin: 5 }
    await expect(run('done', { loss, seed: 1 }, { resume: true })).rejects.toThrow(
      /seed was 17, now 1; loss\.margin was 0\.5, now 5/,
    )
  })

  it('needs the clips and recordings of the run, in validation too', async () => {
    const copy = async (name: string, change: (all: readonly Clip[]) => readonly Clip[]) => {
      const path = join(folder, name)
      await writeManifest(path, change(clips))
      return { data: { ...config.data, manifest: path } }
    }
    const [first] = clips.filter(({ split }) => split === 'train')
    const [other] = clips.filter(({ split }) => split === 'test')
    const moved = await copy('moved.jsonl', (all) => all)
    await expect(run('done', moved, { resume: true })).resolves.toMatchObject({ steps: 3 })
    const fewer = await copy('fewer.jsonl', (all) => {
      const validation = all.filter(({ split }) => split === 'validation')
      return all.filter((clip) => !validation.slice(2).includes(clip))
    })
    await expect(run('done', fewer, { resume: true })).rejects.toMatchObject({
      code: 'INVALID_DATA',
      message: expect.stringMatching(
        /started with other data: 4 validation clips are no longer there/,
      ) as string,
    })
    const swapped = await copy('swapped.jsonl', (all) =>
      all.map((clip) => (clip === first ? { ...clip, audio: other!.audio } : clip)),
    )
    await expect(run('done', swapped, { resume: true })).rejects.toThrow(
      new RegExp(`1 training clips have another recording, such as ${first!.id}`),
    )
  })
})

describe('before hours of work', () => {
  const data = (changes: Partial<RunConfig['data']>) => ({ data: { ...config.data, ...changes } })

  it('a split that is not there is an error, for validation too', async () => {
    await expect(run('x', data({ trainSplit: 'trian' }))).rejects.toThrow(
      /"trian" of data\.trainSplit.*train, validation, test/s,
    )
    await expect(run('x', data({ validationSplit: 'validatoin' }))).rejects.toThrow(
      /"validatoin" of data\.validationSplit/,
    )
  })

  it('a monitor without validation is an error', async () => {
    const validation = { ...config.validation, monitor: 'mAP@10' }
    await expect(run('x', { ...data({ validationSplit: null }), validation })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringMatching(/can only be loss without validation clips, got mAP@10/) as string,
    })
  })

  it('no split of the name validation is said, once it is not asked for', async () => {
    const path = join(folder, 'two.jsonl')
    await writeManifest(
      path,
      clips.filter(({ split }) => split !== 'validation'),
    )
    const notes: string[] = []
    const onNote = (note: string) => notes.push(note)
    const { data: two } = data({ manifest: path })
    const result = await trainRun({ ...config, data: two }, { folder: join(folder, 'two'), backend, onNote })
    expect(result).toMatchObject({ validationClips: 0, best: { monitor: 'trainLoss' } })
    expect(notes).toEqual(['There is no split named validation: the training loss picks the best epoch.'])
  })

  it('recordings that are in both splits are told: by name at once, by content before training', async () => {
    const train = clips.filter(({ split }) => split === 'train')
    const validation = clips.filter(({ split }) => split === 'validation')
    expect(leakNotes({ training: train, validation })).toEqual([])
    const copies = validation.map((clip, i) => ({ ...clip, audio: train[i]!.audio }))
    expect(leakNotes({ training: train, validation: copies })[0]).toMatch(
      /^6 clips of train share recordings with validation, such as \S+ and \S+ \(the audio file\): .*sonotext check/,
    )
    const twin = join(folder, 'twin.wav')
    await copyFile(train[0]!.audio, twin)
    const path = join(folder, 'leak.jsonl')
    await writeManifest(
      path,
      clips.map((clip) => (clip === validation[0] ? { ...clip, audio: twin } : clip)),
    )
    const notes: string[] = []
    const onNote = (note: string) => notes.push(note)
    const { data: leaky } = data({ manifest: path })
    await trainRun({ ...config, data: leaky }, { folder: join(folder, 'leak'), backend, onNote })
    expect(notes.join()).toMatch(/^1 clip of train shares recordings with validation.*\(the same audio\)/)
  })

  it('recordings that are kept for a test are told as well', () => {
    const train = clips.filter(({ split }) => split === 'train')
    const test = train.slice(0, 2).map((clip) => ({ ...clip, id: `${clip.id}-again`, split: 'test' }))
    expect(leakNotes({ training: train, validation: [] }, { others: test })).toEqual([
      expect.stringMatching(/^2 clips of train share recordings with test, .*what a test on them says/),
    ])
    const apart = test.map((clip) => ({ ...clip, audio: `${clip.audio}.other.wav` }))
    expect(leakNotes({ training: train, validation: [] }, { others: apart })).toEqual([])
  })
})
