import { describe, expect, test } from 'vitest'
import type { Backend, FloatBuffer } from '../backend/port.js'
import { referenceBackend } from '../backend/reference/index.js'
import { add, dropout, matmul, reshape, scale, tripletFromPicks } from './functions/index.js'
import { Tape } from './tape.js'
import { Parameter, type Tensor } from './tensor.js'

const backend = referenceBackend()
const training = { training: true }

/** Sum of all elements as a one-element tensor. */
function total(tape: Tape, x: Tensor): Tensor {
  const ones = tape.constant([x.size, 1], new Float32Array(x.size).fill(1))
  return matmul(tape, reshape(tape, x, [1, x.size]), ones)
}

/** A reference backend that knows how many elements are alive and fills what is given back with NaN. */
function counting(): Backend & { live(): number; peak(): number } {
  const inner = referenceBackend()
  const alive = new Set<FloatBuffer>()
  let peak = 0
  const size = (): number => [...alive].reduce((sum, { length }) => sum + length, 0)
  const memory = {
    ...inner.memory,
    alloc(length: number): FloatBuffer {
      const buffer = inner.memory.alloc(length)
      inner.memory.fill(buffer, Number.NaN)
      alive.add(buffer)
      peak = Math.max(peak, size())
      return buffer
    },
    free(buffer: FloatBuffer): void {
      if (!alive.delete(buffer)) throw new Error('freed twice or never allocated')
      inner.memory.fill(buffer, Number.NaN)
    },
  }
  return { ...inner, memory, live: size, peak: () => peak }
}

describe('gradients', () => {
  test('one gradient that goes to two inputs is not shared memory', () => {
    using tape = new Tape(backend, training)
    const a = tape.variable([2], [1, 2])
    const b = tape.variable([2], [3, 4])
    const tripled = scale(tape, a, 3)
    tape.backward(total(tape, add(tape, add(tape, a, b), tripled)))
    expect([...tape.gradientOf(a)!]).toEqual([4, 4])
    expect([...tape.gradientOf(b)!]).toEqual([1, 1])
  })

  test('an entry may hand its gradient to one input twice and read it afterwards', () => {
    using tape = new Tape(backend, training)
    const a = tape.variable([1], [1])
    const b = tape.variable([1], [1])
    const out = tape.result([1], [a, b])
    tape.backend.memory.fill(out.buffer, 3)
    tape.record(out, (gradOut) => {
      tape.accumulate(a, gradOut)
      tape.accumulate(a, gradOut)
      tape.accumulate(b, gradOut)
      tape.accumulate(a, gradOut)
    })
    tape.backward(out)
    expect([...tape.gradientOf(a)!, ...tape.gradientOf(b)!]).toEqual([3, 1])
  })

  test('parameters add up over tapes until zeroGrad', () => {
    const p = Parameter.from(backend, [2], [1, 1])
    for (let step = 0; step < 2; step++) {
      using tape = new Tape(backend, training)
      tape.backward(total(tape, scale(tape, p, 5)))
    }
    expect([...(p.grad as Float32Array)]).toEqual([10, 10])
    p.zeroGrad()
    expect(p.grad).toBeNull()
  })

  test('an unused branch gets none, and neither does anything without training', () => {
    using tape = new Tape(backend, training)
    const [a, b] = [tape.variable([1], [2]), tape.variable([1], [2])]
    scale(tape, b, 2)
    tape.backward(scale(tape, a, 2))
    expect(tape.gradientOf(b)).toBeNull()
    using idle = new Tape(backend)
    const c = idle.variable([1], [2])
    expect(scale(idle, c, 2).requiresGrad).toBe(false)
  })
})

describe('a loss op', () => {
  const picks = {
    audio: { offsets: Int32Array.of(0, 1, 2), index: Int32Array.of(1, 0) },
    text: { offsets: Int32Array.of(0, 1, 2), index: Int32Array.of(1, 0) },
  }
  const scores = [0.5, 0.4, 0.3, 0.6]

  test('from the seed and through a factor gives the same gradient up to the factor', () => {
    using plain = new Tape(backend, training)
    const x = plain.variable([2, 2], scores)
    const { loss, stats } = tripletFromPicks(plain, x, picks, 0.5)
    plain.backward(loss)
    using scaled = new Tape(backend, training)
    const y = scaled.variable([2, 2], scores)
    scaled.backward(scale(scaled, tripletFromPicks(scaled, y, picks, 0.5).loss, -4))
    const expected = [...plain.gradientOf(x)!]
    expect(expected).toEqual([-1, 1, 1, -1])
    expect([...scaled.gradientOf(y)!]).toEqual(expected.map((g) => -4 * g))
    expect(stats().loss).toBe(loss.item())
    expect(stats().meanPositive).toBeCloseTo(0.55)
    expect(stats().meanNegative).toBeCloseTo(0.35)
  })
})

describe('memory', () => {
  function chain(tape: Tape, from: Tensor, length: number): Tensor[] {
    const all = [from]
    for (let k = 0; k < length; k++) all.push(scale(tape, all.at(-1)!, 1.5))
    return all
  }

  test('backward gives results back, so it needs little more than forward', () => {
    const counted = counting()
    const tape = new Tape(counted, training)
    const p = Parameter.from(counted, [100], new Float32Array(100).fill(1))
    const results = chain(tape, p, 20)
    const loss = total(tape, results.at(-1)!)
    const forward = counted.live()
    tape.backward(loss)
    expect([...(p.grad as Float32Array)]).toEqual(new Array(100).fill(Math.fround(1.5 ** 20)))
    expect(counted.peak() - forward).toBeLessThan(400)
    expect(loss.item()).toBeCloseTo(100 * 1.5 ** 20, -2)
    tape[Symbol.dispose]()
    expect(counted.live()).toBe(200)
    p.zeroGrad()
    expect(counted.live()).toBe(100)
  })

  test('a result that was given back says so; a kept one can be read', () => {
    using tape = new Tape(counting(), training)
    const [, first, second] = chain(tape, tape.variable([2], [1, 2]), 3)
    tape.keep(second!)
    tape.backward(total(tape, scale(tape, second!, 1)))
    expect([...second!.toArray()]).toEqual([2.25, 4.5])
    expect(() => first!.toArray()).toThrow(/Expected a tensor whose tape still holds it .* tape\.keep/)
    expect(() => scale(tape, first!, 1)).toThrow(/already released/)
  })

  test('a view lives as long as the tensor under it', () => {
    const counted = counting()
    using tape = new Tape(counted, training)
    const x = tape.variable([2, 3], [1, 2, 3, 4, 5, 6])
    const flat = reshape(tape, scale(tape, x, 2), [6])
    const out = reshape(tape, scale(tape, flat, 1), [3, 2])
    tape.backward(total(tape, out))
    expect([...tape.gradientOf(x)!]).toEqual([2, 2, 2, 2, 2, 2])
    expect(() => flat.toArray()).toThrow(/already released/)
  })

  test('without training, discard gives back at once', () => {
    const counted = counting()
    using tape = new Tape(counted)
    const x = tape.constant([100], new Float32Array(100))
    const y = scale(tape, x, 2)
    tape.discard(x)
    expect(counted.live()).toBe(100)
    expect(() => x.toArray()).toThrow(/already released/)
    expect(y.toArray().length).toBe(100)
    using trained = new Tape(counted, training)
    const z = trained.variable([100], new Float32Array(100))
    trained.discard(z)
    expect(z.released).toBe(false)
  })

  test('results cannot be read after the tape', () => {
    let y: Tensor
    {
      using tape = new Tape(backend)
      y = scale(tape, tape.constant([1], [1]), 2)
    }
    expect(() => y.item()).toThrow(/already released/)
  })
})

describe('misuse', () => {
  test('backward from what is no loss', () => {
    using tape = new Tape(backend, training)
    expect(() => tape.backward(tape.variable([2], [1, 2]))).toThrow('Expected one element for loss')
    expect(() => tape.backward(tape.constant([1], [1]))).toThrow(/depends on a parameter/)
    const loss = scale(tape, tape.variable([1], [1]), 1)
    tape.backward(loss)
    expect(() => tape.backward(loss)).toThrow(/has not run backward yet/)
  })

  test('a tensor of another backend', () => {
    using tape = new Tape(backend)
    using other = new Tape(referenceBackend())
    expect(() => scale(tape, other.constant([1], [1]), 2)).toThrow(/Expected a tensor of the tape's backend/)
  })

  test('values that do not fill the shape', () => {
    using tape = new Tape(backend)
    expect(() => tape.constant([2, 2], [1, 2, 3])).toThrow('Expected 4 values for shape [2,2] for values')
  })

  test('dropout without a stream', () => {
    using tape = new Tape(backend, training)
    expect(() => dropout(tape, tape.variable([1], [1]), 0.5)).toThrow('Expected a random stream (Rng)')
  })
})
