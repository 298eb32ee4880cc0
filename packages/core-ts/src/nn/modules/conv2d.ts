import type { Backend } from '../../backend/port.js'
import type { Rng } from '../../base/rng.js'
import { conv2d } from '../functions/conv2d.js'
import { kaimingNormal } from '../init.js'
import type { Module } from '../module.js'
import type { Tape } from '../tape.js'
import { Parameter, type Tensor } from '../tensor.js'

/** Options of {@link Conv2d}. */
export interface Conv2dModuleOptions {
  /** Stream for the initial weights. */
  rng: Rng
  /** [height, width], odd. Default [3, 3]. */
  kernel?: readonly [number, number]
  /** Leaky ReLU of this slope behind it, 0 or more. Default 1: none. */
  slope?: number
}

/** Convolution of [n, h, w, channelsIn] that keeps the size, without bias: weight [kh, kw, channelsIn, channelsOut]. */
export class Conv2d implements Module {
  readonly weight: Parameter
  readonly slope: number

  constructor(backend: Backend, channelsIn: number, channelsOut: number, options: Conv2dModuleOptions) {
    const { rng, kernel = [3, 3], slope = 1 } = options
    const [kh, kw] = kernel
    const shape = [kh, kw, channelsIn, channelsOut]
    this.weight = Parameter.from(backend, shape, () =>
      kaimingNormal(shape, kh * kw * channelsIn, rng.fork('weight')),
    )
    this.slope = slope
  }

  forward(tape: Tape, x: Tensor): Tensor {
    return conv2d(tape, x, this.weight, { slope: this.slope })
  }

  parameters(): Map<string, Parameter> {
    return new Map([['weight', this.weight]])
  }

  buffers(): Map<string, Tensor> {
    return new Map()
  }
}
