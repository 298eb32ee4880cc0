import type { Backend } from '../../backend/port.js'
import type { Rng } from '../../base/rng.js'
import { gru } from '../functions/gru.js'
import { uniform } from '../init.js'
import type { Module } from '../module.js'
import type { Tape } from '../tape.js'
import { Parameter, type Shape, type Tensor } from '../tensor.js'

/** Options of {@link Gru}. */
export interface GruModuleOptions {
  /** Stream for the initial weights. */
  rng: Rng
  /** 2 reads time in both directions. Default 1. */
  directions?: 1 | 2
}

/** One gated recurrent layer [n, t, inputs] → [n, t, directions·hidden]; all weights uniform in ±1/√hidden. */
export class Gru implements Module {
  readonly wIh: Parameter
  readonly wHh: Parameter
  readonly bIh: Parameter
  readonly bHh: Parameter

  constructor(backend: Backend, inputs: number, hidden: number, { rng, directions = 1 }: GruModuleOptions) {
    const drawn = (name: string, shape: Shape): Parameter =>
      Parameter.from(backend, shape, () => uniform(shape, 1 / Math.sqrt(hidden), rng.fork(name)))
    this.wIh = drawn('wIh', [directions, 3 * hidden, inputs])
    this.wHh = drawn('wHh', [directions, 3 * hidden, hidden])
    this.bIh = drawn('bIh', [directions, 3 * hidden])
    this.bHh = drawn('bHh', [directions, 3 * hidden])
  }

  forward(tape: Tape, x: Tensor): Tensor {
    return gru(tape, x, this)
  }

  parameters(): Map<string, Parameter> {
    return new Map([
      ['wIh', this.wIh],
      ['wHh', this.wHh],
      ['bIh', this.bIh],
      ['bHh', this.bHh],
    ])
  }

  buffers(): Map<string, Tensor> {
    return new Map()
  }
}
