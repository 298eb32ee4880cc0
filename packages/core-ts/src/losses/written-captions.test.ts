import { describe, expect, it } from 'vitest'
import { referenceBackend } from '../backend/reference/index.js'
import { Rng } from '../base/rng.js'
import { captionRuleNegatives, strategies } from '../negatives/index.js'
import { gradcheck } from '../nn/gradcheck.js'
import { Parameter, Tape } from '../nn/index.js'
import { frameWord } from '../similarity/index.js'
import { itemsOf } from '../testing/items.js'
import { infoNceLoss, type Loss, LossInput, tripletLoss } from './index.js'

const backend = referenceBackend({ precision: 'float64' })
const [n, m, frames, words, d] = [3, 2, 3, 2, 4]
const written = [2, 0].map((of) => ({ of, caption: { id: `c${of}#1~order`, text: `written for ${of}` } }))
const rng = new Rng(4, 'written')
const values = (count: number): Float64Array =>
  Float64Array.from({ length: count }, () => rng.between(0.02, 0.6))
const audio = Parameter.from(backend, [n, frames, d], values(n * frames * d))
const text = Parameter.from(backend, [n + m, words, d], values((n + m) * words * d))

function inputOf(tape: Tape): LossInput {
  return new LossInput(tape, frameWord(), {
    audio: { values: audio, lengths: new Int32Array(n).fill(frames) },
    text: { values: text, lengths: new Int32Array(n + m).fill(words) },
    items: itemsOf([0, 1, 2]),
    written,
  })
}
const compute = (loss: Loss, tape: Tape) => loss.build(backend).compute(inputOf(tape), new Rng(1))
const hard = strategies.build('hard')

/** Frame × word scores as a plain loop. */
function score(i: number, j: number): number {
  const [a, t] = [audio.toArray(), text.toArray()]
  let sum = 0
  for (let f = 0; f < frames; f++)
    for (let w = 0; w < words; w++) {
      let dot = 0
      for (let k = 0; k < d; k++) dot += a[(i * frames + f) * d + k]! * t[(j * words + w) * d + k]!
      sum += Math.max(0, dot)
    }
  return sum / (frames * words)
}

describe('captions written for a batch', () => {
  const loss = tripletLoss({ negatives: captionRuleNegatives(hard), margin: 0.5 })

  it('stand in for the caption that is chosen; clips are chosen as ever', () => {
    using tape = new Tape(backend)
    const output = compute(loss, tape)
    const hinge = (value: number, i: number): number => Math.max(0, value - score(i, i) + 0.5)
    const others = (i: number): number[] => [0, 1, 2].filter((j) => j !== i)
    let wanted = 0
    for (let i = 0; i < n; i++) {
      wanted += hinge(Math.max(...others(i).map((j) => score(j, i))), i)
      const own = written.findIndex(({ of }) => of === i)
      wanted += hinge(own < 0 ? Math.max(...others(i).map((j) => score(i, j))) : score(i, n + own), i)
    }
    expect(output.loss.item()).toBeCloseTo(wanted / n, 10)
    const { loss: said, meanPositive } = output.statistics()
    expect(said).toBeCloseTo(wanted / n, 10)
    expect(meanPositive).toBeCloseTo((score(0, 0) + score(1, 1) + score(2, 2)) / 3, 10)
    expect(output.candidates!.map(({ caption }) => caption.id).slice(n)).toEqual(['c2#1~order', 'c0#1~order'])
    expect([...output.picks!.text.index.subarray(0, 3)].filter((j) => j >= n)).toEqual([4, 3])
  })

  it('have the gradient of their value', () => {
    const { worst } = gradcheck(
      new Map([
        ['audio', audio],
        ['text', text],
      ]),
      (tape) => compute(loss, tape).loss,
    )
    expect(worst!.error).toBeLessThan(1e-5)
  })

  it('change nothing for losses that do not ask for them', () => {
    for (const own of [infoNceLoss({ temperature: 0.2 }), tripletLoss({ negatives: hard })]) {
      using tape = new Tape(backend, { training: true })
      const output = compute(own, tape)
      tape.backward(output.loss)
      const behind = tape.gradientOf(text)!.slice(n * words * d)
      expect(behind.every((x) => x === 0)).toBe(true)
      expect(output.loss.item()).toBeGreaterThan(0)
    }
  })
})
