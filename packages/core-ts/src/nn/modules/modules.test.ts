import { describe, expect, test } from 'vitest'
import { referenceBackend } from '../../backend/reference/index.js'
import { Rng } from '../../base/rng.js'
import { attention as attentionFunction } from '../functions/attention.js'
import { collect, freeModule } from '../module.js'
import { Tape } from '../tape.js'
import {
  AttentionPooling,
  BatchNorm,
  Conv2d,
  Dropout,
  Embedding,
  Gru,
  LayerNorm,
  Linear,
  MultiHeadAttention,
} from './index.js'

const backend = referenceBackend()
const stream = (): Rng => new Rng(17, 'weights')

function spread(values: ArrayLike<number>): { mean: number; deviation: number; largest: number } {
  const list = Array.from(values)
  const mean = list.reduce((sum, v) => sum + v, 0) / list.length
  const deviation = Math.sqrt(list.reduce((sum, v) => sum + (v - mean) ** 2, 0) / list.length)
  return { mean, deviation, largest: Math.max(...list.map(Math.abs)) }
}

describe('initial weights', () => {
  test('convolution and linear layer: Kaiming normal over the fan-in', () => {
    const conv = new Conv2d(backend, 32, 64, { rng: stream() })
    expect(conv.weight.shape).toEqual([3, 3, 32, 64])
    const { mean, deviation } = spread(conv.weight.toArray())
    expect(Math.abs(mean)).toBeLessThan(0.002)
    expect(deviation / Math.sqrt(2 / (9 * 32))).toBeCloseTo(1, 1.5)
    const linear = new Linear(backend, 400, 50, { rng: stream() })
    expect(spread(linear.weight.toArray()).deviation / Math.sqrt(2 / 400)).toBeCloseTo(1, 1.5)
    expect(spread(linear.bias!.toArray()).largest).toBe(0)
  })

  test('GRU: uniform within 1/√hidden, directions differ', () => {
    const gru = new Gru(backend, 20, 25, { rng: stream(), directions: 2 })
    for (const parameter of gru.parameters().values()) {
      const { deviation, largest } = spread(parameter.toArray())
      expect(largest).toBeLessThanOrEqual(0.2)
      expect(deviation).toBeGreaterThan(0.2 / Math.sqrt(3) - 0.01)
    }
    const weights = gru.wHh.toArray()
    expect(weights.slice(0, 75 * 25)).not.toEqual(weights.slice(75 * 25))
  })

  test('depend on seed and stream name alone, on every backend', () => {
    const first = new Gru(backend, 4, 3, { rng: stream() })
    const second = new Gru(referenceBackend({ precision: 'float64' }), 4, 3, { rng: stream() })
    const other = new Gru(backend, 4, 3, { rng: new Rng(17, 'others') })
    for (const [name, parameter] of first.parameters()) {
      expect([...second.parameters().get(name)!.toArray()]).toEqual([...parameter.toArray()])
      expect([...other.parameters().get(name)!.toArray()]).not.toEqual([...parameter.toArray()])
    }
  })
})

test('names and shapes under a parent', () => {
  const rng = stream()
  const children = {
    norm: new BatchNorm(backend, 3),
    conv: new Conv2d(backend, 3, 5, { rng: rng.fork('conv'), kernel: [1, 3] }),
    out: new Linear(backend, 5, 2, { rng: rng.fork('out'), bias: false }),
    drop: new Dropout(0.5),
    words: new Embedding(backend, { rows: 2, cols: 2, data: Float32Array.of(0, 0, 1, 2) }, { frozen: true }),
  }
  const shapes = (kind: 'parameters' | 'buffers') =>
    Object.fromEntries([...collect(kind, children)].map(([name, { shape }]) => [name, shape]))
  expect(shapes('parameters')).toEqual({
    'norm.gamma': [3],
    'norm.beta': [3],
    'conv.weight': [1, 3, 3, 5],
    'out.weight': [2, 5],
  })
  expect(shapes('buffers')).toEqual({
    'norm.runningMean': [3],
    'norm.runningVar': [3],
    'words.table': [2, 2],
  })
})

test('batch normalisation learns running statistics and uses them later', () => {
  const norm = new BatchNorm(backend, 2, { momentum: 0.5 })
  const x = [1, 10, 3, 30]
  {
    using tape = new Tape(backend, { training: true })
    const out = norm.forward(tape, tape.constant([2, 2], x)).toArray()
    expect([...out].map((v) => Math.round(v))).toEqual([-1, -1, 1, 1])
  }
  expect([...norm.runningMean.toArray()]).toEqual([1, 10])
  expect([...norm.runningVar.toArray()]).toEqual([1.5, 100.5])
  using tape = new Tape(backend)
  const out = norm.forward(tape, tape.constant([1, 2], [1, 10])).toArray()
  expect([...out]).toEqual([0, 0])
})

test('batch normalisation refuses one row in training', () => {
  using tape = new Tape(backend, { training: true })
  const norm = new BatchNorm(backend, 2)
  expect(() => norm.forward(tape, tape.constant([1, 2], [1, 2]))).toThrow(/Expected 2 or more rows/)
})

test('dropout: identity without training, masks from the stream with it', () => {
  const drop = new Dropout(0.25)
  using idle = new Tape(backend)
  const x = idle.constant([8], [1, 1, 1, 1, 1, 1, 1, 1])
  expect(drop.forward(idle, x)).toBe(x)

  const masked = (rng: Rng): number[] => {
    using tape = new Tape(backend, { training: true, rng })
    const ones = tape.constant([4000], new Float32Array(4000).fill(1))
    return [...drop.forward(tape, ones).toArray()]
  }
  const rng = stream()
  const before = rng.state
  const first = masked(rng)
  const second = masked(rng)
  expect(new Set(first)).toEqual(new Set([0, Math.fround(1 / 0.75)]))
  expect(first.filter((v) => v === 0).length / 4000).toBeCloseTo(0.25, 1.5)
  expect(second).not.toEqual(first)
  expect(masked(Rng.fromState(before))).toEqual(first)
  expect(() => new Dropout(1)).toThrow('Expected a number from 0 to below 1 for rate of Dropout, got 1.')
})

test('a random embedding keeps the padding at zero', () => {
  const words = Embedding.random(backend, 5, 3, stream())
  using tape = new Tape(backend)
  const out = words.forward(tape, Int32Array.of(0, 3), [1, 2])
  expect(out.shape).toEqual([1, 2, 3])
  expect([...out.toArray().slice(0, 3)]).toEqual([0, 0, 0])
  expect(
    out
      .toArray()
      .slice(3)
      .every((v) => v !== 0),
  ).toBe(true)
  expect(() => words.forward(tape, Int32Array.of(5))).toThrow(
    'Expected an integer from 0 to 4 for embedding.tokens[0], got 5.',
  )
})

test('a freed module cannot be read', () => {
  const linear = new Linear(backend, 2, 2, { rng: stream() })
  freeModule(linear)
  expect(() => linear.weight.toArray()).toThrow(/already released/)
})

describe('attention', () => {
  const precise = referenceBackend({ precision: 'float64' })
  const lengths = Int32Array.of(4, 2, 0)
  const [n, t, width] = [3, 4, 6]
  const sequence = (seed: number): Float64Array =>
    Float64Array.from({ length: n * t * width }, () => new Rng(seed++, 'sequence').normal())

  test('names and shapes', () => {
    const rng = stream()
    const shapes = Object.fromEntries(
      [
        ...collect('parameters', {
          attention: new MultiHeadAttention(backend, 6, { rng, heads: 2 }),
          pooling: new AttentionPooling(backend, 6, { rng }),
          norm: new LayerNorm(backend, 6),
        }),
      ].map(([name, { shape }]) => [name, shape]),
    )
    expect(shapes).toMatchObject({
      'attention.query.weight': [6, 6],
      'attention.out.bias': [6],
      'pooling.score.weight': [1, 6],
      'norm.gamma': [6],
      'norm.beta': [6],
    })
    expect(() => new MultiHeadAttention(backend, 6, { rng, heads: 4 })).toThrow(/a divisor of 6 for heads/)
  })

  test('what is past the length changes nothing', () => {
    const attention = new MultiHeadAttention(precise, width, { rng: stream(), heads: 3 })
    const pooling = new AttentionPooling(precise, width, { rng: stream() })
    const pooled = (values: Float64Array): number[] => {
      using tape = new Tape(precise)
      const x = tape.constant([n, t, width], values)
      return [...pooling.forward(tape, attention.forward(tape, x, lengths), lengths).toArray()]
    }
    const values = sequence(1)
    const other = values.map((value, i) =>
      Math.floor(i / width) % t < lengths[Math.floor(i / (t * width))]! ? value : 99,
    )
    expect(pooled(other)).toEqual(pooled(values))
    expect(pooled(values).slice(-width)).toEqual(new Array(width).fill(0))
    expect(pooled(values.map((value, i) => (i === 7 ? 5 : value)))).not.toEqual(pooled(values))
  })

  test('one head is the plain formula', () => {
    using tape = new Tape(precise)
    const x = tape.constant([n, t, width], sequence(5))
    const out = attentionFunction(tape, x, x, x).toArray()
    const row = (i: number, step: number) => sequenceRow(x.toArray(), (i * t + step) * width, width)
    const scores = [0, 1, 2, 3].map((key) => inner(row(1, 2), row(1, key)) / Math.sqrt(width))
    const sum = scores.reduce((total, score) => total + Math.exp(score), 0)
    for (let c = 0; c < width; c++) {
      const wanted = scores.reduce(
        (total, score, key) => total + (Math.exp(score) / sum) * row(1, key)[c]!,
        0,
      )
      expect(out[(t + 2) * width + c]).toBeCloseTo(wanted, 12)
    }
  })

  test('the rows of a layer norm have mean 0 and variance 1', () => {
    using tape = new Tape(precise)
    const x = tape.constant([n, t, width], sequence(9))
    const out = new LayerNorm(precise, width).forward(tape, x).toArray()
    const { mean, deviation } = spread(out.slice(0, width))
    expect(mean).toBeCloseTo(0, 12)
    expect(deviation).toBeCloseTo(1, 4)
  })
})

function sequenceRow(values: ArrayLike<number>, at: number, width: number): number[] {
  return Array.from(values).slice(at, at + width)
}

function inner(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0)
}
