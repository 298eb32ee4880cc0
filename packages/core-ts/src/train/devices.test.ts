import { afterAll, describe, expect, it } from 'vitest'
import { load } from '../backend/native.js'
import { openBackend } from '../backend/open.js'
import { referenceBackend } from '../backend/reference/index.js'
import type { Backend } from '../backend/port.js'
import { infoNceLoss, type Loss, tripletLoss } from '../losses/index.js'
import { strategies } from '../negatives/index.js'
import { frameWord, pooled, type Similarity } from '../similarity/index.js'
import { clipFeatures, toyData, toyRun } from '../testing/toy-run.js'
import { retrievalMeasures } from '../evaluation/index.js'
import { adamw } from './optimizers.js'
import { createTrainer } from './trainer.js'

const threads = load().threads()
afterAll(() => load().setThreads(threads))

const objectives: [string, Loss, Similarity][] = [
  [
    'InfoNCE with a trained temperature on pooled vectors',
    infoNceLoss({ temperature: 0.1, learnable: true }),
    pooled(),
  ],
  ['InfoNCE on frame × word scores', infoNceLoss(), frameWord({ reduction: 'MTSQ' })],
  [
    'semi-hard triplets on frame × word scores',
    tripletLoss({ negatives: strategies.build('semi-hard') }),
    frameWord(),
  ],
  [
    'hard audio triplets, padding counted',
    tripletLoss({ negatives: strategies.build('hard-audio') }),
    frameWord({ padding: 'padded-compat' }),
  ],
]

/** Two steps, or fewer, of the CRNN with AdamW, clipping and dropout, and a look at validation batches. */
async function train(backend: Backend, loss: Loss, similarity: Similarity, steps = Infinity) {
  const options = toyRun(backend, {
    network: 'crnn',
    loss,
    similarity,
    epochs: 1,
    optimizer: adamw({ lr: 0.003, clip: 0.5 }),
    validation: { data: toyData(16, 64, { takes: 1, seed: 9 }).batches({ shuffle: false }) },
  })
  await using trainer = createTrainer(options)
  const numbers: number[] = []
  for await (const report of trainer.steps()) {
    if (report.kind === 'step')
      numbers.push(report.loss!, report.gradNorm, ...Object.values(report.statistics))
    else numbers.push(...Object.values(report.validation))
    if (report.step >= steps) break
  }
  return { numbers, id: options.model.id }
}

describe.each(objectives)('training with %s', (_, loss, similarity) => {
  it('gives the same bits with one thread and with two', async () => {
    const runs = []
    for (const count of [1, 2])
      runs.push(await train(openBackend({ device: 'cpu', threads: count }), loss, similarity))
    expect(runs[1]).toEqual(runs[0])
  })

  it('gives the same bits on a device whose memory JavaScript cannot touch', async () => {
    const cpu = await train(openBackend({ device: 'cpu' }), loss, similarity)
    const sealed = await train(openBackend({ device: 'sealed' }), loss, similarity)
    expect(sealed).toEqual(cpu)
  })

  it('agrees with the reference', async () => {
    const cpu = await train(openBackend({ device: 'cpu' }), loss, similarity, 1)
    const reference = await train(referenceBackend(), loss, similarity, 1)
    expect(cpu.numbers.length).toBe(reference.numbers.length)
    for (const [i, value] of cpu.numbers.entries()) {
      const wanted = reference.numbers[i]!
      expect(Math.abs(value - wanted), `number ${i}`).toBeLessThan(1e-3 * Math.max(1, Math.abs(wanted)))
    }
  })
})

describe('memory', () => {
  it('of a device is all given back when trainer, looks at validation and tapes end', async () => {
    const backend = openBackend({ device: 'sealed' })
    let held = 0
    const { memory } = backend
    const counted: Backend = Object.create(backend, {
      memory: {
        value: {
          ...memory,
          alloc: (length: number) => {
            held++
            return memory.alloc(length)
          },
          free: (buffer: never) => {
            held--
            memory.free(buffer)
          },
        },
      },
    }) as Backend
    const unseen = toyData(16, 64, { takes: 1, seed: 9 })
    const options = toyRun(counted, {
      network: 'crnn',
      epochs: 2,
      validation: {
        data: unseen.batches({ shuffle: false, leastFrames: 4 }),
        yardsticks: { other: infoNceLoss({ learnable: true }) },
        measure: retrievalMeasures(unseen.clips, async (clip) => clipFeatures(unseen.features(clip))),
      },
    })
    const ofModel = held
    const after: Record<string, Set<number>> = { step: new Set(), epoch: new Set() }
    {
      await using trainer = createTrainer(options)
      for await (const { kind } of trainer.steps()) after[kind]!.add(held)
    }
    expect(after['step']!.size).toBe(1)
    expect(after['epoch']).toEqual(after['step'])
    expect(held).toBe(ofModel)
  })
})
