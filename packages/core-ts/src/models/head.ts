import type { Backend } from '../backend/port.js'
import { expected } from '../base/errors.js'
import type { Rng } from '../base/rng.js'
import { Dropout, Linear, type Module, type Tape, type Tensor } from '../nn/index.js'

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
  }
}
