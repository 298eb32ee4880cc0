import type { Backend } from '../../backend/port.js'
import type { Rng } from '../../base/rng.js'
import { linear } from '../functions/linear.js'
import { full, kaimingNormal } from '../init.js'
import type { Module } from '../module.js'
import type { Tape } from '../tape.js'
import { Parameter, type Tensor } from '../tensor.js'

/** Options of {@link Linear}. */
export interface LinearModuleOptions {
  /** Stream for the initial weights. */
  rng: Rng
  /** Default true. */
  bias?: boolean
  /** Leaky ReLU of this slope behind it, 0 or more. Default 1: none. */
  slope?: number
}

/** x·weightᵀ + bias along the last axis: weight [outputs, inputs] Kaiming normal, bias [outputs] zero. */
export class Linear implements Module {
  readonly weight: Parameter
  readonly bias: Parameter | null
  readonly slope: number

  constructor(backend: Backend, inputs: number, outputs: number, options: LinearModuleOptions) {
    const { rng, bias = true, slope = 1 } = options
    const shape = [outputs, inputs]
    this.weight = Parameter.from(backend, shape, () => kaimingNormal(shape, inputs, rng.fork('weight')))
    this.bias = bias ? Parameter.from(backend, [outputs], () => full([outputs], 0)) : null
    this.slope = slope
  }

  forward(tape: Tape, x: Tensor): Tensor {
    return linear(tape, x, this.weight, this.bias, { slope: this.slope })
  }

  parameters(): Map<string, Parameter> {
    const all = new Map([['weight', this.weight]])
    if (this.bias !== null) all.set('bias', this.bias)
    return all
  }

  buffers(): Map<string, Tensor> {
    return new Map()
  }
}
