import { describe, expect, test } from 'vitest'
import { nativeBackend } from '../../backend/native.js'
import type { Backend } from '../../backend/port.js'
import { referenceBackend } from '../../backend/reference/index.js'
import { Rng } from '../../base/rng.js'
import { gradcheck } from '../gradcheck.js'
import { Tape } from '../tape.js'
import { Parameter, type Shape, sizeOf, type Tensor } from '../tensor.js'
import * as nn from './index.js'

const float64 = referenceBackend({ precision: 'float64' })

interface Case {
  name: string
  shapes: Record<string, Shape>
  forward: (tape: Tape, inputs: Record<string, Tensor>) => Tensor
}

const norm = { runningMean: [5], runningVar: [5] }
const ragged = { frameLengths: Int32Array.of(4, 0, 3), wordLengths: Int32Array.of(1, 3, 2) }
const picks = {
  audio: { offsets: Int32Array.of(0, 2, 3, 3, 4), index: Int32Array.of(1, 3, 0, 2) },
  text: { offsets: Int32Array.of(0, 1, 1, 3, 4), index: Int32Array.of(2, 1, 3, 0) },
}
const groups = Int32Array.of(0, 1, 0, 2)
const exclude = { offsets: Int32Array.of(0, 1, 1, 1, 2), index: Int32Array.of(3, 1) }

const cases: Case[] = [
  { name: 'add', shapes: { a: [3, 4], b: [3, 4] }, forward: (t, { a, b }) => nn.add(t, a!, b!) },
  {
    name: 'add with factors',
    shapes: { a: [3, 4], b: [3, 4] },
    forward: (t, { a, b }) => nn.add(t, a!, b!, { alpha: 0.3, beta: -2 }),
  },
  { name: 'add to itself', shapes: { a: [5] }, forward: (t, { a }) => nn.add(t, a!, a!) },
  { name: 'scale', shapes: { x: [2, 3] }, forward: (t, { x }) => nn.scale(t, x!, -1.7) },
  { name: 'multiply', shapes: { a: [3, 4], b: [3, 4] }, forward: (t, { a, b }) => nn.multiply(t, a!, b!) },
  { name: 'a square', shapes: { a: [5] }, forward: (t, { a }) => nn.multiply(t, a!, a!) },
  { name: 'gelu', shapes: { x: [3, 7] }, forward: (t, { x }) => nn.gelu(t, x!) },
  { name: 'swapAxes', shapes: { x: [2, 3, 4, 5] }, forward: (t, { x }) => nn.swapAxes(t, x!, -1, 1) },
  { name: 'swapAxes with itself', shapes: { x: [2, 3] }, forward: (t, { x }) => nn.swapAxes(t, x!, 1, 1) },
  { name: 'slice', shapes: { x: [3, 5, 2] }, forward: (t, { x }) => nn.slice(t, x!, 1, 1, 4) },
  {
    name: 'slices of one tensor',
    shapes: { x: [3, 6] },
    forward: (t, { x }) => nn.multiply(t, nn.slice(t, x!, -1, 0, 4), nn.slice(t, x!, -1, 2, 6)),
  },
  {
    name: 'concat',
    shapes: { a: [2, 3, 2], b: [2, 1, 2], c: [2, 2, 2] },
    forward: (t, { a, b, c }) => nn.concat(t, [a!, b!, c!, a!], 1),
  },
  { name: 'softmax', shapes: { x: [2, 3, 5] }, forward: (t, { x }) => nn.softmax(t, x!) },
  {
    name: 'softmax over lengths',
    shapes: { x: [3, 2, 2, 5] },
    forward: (t, { x }) => nn.softmax(t, x!, Int32Array.of(5, 0, 2)),
  },
  {
    name: 'layerNorm',
    shapes: { x: [2, 3, 5], gamma: [5], beta: [5] },
    forward: (t, { x, gamma, beta }) => nn.layerNorm(t, x!, gamma!, beta!),
  },
  {
    name: 'maskedMax',
    shapes: { x: [3, 4, 2] },
    forward: (t, { x }) => nn.maskedMax(t, x!, Int32Array.of(4, 0, 2)),
  },
  ...[false, true].flatMap((transA) =>
    [false, true].map((transB): Case => ({
      name: `batchedMatmul${transA ? ' aᵀ' : ''}${transB ? ' bᵀ' : ''}`,
      shapes: { a: transA ? [2, 4, 3] : [2, 3, 4], b: transB ? [2, 5, 4] : [2, 4, 5] },
      forward: (t, { a, b }) => nn.batchedMatmul(t, a!, b!, { transA, transB, alpha: 0.7 }),
    })),
  ),
  {
    name: 'attention of two heads over lengths',
    shapes: { q: [3, 2, 4], k: [3, 5, 4], v: [3, 5, 4] },
    forward: (t, { q, k, v }) =>
      nn.attention(t, q!, k!, v!, { heads: 2, lengths: Int32Array.of(5, 0, 2), dropout: 0.2 }),
  },
  { name: 'reshape', shapes: { x: [2, 6] }, forward: (t, { x }) => nn.reshape(t, x!, [3, 4]) },
  {
    name: 'conv2d',
    shapes: { x: [2, 4, 3, 2], weight: [3, 3, 2, 3] },
    forward: (t, { x, weight }) => nn.conv2d(t, x!, weight!),
  },
  {
    name: 'conv2d with slope, kernel 1 × 5',
    shapes: { x: [2, 2, 6, 2], weight: [1, 5, 2, 2] },
    forward: (t, { x, weight }) => nn.conv2d(t, x!, weight!, { slope: 0.1 }),
  },
  {
    name: 'batchNorm in training',
    shapes: { x: [7, 5], gamma: [5], beta: [5], ...norm },
    forward: (t, { x, ...state }) => nn.batchNorm(t, x!, state as unknown as nn.BatchNormState),
  },
  {
    name: 'batchNorm with running statistics',
    shapes: { x: [2, 3, 5], gamma: [5], beta: [5] },
    forward: (t, { x, gamma, beta }) => {
      const runningMean = t.constant([5], [0.1, 0.2, -0.3, 0.4, 0])
      const runningVar = t.constant([5], [1, 2, 0.5, 0.7, 3])
      const state = { gamma: gamma!, beta: beta!, runningMean, runningVar }
      return nn.batchNorm(t, x!, state, { training: false })
    },
  },
  { name: 'leakyRelu', shapes: { x: [11] }, forward: (t, { x }) => nn.leakyRelu(t, x!, 0.1) },
  { name: 'relu', shapes: { x: [11] }, forward: (t, { x }) => nn.relu(t, x!) },
  {
    name: 'lpPool with a dropped rest',
    shapes: { x: [2, 5, 9, 3] },
    forward: (t, { x }) => nn.lpPool(t, x!, { kernel: [2, 4] }),
  },
  { name: 'dropout', shapes: { x: [23] }, forward: (t, { x }) => nn.dropout(t, x!, 0.3) },
  {
    name: 'gru in both directions',
    shapes: { x: [2, 4, 3], wIh: [2, 15, 3], wHh: [2, 15, 5], bIh: [2, 15], bHh: [2, 15] },
    forward: (t, { x, ...weights }) => nn.gru(t, x!, weights as unknown as nn.GruWeights),
  },
  {
    name: 'gru in one direction',
    shapes: { x: [3, 3, 2], wIh: [1, 6, 2], wHh: [1, 6, 2], bIh: [1, 6], bHh: [1, 6] },
    forward: (t, { x, ...weights }) => nn.gru(t, x!, weights as unknown as nn.GruWeights),
  },
  { name: 'interpolate up', shapes: { x: [2, 3, 4] }, forward: (t, { x }) => nn.interpolate(t, x!, 10) },
  { name: 'interpolate down', shapes: { x: [2, 7, 2] }, forward: (t, { x }) => nn.interpolate(t, x!, 3) },
  { name: 'l2Normalize', shapes: { x: [4, 6] }, forward: (t, { x }) => nn.l2Normalize(t, x!) },
  {
    name: 'l2Normalize below eps',
    shapes: { x: [4, 6] },
    forward: (t, { x }) => nn.l2Normalize(t, x!, { eps: 100 }),
  },
  {
    name: 'embedding with a token twice',
    shapes: { table: [4, 3] },
    forward: (t, { table }) => nn.embedding(t, table!, Int32Array.of(2, 0, 2, 1, 1, 2), [2, 3]),
  },
  {
    name: 'infoNce of scores towards soft targets',
    shapes: { scores: [4, 4], logTemperature: [1] },
    forward: (t, { scores, logTemperature }) =>
      nn.infoNce(t, scores!, null, {
        ...{ groups, logTemperature: logTemperature!, positives: 'same-clip', exclude, hard: 0.25 },
        targets: { rows: 4, cols: 4, data: Float32Array.from({ length: 16 }, (_, i) => (i % 5) / 4) },
      }).loss,
  },
  {
    name: 'sigmoidPair',
    shapes: { audio: [4, 3], text: [4, 3], logTemperature: [1], bias: [1] },
    forward: (t, { audio, text, logTemperature, bias }) =>
      nn.sigmoidPair(t, audio!, text!, {
        ...{ groups, logTemperature: logTemperature!, bias: bias!, exclude },
      }).loss,
  },
  { name: 'meanOfAll', shapes: { x: [2, 3] }, forward: (t, { x }) => nn.meanOfAll(t, x!) },
  {
    name: 'maskedMean',
    shapes: { x: [3, 4, 2] },
    forward: (t, { x }) => nn.maskedMean(t, x!, Int32Array.of(4, 0, 1)),
  },
  {
    name: 'linear',
    shapes: { x: [2, 3, 4], weight: [5, 4], bias: [5] },
    forward: (t, { x, weight, bias }) => nn.linear(t, x!, weight!, bias!),
  },
  {
    name: 'linear with ReLU and without bias',
    shapes: { x: [6, 4], weight: [5, 4] },
    forward: (t, { x, weight }) => nn.linear(t, x!, weight!, null, { slope: 0 }),
  },
  ...[false, true].flatMap((transA) =>
    [false, true].map((transB): Case => ({
      name: `matmul ${transA ? 'aᵀ' : 'a'}·${transB ? 'bᵀ' : 'b'}`,
      shapes: { a: transA ? [3, 2] : [2, 3], b: transB ? [4, 3] : [3, 4] },
      forward: (t, { a, b }) => nn.matmul(t, a!, b!, { transA, transB, alpha: 0.7 }),
    })),
  ),
  {
    name: 'similarity',
    shapes: { a: [3, 4], b: [5, 4] },
    forward: (t, { a, b }) => nn.similarity(t, a!, b!, { scale: 1.5 }),
  },
  {
    name: 'similarity of a matrix with itself',
    shapes: { a: [3, 4] },
    forward: (t, { a }) => nn.similarity(t, a!, a!),
  },
  ...(['STSQ', 'MTSQ', 'MQST'] as const).map((reduction): Case => ({
    name: `frameScore ${reduction}`,
    shapes: { frames: [3, 4, 5], words: [3, 3, 5] },
    forward: (t, { frames, words }) => nn.frameScore(t, frames!, words!, { ...ragged, reduction }),
  })),
  {
    name: 'tripletFromPicks',
    shapes: { scores: [4, 4] },
    forward: (t, { scores }) => nn.tripletFromPicks(t, scores!, picks, 0.5).loss,
  },
  ...(['own-pair', 'same-clip'] as const).map((positives): Case => ({
    name: `infoNce, positives ${positives}`,
    shapes: { audio: [4, 5], text: [4, 5], logTemperature: [1] },
    forward: (t, { audio, text, logTemperature }) =>
      nn.infoNce(t, audio!, text!, { groups, logTemperature: logTemperature!, positives, exclude }).loss,
  })),
]

/** The case's inputs on a backend; numbers that float32 holds exactly, so that every backend sees the same. */
function inputsOn(backend: Backend, shapes: Record<string, Shape>): Map<string, Parameter> {
  const rng = new Rng(3, 'inputs')
  const drawn = (shape: Shape): Float32Array =>
    Float32Array.from({ length: sizeOf(shape) }, () => rng.normal())
  return new Map(
    Object.entries(shapes).map(([name, shape]) => [name, Parameter.from(backend, shape, drawn(shape))]),
  )
}

describe('gradients against finite differences in float64', () => {
  test.each(cases)('$name', ({ shapes, forward }) => {
    const parameters = inputsOn(float64, shapes)
    const isState = (name: string): boolean => name.startsWith('running')
    const checked = new Map([...parameters].filter(([name]) => !isState(name)))
    const report = gradcheck(checked, (tape) => forward(tape, Object.fromEntries(parameters)))
    expect(report.entries.length).toBeGreaterThan(checked.size * 3)
    expect(report.worst!.error, JSON.stringify(report.worst)).toBeLessThan(1e-6)
  })
})

/** Result, then every gradient, of the case's inner product with fixed weights. */
function trace(backend: Backend, { shapes, forward }: Case): Map<string, Float64Array> {
  const parameters = inputsOn(backend, shapes)
  using tape = new Tape(backend, { training: true, rng: new Rng(9, 'dropout') })
  const out = forward(tape, Object.fromEntries(parameters))
  const weights = tape.constant(
    [out.size, 1],
    new Rng(4, 'weights').shuffle(Array.from({ length: out.size }, (_, i) => i - 1.5)),
  )
  const traced = new Map([['result', Float64Array.from(out.toArray())]])
  tape.backward(nn.matmul(tape, nn.reshape(tape, out, [1, out.size]), weights))
  for (const [name, parameter] of parameters) {
    const gradient = tape.gradientOf(parameter)
    if (gradient !== null) traced.set(name, Float64Array.from(gradient))
  }
  return traced
}

describe.each(nativeBackends())('%s gives the values and gradients of the reference', (_, backend) => {
  test.each(cases)('$name', (testCase) => {
    const wanted = trace(float64, testCase)
    const got = trace(backend, testCase)
    expect([...got.keys()]).toEqual([...wanted.keys()])
    for (const [name, values] of wanted) {
      const largest = Math.max(1e-3, ...values.map(Math.abs))
      got.get(name)!.forEach((value, i) => {
        expect(Math.abs(value - values[i]!) / largest, `${name}[${i}] = ${value}, ${values[i]}`).toBeLessThan(
          2e-5,
        )
      })
    }
  })
})

/** The CPU, and the test device whose memory only upload and download reach. */
function nativeBackends(): [string, Backend][] {
  try {
    return (['cpu', 'sealed'] as const).map((device) => [device, nativeBackend({ device })])
  } catch (error) {
    process.stderr.write(`functions on native devices skipped: ${(error as Error).message}\n`)
    return []
  }
}
