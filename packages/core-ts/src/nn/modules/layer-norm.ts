import type { Backend } from '../../backend/port.js'
import { layerNorm, type LayerNormOptions } from '../functions/layer-norm.js'
import { full } from '../init.js'
import type { Module } from '../module.js'
import type { Tape } from '../tape.js'
import { Parameter, type Tensor } from '../tensor.js'

/** Layer normalisation over the last axis of [..., width]; gamma starts at 1, beta at 0. */
export class LayerNorm implements Module {
  readonly gamma: Parameter
  readonly beta: Parameter
  readonly options: LayerNormOptions

  constructor(backend: Backend, width: number, options: LayerNormOptions = {}) {
    this.gamma = Parameter.from(backend, [width], () => full([width], 1))
    this.beta = Parameter.from(backend, [width], () => full([width], 0))
    this.options = options
  }

  forward(tape: Tape, x: Tensor): Tensor {
    return layerNorm(tape, x, this.gamma, this.beta, this.options)
  }

  parameters(): Map<string, Parameter> {
    return new Map([
      ['gamma', this.gamma],
      ['beta', this.beta],
    ])
  }

  buffers(): Map<string, Tensor> {
    return new Map()
  }
}
