import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { chainBackends } from '../backend/chain.js'
import { nativeBackend } from '../backend/native.js'
import type { Backend, OpName } from '../backend/port.js'
import { referenceBackend } from '../backend/reference/index.js'
import { infoNceLoss, type Loss, type LossOutput, type RunningLoss, tripletLoss } from '../losses/index.js'
import {
  equalCaptions,
  fromPicks,
  type Guard,
  strategies,
  type NegativeStrategy,
} from '../negatives/index.js'
import { frameWord, pooled } from '../similarity/index.js'
import { toyData, toyRun, type ToyOptions } from '../testing/toy-run.js'
import { readCheckpoint, writeCheckpoint } from './checkpoint.js'
import { Learner, type LearnerOptions } from './learner.js'
import { jsonlLogger } from './loggers.js'
import { adam } from './optimizers.js'
import type { StepReport, TrainerOptions, TrainingReport } from './options.js'
import { createTrainer } from './trainer.js'

const backend = referenceBackend()
let folder: string
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'sonotext-'))))
afterEach(() => rm(folder, { recursive: true }))

const triplet = (name: 'random' | 'semi-hard' | 'full-batch' | 'hard'): Loss =>
  tripletLoss({ negatives: strategies.build(name) })
const other = () => toyData(1, 12, { takes: 1, seed: 4 }).batches({ leastFrames: 1, batchSize: 5, seed: 6 })

function learnerOf(overrides: Partial<LearnerOptions> = {}, on: Backend = backend) {
  const { model, data, loss, optimizer, seed } = toyRun(on)
  const options = { model, objectives: [{ source: data, loss: loss! }], optimizer, seed, ...overrides }
  return { learner: new Learner(options), data, model }
}

async function runOf(options: TrainerOptions, from?: string, until = Infinity) {
  await using trainer = createTrainer(options)
  if (from !== undefined) await trainer.resume(from)
  const reports: TrainingReport[] = []
  for await (const report of trainer.steps()) {
    reports.push({ ...report, ...(report.kind === 'step' && { seconds: 0 }) })
    if (report.step < until) continue
    await trainer.save(folder)
    break
  }
  return { id: options.model.id, reports }
}
const steps = (reports: readonly TrainingReport[]) =>
  reports.filter((report): report is StepReport => report.kind === 'step')

describe('a learner', () => {
  it('in a loop of ones own does what the trainer does', async () => {
    const { id } = await runOf(toyRun(backend, { epochs: 2 }))
    const { data, model, ...made } = learnerOf()
    using learner = made.learner
    for (let epoch = 0; epoch < 2; epoch++) {
      for await (const batch of data.epoch()) {
        const { step, loss, pairs } = learner.step(batch, { epoch })
        expect([step, pairs]).toEqual([learner.steps + 1, batch.items.length])
        expect(loss).toBeGreaterThan(0)
        learner.apply(0.01)
      }
    }
    expect(model.id).toBe(id)
  })

  it('changes nothing before a step is applied, and nothing when it is not', async () => {
    const { data, model, ...made } = learnerOf()
    using learner = made.learner
    const before = model.id
    const { value: batch } = await data.epoch().next()
    const first = learner.step(batch!)
    expect(model.id).toBe(before)
    expect([...learner.parameters.values()].some(({ grad }) => grad !== null)).toBe(true)
    learner.discard()
    expect([...learner.parameters.values()].every(({ grad }) => grad === null)).toBe(true)
    expect(() => learner.apply(0.01)).toThrow(/step\(\) first/)
    expect(learner.step(batch!)).toEqual(first)
    learner.apply(0.01)
    expect(model.id).not.toBe(before)
  })

  it('goes on bit for bit from a checkpoint that a loop of ones own writes and reads', async () => {
    const train = async ({ learner, data }: ReturnType<typeof learnerOf>, until: number) => {
      while (learner.steps < until) {
        for await (const batch of data.epoch()) {
          learner.step(batch)
          learner.apply(0.01)
          if (learner.steps === until) break
        }
      }
    }
    const straight = learnerOf()
    await train(straight, 9)
    const first = learnerOf()
    await train(first, 6)
    await writeCheckpoint(folder, { ...first.learner.snapshot(), loop: { data: first.data.state } })
    const second = learnerOf()
    const { loop, ...saved } = await readCheckpoint<{ data: typeof first.data.state }>(folder)
    second.learner.restore(saved)
    second.data.restore(loop.data)
    await train(second, 9)
    expect(second.model.id).toBe(straight.model.id)
  })

  it('refuses objectives that make no sense', () => {
    const { data, loss } = toyRun(backend)
    const objective = { source: data, loss: loss! }
    const make = (objectives: LearnerOptions['objectives']) => () => learnerOf({ objectives })
    expect(make([])).toThrow(/one objective or more/)
    expect(make([{ ...objective, weight: 0 }])).toThrow(/weight/)
    expect(make([objective, objective])).toThrow(/info-nce" twice.*Give each a name/)
    expect(make([{ ...objective, name: 'a.b' }])).toThrow(/without dots/)
    expect(() => learnerOf({ readEvery: 0 })).toThrow(/readEvery/)
  })

  it('names a loss of somebody else that does not give what a step needs', async () => {
    const { loss } = toyRun(backend)
    const runWith = (running: object) =>
      runOf(toyRun(backend, { loss: { ...loss!, name: 'mine', build: () => running as RunningLoss } }))
    const giving = (change: (output: LossOutput) => object) => {
      const whole = loss!.build(backend)
      return {
        parameters: () => whole.parameters(),
        buffers: () => whole.buffers(),
        compute: (...given: Parameters<RunningLoss['compute']>) => change(whole.compute(...given)),
      }
    }
    for (const [running, message] of [
      [
        { compute: () => null },
        /what build of the loss mine gives, got "no parameters, no buffers".*empty maps/,
      ],
      [giving(() => ({})), /what compute of the loss mine gives, got "no tensor"/],
      [giving(({ loss: value }) => ({ loss: value })), /got "no statistics"/],
    ] as const) {
      await expect(runWith(running)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(message) as string,
      })
    }
  })
})

describe('several objectives', () => {
  const two = (overrides: Partial<TrainerOptions> = {}): TrainerOptions => {
    const { data, ...rest } = toyRun(backend)
    delete rest.loss
    const objectives = [
      { source: data, loss: infoNceLoss({ temperature: 0.1, learnable: true }), name: 'contrast' },
      { source: other(), loss: triplet('semi-hard'), weight: 0.5, name: 'ranking' },
    ]
    return { ...rest, objectives, epochs: 2, ...overrides } as TrainerOptions
  }

  it('are summed with their weights, each over batches of its own', async () => {
    const options = two()
    const [contrast, ranking] = options.objectives!
    const { reports } = await runOf(options)
    // The second source has 3 batches an epoch and begins again; the first one has 4 and says when an epoch ends.
    expect(reports.map(({ kind }) => kind[0]).join('')).toBe('ssssesssse')
    for (const { loss, statistics, pairs } of steps(reports)) {
      expect(loss).toBeCloseTo(statistics['contrast.loss']! + 0.5 * statistics['ranking.loss']!, 10)
      expect(pairs).toBeGreaterThan(8)
      expect(statistics).toHaveProperty('contrast.temperature')
      expect(statistics).toHaveProperty('ranking.active')
    }
    expect([contrast!.source.state.epoch, ranking!.source.state]).toMatchObject([2, { epoch: 2, batch: 2 }])
  })

  it('take turns', async () => {
    const { reports } = await runOf(two({ mix: 'turns' }))
    expect(reports.map(({ kind }) => kind[0]).join('')).toBe('sssssssse'.repeat(2))
    const turns = steps(reports).map(({ statistics }) => Object.keys(statistics)[0]!.split('.')[0])
    expect(turns).toEqual(Array.from({ length: 16 }, (_, i) => (i % 2 === 0 ? 'contrast' : 'ranking')))
  })

  it('of one source see the same batch, and the gradient is that of the weighted sum', async () => {
    const gradients = async (weights: [number, number]) => {
      const { data } = toyRun(backend)
      using learner = learnerOf({
        objectives: [
          { source: data, loss: infoNceLoss({ temperature: 0.1 }), weight: weights[0] },
          { source: data, loss: triplet('full-batch'), weight: weights[1] },
        ].filter(({ weight }) => weight > 0),
      }).learner
      const { value: batch } = await data.epoch().next()
      learner.step(batch!)
      return [...learner.parameters].flatMap(([, { grad }]) =>
        grad === null ? [] : [...(grad as Float32Array)],
      )
    }
    const [both, first, second] = [
      await gradients([2, 0.5]),
      await gradients([1, 0]),
      await gradients([0, 1]),
    ]
    for (const [e, value] of both.entries()) {
      const wanted = 2 * first[e]! + 0.5 * second[e]!
      expect(Math.abs(value - wanted)).toBeLessThan(1e-4 * Math.max(1, Math.abs(wanted)))
    }
  })

  it.each(['sum', 'turns'] as const)('resume bit for bit: %s', async (mix) => {
    const whole = await runOf(two({ mix }))
    for (const cut of [1, 3, 4, 7]) {
      const first = await runOf(two({ mix }), undefined, cut)
      const second = await runOf(two({ mix }), folder)
      expect(second.id, `cut after ${cut}`).toBe(whole.id)
      const all = [...first.reports, ...second.reports]
      expect(all).toEqual(whole.reports)
    }
    const heavier = two({ mix })
    heavier.objectives![1]!.weight = 1
    await expect(runOf(heavier, folder)).rejects.toThrow(/objective ranking\.weight: 0\.5 instead of 1/)
  })

  it('are given either apart or as data and loss', () => {
    const { data, loss, ...rest } = toyRun(backend)
    expect(() => createTrainer(rest)).toThrow(/data and loss, or objectives.*no data/)
    expect(() => createTrainer({ ...rest, data })).toThrow(/no loss/)
    const objectives = [{ source: data, loss: loss! }]
    expect(() => createTrainer({ ...rest, data, loss: loss!, objectives })).toThrow(/both/)
    expect(() => createTrainer({ ...rest, objectives, mix: 'all' as never })).toThrow(/'sum' or 'turns'/)
  })
})

describe('between step and optimiser', () => {
  it('gradients may be changed, as by an all-reduce', async () => {
    const seen: number[] = []
    const halved = toyRun(backend, {
      epochs: 1,
      optimizer: adam({ lr: 0.01, eps: 1e6 }),
      onGradients: async ({ step }, parameters) => {
        seen.push(step)
        for (const { grad } of parameters.values()) if (grad !== null) (grad as Float32Array).fill(0)
      },
    })
    const before = halved.model.id
    const { reports } = await runOf(halved)
    expect(seen).toEqual([1, 2, 3, 4])
    expect(steps(reports).map(({ gradNorm }) => gradNorm)).toEqual([0, 0, 0, 0])
    expect(halved.model.id).toBe(before)
  })
})

describe('negatives', () => {
  it('are named by clip and caption in reports and in the log when asked for', async () => {
    const path = join(folder, 'log.jsonl')
    const options = toyRun(backend, {
      epochs: 1,
      loss: triplet('hard'),
      recordNegatives: true,
      loggers: [jsonlLogger(path)],
    })
    const { reports } = await runOf(options)
    const [first] = steps(reports)
    expect(first!.negatives).toHaveLength(8)
    for (const { clip, caption, clips, captions } of first!.negatives) {
      expect(caption.startsWith(`${clip}#`)).toBe(true)
      expect([clips.length, captions.length]).toEqual([1, 1])
      expect(clips[0]).not.toBe(clip)
      expect(captions[0]!.startsWith(`${clip}#`)).toBe(false)
    }
    const lines = (await readFile(path, 'utf8')).trim().split('\n')
    const logged = lines.map((line) => JSON.parse(line) as { kind: string; negatives?: unknown })
    expect(logged.find(({ kind }) => kind === 'step')!.negatives).toEqual(first!.negatives)
    const quiet = steps((await runOf(toyRun(backend, { epochs: 1, loss: triplet('hard') }))).reports)
    expect(quiet.every(({ negatives }) => negatives.length === 0)).toBe(true)
  })

  it('keep to the guards of the run, and strategies see items, step and epoch', async () => {
    const queries: { step: number; epoch: number; ids: string[] }[] = []
    const spy: NegativeStrategy = {
      name: 'spy',
      needs: [],
      select(query, rng) {
        const { step, epoch, items } = query
        queries.push({ step, epoch, ids: items.map(({ caption }) => caption.id) })
        return strategies.build('full-batch').select(query, rng)
      },
    }
    const same: Guard = {
      name: 'none at all',
      pairs: ({ items }) => items.flatMap((_, i) => items.map((__, j) => [i, j] as const)),
    }
    const options = toyRun(backend, {
      epochs: 2,
      loss: tripletLoss({ negatives: spy }),
      guards: [equalCaptions(), same],
    })
    const { reports } = await runOf(options)
    expect(queries.map(({ step, epoch }) => [step, epoch])).toEqual(
      Array.from({ length: 8 }, (_, i) => [i + 1, i / 4]),
    )
    expect(new Set(queries.slice(0, 4).flatMap(({ ids }) => ids)).size).toBe(30)
    for (const { statistics, pairs } of steps(reports)) expect(statistics['withoutNegatives']).toBe(pairs)
  })

  /** Never the same clip twice in a row for one anchor: what it remembers goes from batch to batch. */
  function forgetful(): NegativeStrategy {
    return {
      name: 'never-twice',
      needs: [],
      select: () => {
        throw new Error('not started')
      },
      start() {
        let last: Record<string, string> = {}
        return {
          ...forgetful(),
          select({ items, barred }) {
            const picks = items.map(({ clip }, i) => {
              const pick = items.findIndex((other, j) => !barred.has(j, i) && last[clip.id] !== other.clip.id)
              if (pick >= 0) last[clip.id] = items[pick]!.clip.id
              return pick
            })
            return fromPicks(Int32Array.from(picks), Int32Array.from(picks))
          },
          state: () => last,
          restore: (state) => void (last = { ...(state as Record<string, string>) }),
        }
      },
    }
  }

  it('of a strategy that remembers go on bit for bit, whatever validation looks at', async () => {
    const make = (validated: boolean) =>
      toyRun(backend, {
        loss: tripletLoss({ negatives: forgetful() }),
        ...(validated && {
          validation: { data: toyData(1, 12, { takes: 1, seed: 9 }).batches({ shuffle: false }) },
        }),
      })
    const whole = await runOf(make(true))
    expect((await runOf(make(false))).id).toBe(whole.id)
    for (const cut of [2, 5, 8]) {
      await runOf(make(true), undefined, cut)
      expect((await runOf(make(true), folder)).id, `cut after ${cut}`).toBe(whole.id)
    }
  })
})

describe('what a step reads from its device', () => {
  /** What a trainer opens for a device, on memory that JavaScript cannot touch, counting what comes out of it: for fallbacks too. */
  function counting(lacks?: OpName) {
    const device = nativeBackend({ device: 'sealed' })
    const counts = { downloads: 0, elsewhere: [] as string[] }
    const memory = {
      ...device.memory,
      download: (buffer: never) => {
        counts.downloads++
        return device.memory.download(buffer)
      },
    }
    const supports = (op: OpName) => op !== lacks && device.supports(op)
    const first = Object.create(device, {
      memory: { value: memory },
      supports: { value: supports },
    }) as Backend
    const on = chainBackends(first, [nativeBackend(), referenceBackend()], {
      onFallback: (message) => counts.elsewhere.push(message),
    })
    return { on, counts }
  }

  async function downloads(loss: Loss, options: ToyOptions = {}, lacks?: OpName) {
    const { on, counts } = counting(lacks)
    await using trainer = createTrainer(toyRun(on, { loss, epochs: 1, ...options }))
    const ofStep: number[] = []
    for await (const { kind } of trainer.steps()) {
      if (kind === 'step') ofStep.push(counts.downloads)
      counts.downloads = 0
    }
    return { ofStep, elsewhere: counts.elsewhere }
  }
  const read = (...ofStep: number[]) => ({ ofStep, elsewhere: [] })

  it('is loss and statistics at once, and the norms of the gradients at once', async () => {
    for (const loss of [
      infoNceLoss(),
      infoNceLoss({ learnable: true }),
      triplet('random'),
      triplet('full-batch'),
    ])
      expect(await downloads(loss), loss.name).toEqual(read(2, 2, 2, 2))
  })

  it('is no more for a CRNN, and no op of it is taken elsewhere', async () => {
    for (const similarity of [pooled(), frameWord()]) {
      const crnn = { network: 'crnn', similarity } as const
      expect(await downloads(infoNceLoss({ learnable: true }), crnn)).toEqual(read(2, 2))
    }
  })

  it('is more where the device lacks an op, and that is said', async () => {
    const { ofStep, elsewhere } = await downloads(infoNceLoss(), {}, 'gemm')
    expect(elsewhere).toEqual(['sealed has no gemm: cpu takes it'])
    expect(Math.min(...ofStep)).toBeGreaterThan(2)
  })

  it('is one more where scores are mined', async () => {
    expect(await downloads(triplet('semi-hard'))).toEqual(read(3, 3, 3, 3))
  })

  it('is the norms alone between two readings', async () => {
    expect(await downloads(infoNceLoss({ learnable: true }), { readEvery: 2 })).toEqual(read(1, 2, 1, 2))
    const options = toyRun(backend, { epochs: 1, readEvery: 2 })
    const every = toyRun(backend, { epochs: 1 })
    const [some, all] = [await runOf(options), await runOf(every)]
    expect(some.id).toBe(all.id)
    const [odd, even] = steps(some.reports)
    expect(odd).toMatchObject({ loss: null, statistics: {} })
    expect(even).toEqual(steps(all.reports)[1])
  })
})
