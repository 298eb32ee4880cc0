import { execFileSync } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { referenceBackend } from '../backend/reference/index.js'
import { matrix } from '../base/matrix.js'
import { evaluateScores } from '../metrics/index.js'
import { infoNceLoss, type Loss, tripletLoss } from '../losses/index.js'
import { loadState } from '../models/index.js'
import { equalCaptions, strategies } from '../negatives/index.js'
import { clipFeatures, toyData, toyRun } from '../testing/toy-run.js'
import type { BatchSource } from './batch-source.js'
import { loadModel, modelFile, saveModel } from '../models/index.js'
import { patience, stagnation } from './early-stopping.js'
import { jsonlLogger, type LogRecord } from './loggers.js'
import { adam, adamw } from './optimizers.js'
import type { EpochReport, StepReport, TrainerOptions, TrainingReport } from './options.js'
import { cosine, plateau } from './schedules.js'
import { createTrainer } from './trainer.js'

const backend = referenceBackend()
let folder: string
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'sonotext-'))))
afterEach(() => rm(folder, { recursive: true }))

type Overrides = Parameters<typeof toyRun>[1]
const triplet = (name: string): Loss => tripletLoss({ negatives: strategies.build(name) })

/** All reports to the end, or up to the first that `until` accepts. */
async function run(
  options: TrainerOptions,
  until: (report: TrainingReport) => boolean = () => false,
  from?: string,
) {
  await using trainer = createTrainer(options)
  if (from !== undefined) await trainer.resume(from)
  const reports: TrainingReport[] = []
  for await (const report of trainer.steps()) {
    reports.push(report)
    if (!until(report)) continue
    await trainer.save(folder)
    break
  }
  return { reports, id: options.model.id, best: trainer.best }
}

const steps = (reports: readonly TrainingReport[]) =>
  reports.filter((report): report is StepReport => report.kind === 'step')
const epochs = (reports: readonly TrainingReport[]) =>
  reports.filter((report): report is EpochReport => report.kind === 'epoch')
async function toTheEnd(reports: AsyncIterable<TrainingReport>): Promise<void> {
  for await (const { kind } of reports) expect(['step', 'epoch']).toContain(kind)
}

/** Everything but how long it took. */
const timeless = (reports: readonly TrainingReport[]) => reports.map((report) => ({ ...report, seconds: 0 }))
const validationOf = (takes = 1) => ({
  data: toyData(1, 12, { takes, seed: 9 }).batches({ shuffle: false, batchSize: 16 }),
})

describe('a run', () => {
  it.each([
    ['InfoNCE', infoNceLoss({ temperature: 0.1, learnable: true })],
    ['triplet with semi-hard negatives', triplet('semi-hard')],
    ['triplet with all negatives', triplet('full-batch')],
  ])('with %s learns to find captions and clips it has not seen', async (_, loss) => {
    const options = toyRun(backend, { loss, epochs: 8 })
    const { reports } = await run(options)
    const losses = epochs(reports).map(({ trainLoss }) => trainLoss!)
    expect(losses.at(-1)).toBeLessThan(0.8 * losses[0]!)
    const unseen = toyData(1, 12, { takes: 1, seed: 9 })
    const texts = unseen.clips.map(({ captions }) => captions[0]!.text)
    const scores = await options.model.score(unseen.clips.map(unseen.features), texts)
    const { textToAudio, audioToText, chance } = evaluateScores(scores, Array.from(texts.keys()), {
      measures: ['R@1'],
    })
    expect(textToAudio!['R@1']).toBeGreaterThan(5 * chance.textToAudio!['R@1']!)
    expect(audioToText!['R@1']).toBeGreaterThan(5 * chance.audioToText!['R@1']!)
  })

  it('reports every step and epoch, with the untrained model as epoch 0', async () => {
    const { reports } = await run(toyRun(backend, { validation: validationOf(), epochs: 2 }))
    expect(reports.map(({ kind, step }) => `${kind} ${step}`)).toEqual([
      'epoch 0',
      ...[1, 2, 3, 4].map((n) => `step ${n}`),
      'epoch 4',
      ...[5, 6, 7, 8].map((n) => `step ${n}`),
      'epoch 8',
    ])
    expect(steps(reports)[1]).toMatchObject({ epoch: 0.5, pairs: 8, lr: 0.01, warnings: [] })
    expect(steps(reports)[1]!.statistics).toHaveProperty('temperature')
    expect(epochs(reports)[0]).toMatchObject({ trainLoss: null, best: true })
    expect(epochs(reports)[2]!.validation['loss']).toBeLessThan(epochs(reports)[0]!.validation['loss']!)
  })

  it('gives the same bits for the same seed, others for another', async () => {
    const [first, second, other] = [
      await run(toyRun(backend)),
      await run(toyRun(backend)),
      await run(toyRun(backend, { seed: 18 })),
    ]
    expect(second.id).toBe(first.id)
    expect(timeless(second.reports)).toEqual(timeless(first.reports))
    expect(other.id).not.toBe(first.id)
  })

  it('lets the event loop run between steps', async () => {
    const options = toyRun(backend)
    await using trainer = createTrainer(options)
    let turns = 0
    const timer = setInterval(() => turns++, 0)
    await toTheEnd(trainer.steps())
    clearInterval(timer)
    expect(turns).toBeGreaterThan(2)
  })

  it('follows its schedule and stops when its stopper says', async () => {
    const options = toyRun(backend, { schedule: cosine({ warmup: 1 }), epochs: 3 })
    const { reports } = await run(options)
    expect(steps(reports).map(({ lr }) => lr)).toEqual(
      steps(reports).map((_, i) =>
        cosine({ warmup: 1 })
          .start({ base: 0.01, epochs: 3 })
          .rate(i / 4),
      ),
    )
    const early = await run(
      toyRun(backend, { stopper: stagnation({ std: 1e9, window: 1, grace: 2 }), epochs: 9 }),
    )
    expect(epochs(early.reports)).toHaveLength(2)
    expect(epochs(early.reports)[1]!.stopped).toMatch(/the metric moved by/)
  })

  it('keeps the best epoch by the monitored number', async () => {
    const found = [0.1, 0.5, 0.3, 0.4]
    let look = 0
    const ids: string[] = []
    const options = toyRun(backend, {
      directory: folder,
      validation: {
        ...validationOf(),
        monitor: 'mAP',
        measure: async (model) => {
          ids.push(model.id)
          return { mAP: found[look++]! }
        },
      },
    })
    await using trainer = createTrainer(options)
    const best: boolean[] = []
    for await (const report of trainer.steps()) if (report.kind === 'epoch') best.push(report.best)
    expect(best).toEqual([true, true, false, false])
    expect(trainer.best).toEqual({ epoch: 1, metric: 0.5 })
    expect((await loadModel(folder, { backend })).id).toBe(ids[1])
    expect(options.model.id).toBe(ids[3])
    trainer.loadBest()
    expect(options.model.id).toBe(ids[1])
  })

  it('refuses options that make no sense', () => {
    const options = toyRun(backend)
    expect(() => createTrainer({ ...options, epochs: -1 })).toThrow(/epochs/)
    expect(() => createTrainer({ ...options, seed: -1 })).toThrow(/seed/)
    expect(() => createTrainer({ ...options, saveEvery: 0.5 })).toThrow(/saveEvery/)
    expect(() => createTrainer({ ...options, validation: { data: options.data } })).toThrow(
      /batches of its own/,
    )
  })

  it('refuses a second loop beside the first, and a new one once that has ended', async () => {
    await using trainer = createTrainer(toyRun(backend))
    const first = trainer.steps()
    await first.next()
    await expect(trainer.steps().next()).rejects.toThrow(/one loop at a time/)
    await first.return()
    expect((await trainer.steps().next()).value).toMatchObject({ step: 2 })
  })

  it('names the numbers there are when the monitored one is missing', async () => {
    const options = toyRun(backend, { validation: { ...validationOf(), monitor: 'mAP@10' } })
    await expect(run(options)).rejects.toThrow(/one of loss.*"mAP@10"/)
  })
})

describe('what schedule and stopper watch', () => {
  const watching = (numbers: readonly number[], overrides: Overrides = {}, name = 'mAP') => {
    let look = 0
    return toyRun(backend, {
      epochs: numbers.length - 1,
      validation: {
        ...validationOf(),
        monitor: name,
        measure: async () => ({ [name]: numbers[look++]! }),
      },
      ...overrides,
    })
  }

  it('is the monitored number, in its direction', async () => {
    const rising = [0.1, 0.4, 0.5, 0.6, 0.7]
    const falling = [0.5, 0.5, 0.4, 0.3, 0.2]
    const rates = async (numbers: readonly number[], name?: string) => {
      const { reports } = await run(watching(numbers, { schedule: plateau({ patience: 0 }) }, name))
      return steps(reports).map(({ lr }) => lr)
    }
    expect(new Set(await rates(rising))).toEqual(new Set([0.01]))
    expect((await rates(falling)).at(-1)).toBeCloseTo(0.0001, 9)
    expect(new Set(await rates(falling, 'medR'))).toEqual(new Set([0.01]))
    const stopping = (numbers: readonly number[]) =>
      run(watching(numbers, { stopper: patience({ patience: 2 }) })).then(
        ({ reports }) => epochs(reports).at(-1)!.stopped,
      )
    expect(await stopping(rising)).toBeNull()
    expect(await stopping(falling)).toMatch(/no improvement for 2 epochs/)
  })

  it('may be another number than the one that tells the best epoch', async () => {
    const options = watching([0.1, 0.4, 0.5, 0.6, 0.7], {
      stopper: stagnation({ std: 0.02, window: 2, grace: 2 }),
    })
    let loss = 0
    const measure = async () => ({ mAP: ++loss / 10, cost: loss < 3 ? loss : 3 })
    const watch = { name: 'cost', mode: 'min' } as const
    const { reports, best } = await run({
      ...options,
      validation: { ...options.validation!, measure, watch },
    })
    expect(epochs(reports)).toHaveLength(4)
    expect(best).toEqual({ epoch: 3, metric: 0.4 })
  })

  it('is named when it is missing', async () => {
    const options = toyRun(backend, { validation: { ...validationOf(), watch: 'mAP' } })
    await expect(run(options)).rejects.toThrow(/one of loss.*validation\.watch, got "mAP"/)
  })
})

describe('validation', () => {
  it('every so many epochs, and at the end', async () => {
    const seen: number[] = []
    const options = toyRun(backend, {
      epochs: 5,
      schedule: plateau({ patience: 0, threshold: 0.9 }),
      validation: { ...validationOf(), every: 2, measure: async () => (seen.push(1), {}) },
    })
    const { reports, best } = await run(options)
    const looks = epochs(reports).flatMap(({ epoch, validation }) => ('loss' in validation ? [epoch] : []))
    expect(looks).toEqual([0, 2, 4, 5])
    expect(seen).toHaveLength(4)
    expect(looks).toContain(best!.epoch)
    // The schedule hears of looks alone: of the second one in epoch 4.
    expect(steps(reports).map(({ lr }) => lr)).toEqual([
      ...new Array<number>(16).fill(0.01),
      ...new Array<number>(4).fill(expect.closeTo(0.001, 9) as number),
    ])
  })

  it('draws the same every time: without learning every epoch gives the same numbers', async () => {
    const yardsticks = { random: triplet('random') }
    const options = toyRun(backend, {
      loss: triplet('random'),
      optimizer: adam({ lr: 1e-300 }),
      validation: { ...validationOf(2), yardsticks },
    })
    const looks = epochs((await run(options)).reports).map(({ validation }) => validation)
    expect(looks).toHaveLength(4)
    for (const look of looks) expect(look['loss']).toBe(looks[0]!['loss'])
    expect(looks[0]!['random']).toBe(looks[0]!['loss'])
  })
})

describe('resuming', () => {
  const variants: [string, () => Overrides][] = [
    [
      'InfoNCE with a trained temperature, plateau',
      () => ({ schedule: plateau({ patience: 0, threshold: 0.5 }) }),
    ],
    [
      'random negatives, cosine, AdamW with clipping',
      () => ({ loss: triplet('random'), schedule: cosine(), optimizer: adamw({ lr: 0.01, clip: 0.1 }) }),
    ],
    [
      'hard audio negatives, patience',
      () => ({ loss: triplet('hard-audio'), stopper: patience({ patience: 2 }) }),
    ],
  ]

  it.each(variants)('goes on bit for bit: %s', async (_, overrides) => {
    const make = () => toyRun(backend, { validation: validationOf(), epochs: 3, ...overrides() })
    const whole = await run(make())
    for (const cut of [1, 3, 4, 6, 8, 11]) {
      const first = await run(make(), ({ kind, step }) => kind === 'step' && step === cut)
      const second = await run(make(), undefined, folder)
      expect(second.id, `cut after step ${cut}`).toBe(whole.id)
      expect(second.best).toEqual(whole.best)
      expect(timeless([...first.reports, ...second.reports])).toEqual(timeless(whole.reports))
    }
  })

  it('goes on from the end of an epoch, and has nothing to do at the end of the run', async () => {
    const make = () => toyRun(backend, { validation: validationOf() })
    const whole = await run(make())
    await run(make(), ({ kind, step }) => kind === 'epoch' && step === 8)
    expect((await run(make(), undefined, folder)).id).toBe(whole.id)
    await run(make(), ({ kind, step }) => kind === 'epoch' && step === 12)
    const rest = await run(make(), undefined, folder)
    expect(rest).toMatchObject({ reports: [], id: whole.id, best: whole.best })
  })

  it('leaves no step twice and none out of the log', async () => {
    const path = join(folder, 'log.jsonl')
    const make = () => toyRun(backend, { loggers: [jsonlLogger(path)], directory: folder })
    await run(make(), ({ kind, step }) => kind === 'step' && step === 6)
    await writeFile(path, `${await readFile(path, 'utf8')}{"kind":"step","step":7,"cut`)
    await run(make(), undefined, folder)
    const lines = (await readFile(path, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as LogRecord)
    expect(lines.filter(({ kind }) => kind === 'step').map(({ step }) => step)).toEqual(
      Array.from({ length: 12 }, (_, i) => i + 1),
    )
    expect(lines.at(-1)).toMatchObject({ kind: 'end', message: 'all 3 epochs done' })
  })

  it('refuses every option that changes numbers, naming each', async () => {
    const make = (overrides: Overrides = {}) =>
      toyRun(backend, {
        loss: tripletLoss({ negatives: strategies.build('random') }),
        schedule: plateau({ patience: 1 }),
        stopper: patience({ patience: 3 }),
        validation: validationOf(),
        ...overrides,
      })
    await run(make(), ({ step }) => step === 2)
    const resumed = (overrides: Overrides) => run(make(overrides), undefined, folder)
    const margin = tripletLoss({ negatives: strategies.build('random'), margin: 0.7 })
    await expect(resumed({ loss: margin, optimizer: adam({ lr: 0.1, clip: 1 }) })).rejects.toThrow(
      /loss\.margin: 0\.5 instead of 0\.7; optimiser\.lr: 0\.01 instead of 0\.1; optimiser\.clip: none instead of 1\./,
    )
    await expect(resumed({ schedule: plateau({ patience: 2 }) })).rejects.toThrow(
      /schedule\.patience: 1 instead/,
    )
    await expect(resumed({ stopper: patience({ patience: 9 }) })).rejects.toThrow(
      /stopper\.patience: 3 instead/,
    )
    await expect(resumed({ guards: [equalCaptions()] })).rejects.toThrow(
      /guard equal-captions: none instead of equal-captions/,
    )
    await expect(
      resumed({ validation: { ...validationOf(), yardsticks: { random: triplet('random') }, every: 2 } }),
    ).rejects.toThrow(/validation\.every: 1 instead of 2; validation\.random: none instead of triplet-random/)
    const fewer = toyData(1, 12, { takes: 1, seed: 8 }).batches({ shuffle: false, batchSize: 16 })
    await expect(resumed({ validation: { data: fewer } })).rejects.toMatchObject({
      code: 'INVALID_DATA',
      message: expect.stringMatching(/the validation batches are of other data/) as string,
    })
    // What changes no number may change.
    await resumed({ readEvery: 2, saveEvery: 3, recordNegatives: true, epochs: 4, collapse: { stuck: 0.1 } })
  })

  it('refuses a checkpoint of another run, naming the difference', async () => {
    await run(toyRun(backend), ({ step }) => step === 2)
    const resumed = (overrides: Overrides) => run(toyRun(backend, overrides), undefined, folder)
    await expect(resumed({ seed: 3 })).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringMatching(/seed: 17 instead of 3/) as string,
    })
    await expect(resumed({ loss: triplet('hard') })).rejects.toThrow(/loss: info-nce instead of triplet-hard/)
    await expect(resumed({ optimizer: adamw() })).rejects.toThrow(/optimiser: adam instead of adamw/)
    await expect(resumed({ schedule: cosine() })).rejects.toThrow(/schedule: constant instead of cosine/)
    await expect(resumed({ stopper: patience({ patience: 1 }) })).rejects.toThrow(
      /stopper: none instead of patience/,
    )
    await expect(resumed({ network: 'crnn' })).rejects.toThrow(
      /architecture\.audio\.kind: projection instead of crnn/,
    )
    const data = toyData(1, 12, { takes: 3 }).batches({ leastFrames: 1 })
    await expect(resumed({ data })).rejects.toMatchObject({ code: 'INVALID_DATA' })
  })
})

describe('a folder that holds a run', () => {
  it('is not written over by another run that does not resume it', async () => {
    const make = (overrides?: Overrides) => toyRun(backend, { directory: folder, epochs: 2, ...overrides })
    const whole = await run(make())
    const path = join(folder, 'checkpoint.safetensors')
    const before = await readFile(path)
    await expect(run(make({ seed: 3 }))).rejects.toMatchObject({
      code: 'INVALID_CONFIG',
      file: folder,
      message: expect.stringMatching(/already a run in this folder.*resume/) as string,
    })
    expect((await readFile(path)).equals(before)).toBe(true)
    const more = await run(make({ epochs: 3 }), undefined, folder)
    expect(steps(more.reports)).toHaveLength(4)
    expect(more.id).not.toBe(whole.id)
  })

  it('gets its model file again when that was lost', async () => {
    const make = () => toyRun(backend, { directory: folder, epochs: 1, validation: validationOf() })
    await run(make())
    const best = (await loadModel(folder, { backend })).id
    await rm(join(folder, modelFile))
    expect((await run(make(), undefined, folder)).reports).toEqual([])
    expect((await loadModel(folder, { backend })).id).toBe(best)
  })
})

describe('abort', () => {
  it('finishes the step, leaves a checkpoint and goes on bit for bit', async () => {
    const make = () => toyRun(backend, { directory: folder, validation: validationOf() })
    const whole = await run(toyRun(backend, { validation: validationOf() }))
    const controller = new AbortController()
    await using trainer = createTrainer(make())
    const pending = (async () => {
      for await (const report of trainer.steps({ signal: controller.signal }))
        if (report.step === 5) controller.abort()
    })()
    await expect(pending).rejects.toMatchObject({ code: 'ABORTED' })
    expect(trainer.step).toBe(5)
    expect((await run(make(), undefined, folder)).id).toBe(whole.id)
  })

  it('in the middle of a validation repeats the validation', async () => {
    let abort: AbortController | null = null
    const make = (directory: string) =>
      toyRun(backend, {
        directory,
        epochs: 2,
        validation: {
          ...validationOf(),
          measure: async (_, { signal }) => {
            if (abort && options.model.id !== untrained) abort.abort()
            signal?.throwIfAborted()
            return {}
          },
        },
      })
    const whole = await run(make(join(folder, 'whole')))
    const options = make(folder)
    const untrained = options.model.id
    abort = new AbortController()
    const { signal } = abort
    await using trainer = createTrainer(options)
    await expect(toTheEnd(trainer.steps({ signal }))).rejects.toThrow(/aborted/)
    await trainer.save(folder)
    abort = null
    const rest = await run(make(folder), undefined, folder)
    expect(rest.id).toBe(whole.id)
    expect(timeless(rest.reports)).toEqual(timeless(whole.reports.slice(5)))
  })

  it('before the first step does nothing', async () => {
    const options = toyRun(backend)
    const before = options.model.id
    await using trainer = createTrainer(options)
    await expect(trainer.steps({ signal: AbortSignal.abort() }).next()).rejects.toMatchObject({
      code: 'ABORTED',
    })
    expect(options.model.id).toBe(before)
  })
})

describe('when numbers go wrong', () => {
  it('a NaN feature stops the run before the step, and the last checkpoint is kept', async () => {
    const toy = toyData(1, 12)
    let poisoned = false
    const data = toy.batches({
      leastFrames: 1,
      prefetch: 0,
      features: async (clip) => {
        const features = toy.features(clip)
        if (poisoned) features.data[3] = NaN
        return clipFeatures(features)
      },
    })
    const records: LogRecord[] = []
    const logger = {
      open: () => {},
      write: (record: LogRecord) => void records.push(record),
      close: () => {},
    }
    const options = toyRun(backend, { data, directory: folder, loggers: [logger] })
    await using trainer = createTrainer(options)
    let weights = ''
    const pending = (async () => {
      for await (const report of trainer.steps()) {
        poisoned = report.step >= 6
        if (report.step === 6) weights = options.model.id
      }
    })()
    await expect(pending).rejects.toMatchObject({
      code: 'NUMERIC',
      message: expect.stringMatching(
        /loss became NaN at step [78] .*learning rate.*last good checkpoint is kept in/,
      ) as string,
    })
    expect(trainer.step).toBeLessThan(8)
    if (trainer.step === 6) expect(options.model.id).toBe(weights)
    expect(records.at(-1)).toMatchObject({ kind: 'end', message: expect.stringMatching(/NaN/) as string })
    await using again = createTrainer(toyRun(backend, { data: toy.batches({ leastFrames: 1 }) }))
    await again.resume(folder)
    expect(again.step).toBe(4)
  })

  it('a NaN batch leaves weights and running statistics as they were, and training can go on', async () => {
    const toy = toyData(16, 64, { takes: 1 })
    let poisoned = false
    const data = () =>
      toy.batches({
        leastFrames: 4,
        prefetch: 0,
        features: async (clip) => {
          const features = toy.features(clip)
          if (poisoned) features.data[3] = NaN
          return clipFeatures(features)
        },
      })
    const options = toyRun(backend, { network: 'crnn', data: data() })
    await using trainer = createTrainer(options)
    for await (const { step } of trainer.steps()) if (step === 1) break
    const before = options.model.id
    poisoned = true
    await expect(toTheEnd(trainer.steps())).rejects.toMatchObject({
      code: 'NUMERIC',
      message: expect.stringMatching(/loss became NaN at step 2.*the model is as it was before/) as string,
    })
    expect(options.model.id).toBe(before)
    poisoned = false
    const { value: next } = await trainer.steps().next()
    expect(next).toMatchObject({ step: 2 })
    const embedded = await options.model.audio.embed([toy.features(toy.clips[0]!)])
    expect(embedded.data.every(Number.isFinite)).toBe(true)
  })

  it('a validation loss that is not finite is said to come from the model as trained', async () => {
    const toy = toyData(1, 12, { takes: 1, seed: 9 })
    const broken = toy.batches({
      shuffle: false,
      leastFrames: 1,
      features: async () => clipFeatures(matrix(1, 12, new Float32Array(12).fill(NaN))),
    })
    const options = toyRun(backend, { validation: { data: broken } })
    await expect(run(options)).rejects.toMatchObject({
      code: 'NUMERIC',
      message: expect.stringMatching(
        /validation loss is NaN after step 0 \(epoch 0\): the model as trained so far.*No checkpoint was written/,
      ) as string,
    })
  })

  it('a strategy that meets NaN scores names the step', async () => {
    const toy = toyData(1, 12)
    const data = toy.batches({
      leastFrames: 1,
      features: async () => clipFeatures(matrix(1, 12, new Float32Array(12).fill(NaN))),
    })
    await expect(run(toyRun(backend, { data, loss: triplet('hard') }))).rejects.toMatchObject({
      code: 'NUMERIC',
      message: expect.stringMatching(/at step 1: .*audio-text/) as string,
    })
  })

  it('an infinite gradient stops the run before the step', async () => {
    const steep: Loss = {
      name: 'steep',
      valueOfEqualScores: () => 1,
      build: () => ({
        parameters: () => new Map(),
        buffers: () => new Map(),
        compute({ tape, scores }) {
          const loss = tape.result([1], [scores])
          tape.backend.memory.fill(loss.buffer, 1)
          tape.record(loss, () => {
            const gradient = tape.alloc(scores.size)
            tape.backend.memory.fill(gradient, Infinity)
            tape.accumulate(scores, gradient)
          })
          return { loss, statistics: () => ({}) }
        },
      }),
    }
    const options = toyRun(backend, { loss: steep })
    const before = options.model.id
    await expect(run(options)).rejects.toThrow(
      /gradient became (NaN|Infinity) at step 1 .*clip.*No checkpoint was written yet/,
    )
    expect(options.model.id).toBe(before)
  })

  it('collapse is reported', async () => {
    const options = toyRun(backend, {
      validation: validationOf(),
      epochs: 1,
      optimizer: adam({ lr: 1e-300 }),
    })
    for (const [name, parameter] of options.model.parameters()) {
      if (name.startsWith('audio.linear2')) parameter.toArray().fill(name.endsWith('bias') ? 1 : 0)
    }
    const [, last] = epochs((await run(options)).reports)
    expect(last!.validation).toMatchObject({
      clipSpread: expect.closeTo(0, 3) as number,
      clipCosine: expect.closeTo(1, 4) as number,
    })
    expect(last!.warnings.join()).toMatch(
      /hardly differ.*mean cosine.*Try a higher temperature or a lower learning rate/,
    )
  })
})

describe('a batch whose clips share one group', () => {
  const oneGroup = (data: BatchSource): BatchSource => ({
    batchesPerEpoch: data.batchesPerEpoch,
    get state() {
      return data.state
    },
    restore: (state) => data.restore(state),
    rewind: (epoch, batch) => data.rewind(epoch, batch),
    async *epoch(options) {
      for await (const batch of data.epoch(options))
        yield { ...batch, items: batch.items.map((item) => ({ ...item, group: 7 })) }
    },
  })

  const losses: [string, Loss][] = [
    ['InfoNCE', infoNceLoss({ temperature: 0.1 })],
    ...strategies.names.map((name): [string, Loss] => [name, triplet(name)]),
  ]

  it.each(losses)('costs nothing, changes nothing and is said: %s', async (_, loss) => {
    const options = toyRun(backend, { loss, epochs: 1 })
    const before = options.model.state()
    const { reports } = await run({ ...options, data: oneGroup(options.data) })
    for (const { loss, gradNorm, warnings } of steps(reports)) {
      expect(loss).toBeCloseTo(0, 6)
      expect(gradNorm).toBeCloseTo(0, 6)
      expect(warnings).toEqual([expect.stringMatching(/pairs of one clip only/)])
    }
    const after = options.model.state()
    for (const [name, { data }] of before)
      for (const [e, value] of data.entries()) expect(after.get(name)!.data[e]).toBeCloseTo(value, 1)
  })
})

describe('files of a run', () => {
  const save = () =>
    run(toyRun(backend, { validation: validationOf() }), ({ kind, step }) => kind === 'epoch' && step === 4)

  it('a checkpoint cut short is refused with the file and what to do; nothing is changed', async () => {
    await save()
    const path = join(folder, 'checkpoint.safetensors')
    const whole = await readFile(path)
    for (const share of [0, 0.001, 0.3, 0.999]) {
      await writeFile(path, whole.subarray(0, Math.floor(whole.length * share)))
      const options = toyRun(backend)
      const before = options.model.id
      await using trainer = createTrainer(options)
      await expect(trainer.resume(folder)).rejects.toMatchObject({
        code: 'INVALID_FILE',
        file: path,
        message: expect.stringMatching(/earlier checkpoint/) as string,
      })
      expect(options.model.id).toBe(before)
      expect(trainer.step).toBe(0)
    }
  })

  it('missing or foreign files are named', async () => {
    await using trainer = createTrainer(toyRun(backend))
    await expect(trainer.resume(folder)).rejects.toMatchObject({
      code: 'MISSING_FILE',
      file: join(folder, 'checkpoint.safetensors'),
    })
    await save()
    await copyFile(join(folder, modelFile), join(folder, 'checkpoint.safetensors'))
    await expect(trainer.resume(folder)).rejects.toThrow(
      /format sonotext-checkpoint, version 2, got sonotext-model/,
    )
    await expect(loadModel(join(folder, 'nothing'), { backend })).rejects.toMatchObject({
      code: 'MISSING_FILE',
    })
  })

  it('a model file gives the same model, and what a killed save left behind is removed on resume', async () => {
    const options = toyRun(backend)
    await saveModel(options.model, join(folder, 'm.safetensors'))
    const again = await loadModel(join(folder, 'm.safetensors'), { backend })
    expect(again.id).toBe(options.model.id)
    expect(again.config).toEqual(options.model.config)
    loadState(again, options.model.state())
    await save()
    const stale = join(folder, 'checkpoint.safetensors.123.deadbeef.tmp')
    await writeFile(stale, 'half')
    await using trainer = createTrainer(toyRun(backend, { validation: validationOf() }))
    await trainer.resume(folder)
    expect((await readdir(folder)).sort()).toEqual([
      'checkpoint.safetensors',
      'm.safetensors',
      'model.safetensors',
    ])
  })

  it('saves every so many steps and after every epoch', async () => {
    const sizes: number[] = []
    const options = toyRun(backend, { directory: folder, saveEvery: 3, epochs: 2 })
    await using trainer = createTrainer(options)
    for await (const report of trainer.steps()) {
      const at = await stat(join(folder, 'checkpoint.safetensors')).then(
        () => report.step,
        () => 0,
      )
      sizes.push(at)
      await using other = createTrainer(toyRun(backend, { epochs: 2 }))
      if (at > 0) await other.resume(folder).then(() => sizes.splice(-1, 1, other.step))
    }
    expect(sizes).toEqual([0, 0, 0, 3, 4, 4, 4, 6, 6, 8])
  })
  it('a full disk while saving is said; the run before it is kept and goes on', async ({ skip }) => {
    const small = join(folder, 'small')
    await mkdir(small)
    skip(!mounted(small), 'this user cannot mount a small file system')
    try {
      const make = () => toyRun(backend)
      const whole = await run(make())
      await using trainer = createTrainer(make())
      for await (const { step } of trainer.steps()) if (step === 2) break
      await trainer.save(small)
      for await (const { step } of trainer.steps()) if (step === 3) break
      await expect(writeFile(join(small, 'filler'), new Uint8Array(1 << 20))).rejects.toThrow(/ENOSPC/)
      const failure = { code: 'WRITE_FAILED', file: join(small, 'checkpoint.safetensors') }
      await expect(trainer.save(small)).rejects.toMatchObject({
        ...failure,
        message: expect.stringMatching(/ENOSPC/) as string,
      })
      const { reports, id } = await run(make(), undefined, small)
      expect(reports[0]!.step).toBe(3)
      expect(id).toBe(whole.id)
    } finally {
      execFileSync('umount', [small])
    }
  })
})

function mounted(at: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', at], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
