import { describe, expect, it } from 'vitest'
import { openBackend } from '../backend/open.js'
import { referenceBackend } from '../backend/reference/index.js'
import { type Matrix, matrix } from '../base/matrix.js'
import type { RaggedWeights } from '../base/ragged.js'
import { Rng } from '../base/rng.js'
import { type Guard, type NegativeStrategy, strategies } from '../negatives/index.js'
import { infoNce } from '../nn/functions/index.js'
import { Tape } from '../nn/tape.js'
import { frameWord, pooled, type Similarity } from '../similarity/index.js'
import { lossCases } from '../testing/loss.cases.js'
import { itemsOf } from '../testing/items.js'
import { lcg, smallBatch } from '../testing/small-batch.js'
import {
  gradedMarginLoss,
  infoNceLoss,
  type Loss,
  LossInput,
  sameClipTargets,
  sigmoidLoss,
  softTargetLoss,
  sumLoss,
  type Targets,
  tripletLoss,
} from './index.js'

const sharing = infoNceLoss({ temperature: 0.2, learnable: true, positives: 'same-clip' })
const losses: Loss[] = [
  ...strategies.names.map((name) => tripletLoss({ negatives: strategies.build(name) })),
  infoNceLoss({ temperature: 0.2 }),
  sharing,
  softTargetLoss({ targets: graded(), temperature: 0.2, learnable: true }),
  softTargetLoss({ targets: graded('sparse'), temperature: 0.2, hard: 0.5, direction: 'text-to-audio' }),
  sigmoidLoss({ temperature: 0.2, bias: -1 }),
  sigmoidLoss({ temperature: 0.2, bias: -1, learnable: false, positives: 'same-clip' }),
  gradedMarginLoss({ targets: graded() }),
  sumLoss({
    losses: [
      infoNceLoss({ temperature: 0.2, learnable: true }),
      tripletLoss({ negatives: strategies.build('full-batch') }),
    ],
    weights: [1, 0.5],
  }),
]

/** Weights by the items' places, some of them 0: as a matrix or as lists. */
function graded(layout: 'dense' | 'sparse' = 'dense'): Targets {
  return {
    name: `graded-${layout}`,
    weights({ items: { length: n } }) {
      const dense = matrix(n, n, new Float32Array(n * n))
      for (let i = 0; i < n; i++)
        for (let j = 0; j < n; j++) dense.data[i * n + j] = i === j ? 1 : ((i + 2 * j) % 3) / 4
      return layout === 'dense' ? dense : sparse(dense)
    },
  }
}

function sparse({ rows, cols, data }: Matrix): RaggedWeights {
  const offsets = new Int32Array(rows + 1)
  const index: number[] = []
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) if (data[i * cols + j]! > 0) index.push(j)
    offsets[i + 1] = index.length
  }
  return { offsets, index: Int32Array.from(index), weights: data.filter((weight) => weight > 0) }
}

const similarities = [pooled(), frameWord(), frameWord({ reduction: 'MTSQ' })]
const pairs = losses.flatMap((loss) =>
  similarities
    // What remembers earlier pairs needs one vector a side.
    .filter((similarity) => loss.name !== 'triplet-queue' || similarity.name === 'pooled')
    .map((similarity) => [loss.name, similarity.name, loss, similarity] as const),
)

describe.each(pairs)('%s on %s', (_, __, loss, similarity) => {
  for (const { name, relative = false, run } of lossCases) {
    if (relative && loss.name === 'sigmoid') continue
    // With shared positives or soft targets a batch of one clip has a cost: its mass is to be spread so.
    const spreads = loss.name.startsWith('soft-target') || loss.config === sharing.config
    if (spreads && name.includes('whole batch is one clip')) continue
    it(name, () => run(loss, similarity))
  }
})

const backend = referenceBackend()
const { n, frames, words, d, groups } = smallBatch

function golden(loss: Loss, similarity = frameWord(), tape = new Tape(backend)) {
  const audio = {
    values: tape.constant([n, frames, d], smallBatch.audio()),
    lengths: new Int32Array(n).fill(frames),
  }
  const text = {
    values: tape.constant([n, words, d], smallBatch.text()),
    lengths: new Int32Array(n).fill(words),
  }
  const input = new LossInput(tape, similarity, { audio, text, items: itemsOf(groups) })
  return { input, output: loss.build(backend).compute(input, new Rng(1)) }
}

describe('against the NumPy golden', () => {
  it.each(Object.entries(smallBatch.strategies))('triplet with %s', (name, { loss: wanted }) => {
    const loss = tripletLoss({ negatives: strategies.build(name), margin: smallBatch.margin })
    expect(golden(loss).output.loss.item()).toBeCloseTo(wanted, 5)
  })

  it('InfoNCE on pooled vectors', () => {
    const { temperature, loss: wanted } = smallBatch.infoNce
    expect(golden(infoNceLoss({ temperature }), pooled()).output.loss.item()).toBeCloseTo(wanted, 4)
  })
})

describe('what a loss asks for', () => {
  /** Times that each kind of score is computed. */
  function asked(
    losses: readonly Loss[],
    guards: readonly Guard[] = [],
    similarity: Similarity = frameWord(),
  ): Record<string, number> {
    const counts: Record<string, number> = {}
    const counted = new Proxy(similarity, {
      get(target, key: 'score' | 'factors' | 'within') {
        if (!['score', 'factors', 'within'].includes(key) || target[key] === undefined) return target[key]
        return (...args: never[]) => {
          counts[key] = (counts[key] ?? 0) + 1
          return (target[key] as (...all: never[]) => unknown)(...args)
        }
      },
    })
    using tape = new Tape(backend)
    const side = (steps: number, values: ArrayLike<number>) => ({
      values: tape.constant([n, steps, d], values),
      lengths: new Int32Array(n).fill(steps),
    })
    const input = new LossInput(tape, counted, {
      audio: side(frames, smallBatch.audio()),
      text: side(words, smallBatch.text()),
      items: itemsOf(groups),
      guards,
    })
    for (const loss of losses) loss.build(backend).compute(input, new Rng(1))
    return counts
  }
  const triplet = (name: string) => tripletLoss({ negatives: strategies.build(name) })

  it('is all that is computed', () => {
    expect(asked([triplet('random')])).toEqual({ score: 1 })
    expect(asked([triplet('hard-text')])).toEqual({ score: 1, within: 1 })
    expect(asked([infoNceLoss()])).toEqual({ score: 1 })
    expect(asked([infoNceLoss(), triplet('random'), sigmoidLoss()])).toEqual({ score: 1 })
    expect(asked([infoNceLoss()], [], pooled())).toEqual({ factors: 1 })
    const alike: Guard = { name: 'alike', needs: ['text-text'], pairs: () => [] }
    expect(asked([infoNceLoss()], [alike])).toEqual({ score: 1, within: 1 })
  })

  it('is computed once for all losses of a batch', () => {
    const all = (['random', 'semi-hard', 'easy-text', 'hard-text'] as const).map(triplet)
    expect(asked(all)).toEqual({ score: 1, within: 1 })
  })
})

describe('InfoNCE', () => {
  it('on frame × word scores equals the plain definition', () => {
    const temperature = 0.1
    const s = smallBatch.audioText.data
    let wanted = 0
    for (let i = 0; i < n; i++) {
      const candidates = [0, 1, 2, 3].filter((j) => j === i || groups[j] !== groups[i])
      const ce = (score: (j: number) => number): number =>
        Math.log(candidates.reduce((sum, j) => sum + Math.exp((score(j) - score(i)) / temperature), 0))
      wanted += ce((j) => s[i * n + j]!) + ce((j) => s[j * n + i]!)
    }
    expect(golden(infoNceLoss({ temperature })).output.loss.item()).toBeCloseTo(wanted / n, 4)
  })

  it('trains its temperature only when asked, towards a lower loss', () => {
    const at = (temperature: number) => golden(infoNceLoss({ temperature })).output.loss.item()
    const loss = infoNceLoss({ temperature: 0.2, learnable: true })
    using tape = new Tape(backend, { training: true })
    const running = loss.build(backend)
    const audio = {
      values: tape.constant([n, frames, d], smallBatch.audio()),
      lengths: new Int32Array(n).fill(frames),
    }
    const text = {
      values: tape.constant([n, words, d], smallBatch.text()),
      lengths: new Int32Array(n).fill(words),
    }
    const input = new LossInput(tape, frameWord(), { audio, text, items: itemsOf(groups) })
    tape.backward(running.compute(input, new Rng(1)).loss)
    const parameter = running.parameters().get('logTemperature')!
    const h = 1e-3
    const slope = (at(0.2 * Math.exp(h)) - at(0.2 * Math.exp(-h))) / (2 * h)
    expect(tape.gradientOf(parameter)![0]).toBeCloseTo(slope, 2)
    expect(infoNceLoss().build(backend).parameters().size).toBe(0)
    expect(infoNceLoss().build(backend).buffers().has('logTemperature')).toBe(true)
    expect(golden(loss).output.statistics()).toMatchObject({ temperature: expect.closeTo(0.2, 5) as number })
  })
})

describe('soft targets', () => {
  // Values of §17 of the methods: caption vectors of five numbers, one for each pair.
  const captions = rowsOfLength1(4, 5, lcg(11, 20))
  const cosine = (i: number, j: number): number =>
    [0, 1, 2, 3, 4].reduce((sum, c) => sum + captions[5 * i + c]! * captions[5 * j + c]!, 0)
  const relevance = (name: string, weight: (similarity: number) => number): Targets => ({
    name,
    weights: () =>
      matrix(
        4,
        4,
        Float32Array.from({ length: 16 }, (_, cell) => weight(cosine(cell >> 2, cell & 3))),
      ),
  })
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
  it.each([
    [sameClipTargets(), 14.514877, 12.807188, 13.661033],
    [
      relevance('rating', (s) => Math.exp(sigmoid(1.85 - 4.58 * (1 - s)) / 0.05)),
      9.662953,
      7.955264,
      8.809109,
    ],
    [relevance('logistic', (s) => sigmoid(25 * s - 20)), 9.727765, 8.020076, 8.873921],
    [relevance('threshold', (s) => (s > 0.7 ? s : 0)), 9.654835, 7.947146, 8.800991],
  ] as const)('cross-entropy against $name', (targets, toAudio, toText, both) => {
    const of = (direction: 'both' | 'text-to-audio' | 'audio-to-text') =>
      golden(softTargetLoss({ targets, direction }), pooled()).output.loss.item()
    expect(of('text-to-audio')).toBeCloseTo(toAudio, 4)
    expect(of('audio-to-text')).toBeCloseTo(toText, 4)
    expect(of('both')).toBeCloseTo(both, 4)
  })

  it('with hard ones beside them are the mean of both', () => {
    const of = (targets: Targets, hard?: number) =>
      golden(softTargetLoss({ targets, ...(hard !== undefined && { hard }) })).output.loss.item()
    const mean = (of(sameClipTargets()) + of(graded())) / 2
    expect(of(graded(), 0.5)).toBeCloseTo(mean, 5)
    expect(of(graded('sparse'), 0.5)).toBeCloseTo(mean, 5)
  })

  it('are refused where they do not fit the batch', () => {
    const bad = (weights: Targets['weights']) => () =>
      golden(softTargetLoss({ targets: { name: 'bad', weights } }))
    expect(bad(() => matrix(3, 4))).toThrow(/4×4.*"bad".*3×4/)
    expect(bad(() => matrix(4, 4, new Float32Array(16).fill(-1)))).toThrow(/0 or more.*"bad"/)
    expect(bad(() => matrix(4, 4, new Float32Array(16).fill(NaN)))).toThrow(/finite/)
    const lists = { offsets: new Int32Array(3), index: new Int32Array(0), weights: new Float32Array(0) }
    expect(bad(() => lists)).toThrow(/5 offsets/)
  })
})

/** Clips and captions of one vector each, all alike. */
function rowsOfLength1(rows: number, d: number, values: ArrayLike<number>): Float64Array {
  const out = Float64Array.from(values)
  for (let r = 0; r < rows; r++) {
    const row = out.subarray(r * d, (r + 1) * d)
    const length = Math.hypot(...row)
    row.forEach((value, c) => (row[c] = value / length))
  }
  return out
}

function vectors(tape: Tape, inGroups: number[], value = 0.6): LossInput {
  const values = tape.constant([inGroups.length, 1], new Float32Array(inGroups.length).fill(value))
  const side = { values, lengths: null }
  return new LossInput(tape, pooled(), { audio: side, text: side, items: itemsOf(inGroups) })
}

describe('triplet', () => {
  it('counts pairs without a negative', () => {
    const loss = tripletLoss({ negatives: strategies.build('random') })
    const without = (inGroups: number[]) => {
      using tape = new Tape(backend)
      return loss.build(backend).compute(vectors(tape, inGroups), new Rng(1)).statistics()['withoutNegatives']
    }
    expect(without([1, 1, 1])).toBe(3)
    expect(without([1, 2, 2])).toBe(0)
  })

  it('refuses a strategy that picks an item of the same clip', () => {
    const list = { offsets: Int32Array.of(0, 1, 2, 3, 4), index: Int32Array.of(2, 0, 3, 0) }
    const broken: NegativeStrategy = {
      name: 'broken',
      needs: [],
      select: () => ({ audio: list, text: list, empty: 0 }),
    }
    expect(() => golden(tripletLoss({ negatives: broken }))).toThrow(/broken.*item 2 of the same group/)
  })

  it('says nothing of equal scores where its negatives are looked for near the positive', () => {
    const of = (name: string) => tripletLoss({ negatives: strategies.build(name), margin: 0.3 })
    expect(of('semi-hard').valueOfEqualScores(8)).toBeNull()
    expect(of('hard').valueOfEqualScores(8)).toBe(0.6)
    expect(of('hard').easier).toBe('easier negatives (semi-hard, random)')
    expect(of('semi-hard').easier).toBe('easier negatives (random, full-batch)')
    expect(of('random').easier).toBeUndefined()
  })

  it('stops at scores that are not finite', () => {
    const loss = tripletLoss({ negatives: strategies.build('hard') })
    using tape = new Tape(backend)
    const input = vectors(tape, [0, 1], NaN)
    expect(() => loss.build(backend).compute(input, new Rng(1))).toThrow(
      expect.objectContaining({ code: 'NUMERIC' }),
    )
  })

  it('says how sure it is of pairs also where that is next to nothing', () => {
    for (const own of [backend, openBackend()]) {
      using tape = new Tape(own)
      const { statistics } = sigmoidLoss({ temperature: 1, bias: -17 })
        .build(own)
        .compute(vectors(tape, [0, 1]), new Rng(1))
      expect(statistics()['onPositives']! * (1 + Math.exp(17 - 0.36))).toBeCloseTo(1, 4)
    }
  })

  it('stops at soft targets that are none, or that cannot be added up', () => {
    using tape = new Tape(backend)
    const { factors, groups } = vectors(tape, [0, 1])
    const logTemperature = tape.constant([1], [0])
    const weighed =
      (data: number[], rows = 2) =>
      () =>
        infoNce(tape, factors.audio, factors.text, {
          ...{
            groups,
            logTemperature,
            targets: { rows, cols: data.length / rows, data: Float32Array.from(data) },
          },
        })
    expect(weighed([1, 0, 0, -1])).toThrow(/finite numbers of 0 or more for targets of infoNce, got -1/)
    expect(weighed([1, 0, 0, NaN])).toThrow(/finite numbers of 0 or more/)
    expect(weighed([3e38, 3e38, 0, 1])).toThrow(/only proportions count/)
    expect(weighed([1, 0, 0, 1], 1)).toThrow(/2×2 for targets of infoNce, got "1×4"/)
    expect(weighed([1e38, 1e38, 0, 1])).not.toThrow()
  })

  it('refuses options out of range', () => {
    expect(() => tripletLoss({ negatives: strategies.build('hard'), margin: 0 })).toThrow(/margin/)
    expect(() => infoNceLoss({ temperature: 0 })).toThrow(/temperature/)
    expect(() => infoNceLoss({ positives: 'all' as never })).toThrow(/positives/)
    expect(() => softTargetLoss({ targets: graded(), hard: 2 })).toThrow(/hard/)
    expect(() => softTargetLoss({ targets: graded(), hard: '1' as never })).toThrow(/hard/)
    expect(() => softTargetLoss({} as never)).toThrow(/for targets, got undefined/)
    expect(() => softTargetLoss({ targets: graded(), direction: 'up' as never })).toThrow(/direction/)
    expect(() => sigmoidLoss({ bias: NaN })).toThrow(/bias/)
    expect(() => sigmoidLoss({ positives: 'all' as never })).toThrow(/positives/)
  })
})
