import assert from 'node:assert/strict'
import type { Backend } from '../backend/port.js'
import { referenceBackend } from '../backend/reference/index.js'
import { Rng } from '../base/rng.js'
import type { Loss } from '../losses/loss.js'
import { LossInput } from '../losses/loss-input.js'
import type { Guard } from '../negatives/index.js'
import { gradcheck } from '../nn/gradcheck.js'
import { Tape } from '../nn/tape.js'
import { Parameter } from '../nn/tensor.js'
import type { Similarity } from '../similarity/index.js'
import { itemsOf } from './items.js'

/** One requirement on every loss; `run` throws when it is not met. */
export interface LossCase {
  readonly name: string
  /** Holds where a pair costs something only beside others: not where each is judged for itself. */
  readonly relative?: boolean
  run(loss: Loss, similarity: Similarity): void
}

interface Sides {
  readonly audio: Parameter
  readonly text: Parameter
  readonly n: number
}

const [frames, words, d] = [3, 2, 4]

/** Positive numbers, so that no ReLU'd product stands at its kink. */
function sides(backend: Backend, n: number, seed = 1): Sides {
  const rng = new Rng(seed, 'loss-cases')
  const draw = (steps: number): Parameter => {
    const values = Float64Array.from({ length: n * steps * d }, () => rng.between(0.02, 0.6))
    return Parameter.from(backend, [n, steps, d], values)
  }
  return { audio: draw(frames), text: draw(words), n }
}

function compute(
  tape: Tape,
  loss: Loss,
  similarity: Similarity,
  { audio, text, n }: Sides,
  groups: readonly number[],
  guards: readonly Guard[] = [],
) {
  const batch = {
    audio: { values: audio, lengths: new Int32Array(n).fill(frames) },
    text: { values: text, lengths: new Int32Array(n).fill(words) },
    items: itemsOf(groups),
    guards,
  }
  const running = loss.build(tape.backend)
  const input = new LossInput(tape, similarity, batch)
  return { running, input, ...running.compute(input, new Rng(7, 'negatives')) }
}

const norm = (values: ArrayLike<number>): number => Math.hypot(...Array.from(values))

export const lossCases: readonly LossCase[] = [
  {
    name: 'has the gradient of its value',
    run(loss, similarity) {
      const both = sides(referenceBackend({ precision: 'float64' }), 4)
      const parameters = new Map([
        ['audio', both.audio],
        ['text', both.text],
      ])
      const { worst } = gradcheck(
        parameters,
        (tape) => compute(tape, loss, similarity, both, [0, 1, 0, 2]).loss,
      )
      assert.ok(worst !== null && worst.error < 1e-5, `worst: ${JSON.stringify(worst)}`)
    },
  },
  {
    name: 'reports its value, finite and not negative, among finite statistics',
    run(loss, similarity) {
      using tape = new Tape(referenceBackend())
      const output = compute(tape, loss, similarity, sides(tape.backend, 5), [0, 1, 2, 3, 4])
      assert.deepEqual(output.loss.shape, [1])
      const statistics = output.statistics()
      assert.equal(statistics['loss'], output.loss.item())
      for (const [name, value] of Object.entries(statistics))
        assert.ok(Number.isFinite(value), `${name} is ${value}`)
      assert.ok(output.loss.item() >= 0)
    },
  },
  {
    name: 'is 0 without gradient when the whole batch is one clip',
    relative: true,
    run(loss, similarity) {
      const both = sides(referenceBackend(), 3)
      using tape = new Tape(both.audio.backend, { training: true })
      const output = compute(tape, loss, similarity, both, [4, 4, 4])
      assert.ok(Math.abs(output.loss.item()) < 1e-6, `loss ${output.loss.item()}`)
      tape.backward(output.loss)
      for (const side of [both.audio, both.text]) assert.ok(norm(tape.gradientOf(side) ?? [0]) < 1e-6)
    },
  },
  {
    name: 'takes a batch of one pair',
    relative: true,
    run(loss, similarity) {
      using tape = new Tape(referenceBackend())
      const { loss: value } = compute(tape, loss, similarity, sides(tape.backend, 1), [0])
      assert.ok(Math.abs(value.item()) < 1e-6)
    },
  },
  {
    name: 'has the stated value when all scores are equal',
    run(loss, similarity) {
      const backend = referenceBackend()
      const n = 5
      const same = (steps: number) =>
        Parameter.from(backend, [n, steps, d], new Float32Array(n * steps * d).fill(0.5))
      using tape = new Tape(backend)
      const output = compute(
        tape,
        loss,
        similarity,
        { audio: same(frames), text: same(words), n },
        [0, 1, 2, 3, 4],
      )
      const stated = loss.valueOfEqualScores(n)
      if (stated !== null) assert.ok(Math.abs(output.loss.item() - stated) < 1e-5, `${output.loss.item()}`)
    },
  },
  {
    name: 'repeats itself bit for bit',
    run(loss, similarity) {
      const [first, second] = [1, 2].map(() => {
        const both = sides(referenceBackend(), 6)
        using tape = new Tape(both.audio.backend, { training: true })
        const { loss: value } = compute(tape, loss, similarity, both, [0, 1, 2, 2, 3, 4])
        const before = value.item()
        tape.backward(value)
        return [before, ...tape.gradientOf(both.audio)!, ...tape.gradientOf(both.text)!]
      })
      assert.deepEqual(first, second)
    },
  },
  {
    name: 'keeps to guards: an item barred from all others costs what it costs alone, and the others what they cost without it',
    run(loss, similarity) {
      const backend = referenceBackend()
      const groups = [0, 1, 2, 2, 3]
      const { audio, text } = sides(backend, groups.length)
      const part = (side: Parameter, from: number, to: number): Parameter => {
        const [, steps] = side.shape as [number, number, number]
        const values = side.toArray().subarray(from * steps * d, to * steps * d)
        return Parameter.from(backend, [to - from, steps, d], values)
      }
      const costOf = (from: number, to: number, guards: readonly Guard[] = []): number => {
        using tape = new Tape(backend)
        const n = to - from
        const batch = { audio: part(audio, from, to), text: part(text, from, to), n }
        return n * compute(tape, loss, similarity, batch, groups.slice(from, to), guards).loss.item()
      }
      const barLast: Guard = {
        name: 'last item',
        pairs: ({ items }) => items.flatMap((_, i) => [[i, 4] as const, [4, i] as const]),
      }
      const [barred, without] = [costOf(0, 5, [barLast]), costOf(0, 4) + costOf(4, 5)]
      assert.ok(Math.abs(barred - without) < 1e-5, `${barred} instead of ${without}`)
      assert.ok(
        Math.abs(costOf(0, 5) - without) > 1e-3,
        'the last item makes no difference without the guard',
      )
    },
  },
]
