import { describe, expect, it } from 'vitest'
import { referenceBackend } from '../backend/reference/index.js'
import { Rng } from '../base/rng.js'
import { equalCaptions, queuedNegatives, strategies } from '../negatives/index.js'
import { gradcheck } from '../nn/gradcheck.js'
import { Parameter, Tape } from '../nn/index.js'
import { frameWord, pooled } from '../similarity/index.js'
import { itemsOf } from '../testing/items.js'
import { LossInput, type RunningLoss, tripletLoss } from './index.js'

const d = 6
const backend = referenceBackend({ precision: 'float64' })

function batchOf(seed: number, n: number, groups: readonly number[], texts?: readonly string[]) {
  const rng = new Rng(seed, 'memory')
  const unit = () => {
    const vector = Array.from({ length: d }, () => rng.normal() + 0.4)
    const norm = Math.hypot(...vector)
    return vector.map((x) => Math.fround(x / norm))
  }
  const side = () => Array.from({ length: n }, unit)
  const items = itemsOf(groups, texts).map((item, i) => ({
    ...item,
    clip: { id: `${seed}-${i}` },
    caption: { ...item.caption, id: `${seed}-${i}#1` },
  }))
  return { audio: side(), text: side(), items, n }
}
type Batch = ReturnType<typeof batchOf>

function compute(running: RunningLoss, batch: Batch, tape: Tape, sides?: readonly Parameter[]) {
  const [audio, text] =
    sides ?? [batch.audio, batch.text].map((rows) => Parameter.from(backend, [batch.n, d], rows.flat()))
  const input = new LossInput(tape, pooled(), {
    audio: { values: audio!, lengths: null },
    text: { values: text!, lengths: null },
    items: batch.items,
    guards: [equalCaptions()],
  })
  return running.compute(input, new Rng(3))
}
const train = (running: RunningLoss, batch: Batch) => {
  using tape = new Tape(backend, { training: true })
  const { loss, statistics, picks, candidates } = compute(running, batch, tape)
  return { loss: loss.item(), statistics: statistics(), picks: picks!, candidates: candidates! }
}
const start = (name: string, pairs: number) =>
  tripletLoss({ negatives: queuedNegatives(strategies.build(name), pairs), margin: 0.5 }).build(backend)

const [first, second, third] = [
  batchOf(1, 4, [0, 1, 2, 3], ['rain', 'wind', 'dog', 'bell']),
  batchOf(2, 3, [4, 0, 5], ['cat', 'owl', 'Rain!']),
  batchOf(3, 3, [6, 7, 8]),
]

/** The loss as a plain loop over the batch and what was before it, newest first. */
function loop(batch: Batch, before: readonly Batch[], capacity: number, hardest: boolean): number {
  const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, k) => sum + x * b[k]!, 0)
  const all = [batch, ...before].flatMap(({ audio, text, items }) =>
    items.map((item, i) => ({ a: audio[i]!, t: text[i]!, item })),
  )
  const seen = all.slice(0, batch.n + capacity)
  const said = (text: string) => text.toLowerCase().replace('!', '')
  let loss = 0
  for (const own of seen.slice(0, batch.n)) {
    const free = seen.filter(
      ({ item }) => item.group !== own.item.group && said(item.caption.text) !== said(own.item.caption.text),
    )
    if (free.length === 0) continue
    const pick = (score: (other: (typeof free)[0]) => number) =>
      free
        .map(score)
        .reduce((best, x) => (hardest ? Math.max(best, x) : best + x / free.length), hardest ? -9 : 0)
    const hinge = (score: number) => Math.max(0, score - dot(own.a, own.t) + 0.5)
    if (hardest) loss += hinge(pick(({ a }) => dot(a, own.t))) + hinge(pick(({ t }) => dot(own.a, t)))
    else loss += pick(({ a }) => hinge(dot(a, own.t))) + pick(({ t }) => hinge(dot(own.a, t)))
  }
  return loss / batch.n
}

describe('a queue of earlier pairs', () => {
  it.each(['hard', 'full-batch'])(
    'lets %s choose from them, newest first, and forgets the oldest',
    (name) => {
      const running = start(name, 5)
      const hardest = name === 'hard'
      expect(train(running, first!).loss).toBeCloseTo(loop(first!, [], 5, hardest), 6)
      expect(train(running, second!).loss).toBeCloseTo(loop(second!, [first!], 5, hardest), 6)
      // Five remembered: the second batch and two of the first.
      expect(train(running, third!).loss).toBeCloseTo(loop(third!, [second!, first!], 5, hardest), 6)
    },
  )

  it('names what was picked, says the loss and the mean score of the own pairs, and bars nothing less', () => {
    const running = start('hard', 8)
    train(running, first!)
    const { loss, statistics, picks, candidates } = train(running, second!)
    expect(statistics['loss']).toBe(loss)
    const own = second!.audio.map((a, i) => a.reduce((sum, x, k) => sum + x * second!.text[i]![k]!, 0))
    expect(statistics['meanPositive']).toBeCloseTo(own.reduce((a, b) => a + b) / 3, 6)
    expect(candidates.map(({ clip }) => clip.id)).toEqual(['2-0', '2-1', '2-2', '1-0', '1-1', '1-2', '1-3'])
    expect(picks.audio.offsets).toEqual(Int32Array.of(0, 1, 2, 3, 3, 3, 3, 3))
    // Item 1 is of the group of 1-0, item 2 says what 1-0 says.
    expect([
      picks.audio.index[1],
      picks.text.index[1],
      picks.audio.index[2],
      picks.text.index[2],
    ]).not.toContain(3)
  })

  it('has the gradient of its value, and none for what is remembered', () => {
    const running = start('full-batch', 8)
    train(running, first!)
    const state = JSON.stringify(running.state!())
    const sides = [second!.audio, second!.text].map((rows) => Parameter.from(backend, [3, d], rows.flat()))
    const { worst } = gradcheck(new Map([['audio', sides[0]!], ['text', sides[1]!]]), (tape) => {
      running.restore!(JSON.parse(state))
      return compute(running, second!, tape, sides).loss
    }) // prettier-ignore
    expect(worst!.error).toBeLessThan(1e-5)
  })

  it('goes on from a saved state bit for bit', () => {
    const whole = start('hard', 5)
    for (const batch of [first!, second!]) train(whole, batch)
    const resumed = start('hard', 5)
    resumed.restore!(JSON.parse(JSON.stringify(whole.state!())))
    expect(train(resumed, third!)).toEqual(train(whole, third!))
    expect(JSON.stringify(resumed.state!())).toBe(JSON.stringify(whole.state!()))
  })

  it.each(strategies.names)('%s goes on from a saved state bit for bit', (name) => {
    const begin = () => tripletLoss({ negatives: strategies.build(name) }).build(backend)
    const whole = begin()
    for (const batch of [first!, second!]) train(whole, batch)
    const resumed = begin()
    resumed.restore?.(JSON.parse(JSON.stringify(whole.state?.() ?? null)))
    expect(train(resumed, third!)).toEqual(train(whole, third!))
    expect(JSON.stringify(resumed.state?.())).toBe(JSON.stringify(whole.state?.()))
  })

  it('neither uses nor takes anything where nothing is trained', () => {
    const running = start('hard', 8)
    train(running, first!)
    const before = JSON.stringify(running.state!())
    using tape = new Tape(backend)
    expect(compute(running, second!, tape).loss.item()).toBeCloseTo(loop(second!, [], 0, true), 6)
    expect(JSON.stringify(running.state!())).toBe(before)
  })

  it('refuses a similarity of whole sequences, and says which to take', () => {
    using tape = new Tape(backend, { training: true })
    const values = Parameter.from(backend, [2, 3, d], new Float32Array(6 * d).fill(0.3))
    const side = { values, lengths: Int32Array.of(3, 3) }
    const input = new LossInput(tape, frameWord(), { audio: side, text: side, items: itemsOf([0, 1]) })
    expect(() => start('hard', 4).compute(input, new Rng(1))).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining('pooled') as string,
      }),
    )
  })
})
