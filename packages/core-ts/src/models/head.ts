import type { Backend } from '../backend/port.js'
import { expected } from '../base/errors.js'
import type { Rng } from '../base/rng.js'
import { Dropout, Linear, type Module, type Tape, type Tensor } from '../nn/index.js'
import type { OnnxGraph } from '../onnx/index.js'

/** A linear projection or a small perceptron behind vectors of a fixed length. */
export interface HeadOptions {
  readonly inputs: number
  /** Length of what it gives. */
  readonly dim: number
  /** Units of each hidden layer, with a ReLU behind it. */
  readonly hidden: readonly number[]
  /** Share of the input and hidden values dropped while training. */
  readonly dropout: number
}

/** Throws INVALID_ARGUMENT naming the first width that is none. */
export function checkHead({ inputs, dim, hidden }: HeadOptions): void {
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
  /** Writes it into an ONNX graph, the vectors at unit length; weights are named `<prefix>.<layer>.weight` and so on. */
  toOnnx(graph: OnnxGraph, x: string, prefix: string): string
  /** Its layers in order, by name: linear1, linear2 … */
  readonly layers: Readonly<Record<string, Linear>> & Record<string, Module>
}

export function buildHead(backend: Backend, rng: Rng, { inputs, dim, hidden, dropout }: HeadOptions): Head {
  const widths = [inputs, ...hidden, dim]
  const layers = widths.slice(1).map((width, i) => {
    const slope = i < hidden.length ? 0 : 1
    return new Linear(backend, widths[i]!, width, { rng: rng.fork(`linear${i + 1}`), slope })
  })
  const drop = new Dropout(dropout)
  return {
    layers: Object.fromEntries(layers.map((layer, i) => [`linear${i + 1}`, layer])),
    forward(tape, input) {
      let x = input
      for (const layer of layers) x = layer.forward(tape, drop.forward(tape, x))
      return x
    },
    toOnnx(graph, input, prefix) {
      let x = input
      for (const [i, layer] of layers.entries()) {
        const name = `${prefix}.linear${i + 1}`
        const weight = graph.weight(
          `${name}.weight`,
          layer.weight.shape,
          Float32Array.from(layer.weight.toArray()),
        )
        const turned = graph.node('Transpose', [weight], { attributes: { perm: [1, 0] } })
        x = graph.node('MatMul', [x, turned])
        const bias = graph.weight(
          `${name}.bias`,
          [layer.weight.shape[0]!],
          Float32Array.from(layer.bias!.toArray()),
        )
        x = graph.node('Add', [x, bias])
        if (i < hidden.length) x = graph.node('Relu', [x])
      }
      return unitOnnx(graph, x, prefix)
    },
  }
}

/** Vectors along the last axis at unit length, as l2Normalize does it. */
export function unitOnnx(graph: OnnxGraph, x: string, prefix: string): string {
  const norm = graph.node('ReduceL2', [x], { attributes: { axes: [-1], keepdims: 1 } })
  const least = graph.weight(`${prefix}.least`, [1], Float32Array.of(NORM_EPS))
  return graph.node('Div', [x, graph.node('Max', [norm, least])])
}

/** Shorter vectors are divided by it: the default of l2Normalize. */
const NORM_EPS = 1e-12
