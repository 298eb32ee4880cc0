import type { Backend } from '../backend/port.js'
import { expected } from '../base/errors.js'
import type { Rng } from '../base/rng.js'
import { BatchNorm, Dropout, LayerNorm, Linear, type Module, type Tape, type Tensor } from '../nn/index.js'
import type { OnnxGraph } from '../onnx/index.js'
import { linearOnnx, normOnnx } from './layers-onnx.js'
import type { StandardizedMap } from './start/canonical-correlations.js'

/** A linear projection or a small perceptron behind vectors of a fixed length. */
export interface HeadOptions {
  readonly inputs: number
  /** Whether each vector is first brought to mean 0 and variance 1: pretrained models give theirs at scales of their own. */
  readonly normalize?: boolean
  /** Whether each number is first brought to mean 0 and variance 1 over a batch, later over all of training (batch normalisation). */
  readonly standardize?: boolean
  /** Length of what it gives. */
  readonly dim: number
  /** Units of each hidden layer, with a ReLU behind it. */
  readonly hidden: readonly number[]
  /** Share of the input and hidden values dropped while training. */
  readonly dropout: number
  /** Whether layers add something of their own. Default true; without, a vector of zeros stays one. */
  readonly bias?: boolean
}

/** Throws INVALID_ARGUMENT naming the first width that is none, and options that exclude each other. */
export function checkHead({ inputs, dim, hidden, normalize, standardize, bias = true }: HeadOptions): void {
  if (normalize === true && standardize === true)
    throw expected('one of normalize and standardize', 'the head', 'both')
  if (!bias && (normalize === true || standardize === true)) {
    throw expected('a bias where vectors are normalised or standardised', 'the head', 'bias: false', {
      remedy: 'Their shift would make something of silence again: leave one of them out.',
    })
  }
  if (!Array.isArray(hidden)) throw expected('a list of widths', 'hidden', hidden)
  for (const [name, width] of [
    ['inputs', inputs],
    ['dim', dim],
    ...hidden.map((units) => ['hidden', units]),
  ] as const) {
    if (!(Number.isInteger(width) && (width as number) >= 1))
      throw expected('an integer above 0', String(name), width)
  }
}

export interface Head {
  forward(tape: Tape, x: Tensor): Tensor
  /** Writes it into an ONNX graph; weights are named `<prefix>.<layer>.weight` and so on. */
  toOnnx(graph: OnnxGraph, x: string, prefix: string): string
  /** Takes this map as its weights; left out where it is not one linear layer, or normalises each vector. */
  begin?(map: StandardizedMap): void
  /** Its layers in order, by name: norm where it normalises or standardises, linear1, linear2 … */
  readonly layers: Readonly<Record<string, Module>>
}

export function buildHead(backend: Backend, rng: Rng, options: HeadOptions): Head {
  const { inputs, normalize = false, standardize = false, dim, hidden, dropout, bias = true } = options
  const norm = normalize
    ? new LayerNorm(backend, inputs)
    : standardize
      ? new BatchNorm(backend, inputs)
      : null
  const widths = [inputs, ...hidden, dim]
  const layers = widths.slice(1).map((width, i) => {
    const slope = i < hidden.length ? 0 : 1
    return new Linear(backend, widths[i]!, width, { rng: rng.fork(`linear${i + 1}`), slope, bias })
  })
  const drop = new Dropout(dropout)
  return {
    layers: {
      ...(norm !== null && { norm }),
      ...Object.fromEntries(layers.map((layer, i) => [`linear${i + 1}`, layer])),
    },
    ...(layers.length === 1 &&
      bias &&
      !(norm instanceof LayerNorm) && {
        begin: (map: StandardizedMap) => beginWith(map, layers[0]!, norm as BatchNorm | null),
      }),
    forward(tape, input) {
      let x = norm === null ? input : norm.forward(tape, input)
      for (const layer of layers) x = layer.forward(tape, drop.forward(tape, x))
      return x
    },
    toOnnx(graph, input, prefix) {
      let x = norm === null ? input : normOnnx(graph, input, norm, `${prefix}.norm`)
      for (const [i, layer] of layers.entries()) {
        x = linearOnnx(graph, x, layer, `${prefix}.linear${i + 1}`)
        if (i < hidden.length) x = graph.node('Relu', [x])
      }
      return x
    },
  }
}

function beginWith({ means, scales, weight }: StandardizedMap, layer: Linear, norm: BatchNorm | null): void {
  const upload = (data: Float32Array, { backend, buffer }: Tensor) => backend.memory.upload(data, buffer)
  if (norm !== null) {
    upload(means, norm.runningMean)
    upload(
      scales.map((scale) => scale * scale),
      norm.runningVar,
    )
    upload(weight.data, layer.weight)
    return
  }
  const folded = weight.data.map((value, i) => value / scales[i % weight.cols]!)
  const bias = Float32Array.from({ length: weight.rows }, (_, k) => {
    const values = folded.subarray(k * weight.cols, (k + 1) * weight.cols)
    return -values.reduce((sum, value, i) => sum + value * means[i]!, 0)
  })
  upload(folded, layer.weight)
  upload(bias, layer.bias!)
}
