import { describe, expect, it } from 'vitest'
import { referenceBackend } from '../backend/reference/index.js'
import { Rng } from '../base/rng.js'
import { type Guard, type NegativeStrategy, strategies } from '../negatives/index.js'
import { Tape } from '../nn/tape.js'
import { frameWord, pooled } from '../similarity/index.js'
import { lossCases } from '../testing/loss.cases.js'
import { itemsOf } from '../testing/items.js'
import { smallBatch } from '../testing/small-batch.js'
import { infoNceLoss, type Loss, LossInput, tripletLoss } from './index.js'

const losses: Loss[] = [
  ...strategies.names.map((name) => tripletLoss({ negatives: strategies.build(name) })),
  infoNceLoss({ temperature: 0.2 }),
  infoNceLoss({ temperature: 0.2, learnable: true, positives: 'same-clip' }),
]
const similarities = [pooled(), frameWord(), frameWord({ reduction: 'MTSQ' })]
const pairs = losses.flatMap((loss) =>
  similarities.map((similarity) => [loss.name, similarity.name, loss, similarity] as const),
)

describe.each(pairs)('%s on %s', (_, __, loss, similarity) => {
  for (const { name, run } of lossCases) {
    // With shared positives a batch of one clip has a cost: its mass is to be even.
    if (loss === losses.at(-1) && name.includes('whole batch is one clip')) continue
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
  function asked(losses: readonly Loss[], guards: readonly Guard[] = []): Record<string, number> {
    const counts: Record<string, number> = {}
    const similarity = frameWord()
    const counted = new Proxy(similarity, {
      get(target, key: 'score' | 'factors' | 'within') {
        if (!['score', 'factors', 'within'].includes(key)) return target[key]
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
    expect(asked([infoNceLoss()])).toEqual({ factors: 1 })
    const alike: Guard = { name: 'alike', needs: ['text-text'], pairs: () => [] }
    expect(asked([infoNceLoss()], [alike])).toEqual({ factors: 1, within: 1 })
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

/** Clips and captions of one vector each, all alike. */
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

  it('refuses options out of range', () => {
    expect(() => tripletLoss({ negatives: strategies.build('hard'), margin: 0 })).toThrow(/margin/)
    expect(() => infoNceLoss({ temperature: 0 })).toThrow(/temperature/)
    expect(() => infoNceLoss({ positives: 'all' as never })).toThrow(/positives/)
  })
})
