import type { Backend } from '../../backend/port.js'
import { batchNorm } from '../functions/batch-norm.js'
import { full } from '../init.js'
import type { Module } from '../module.js'
import type { Tape } from '../tape.js'
import { Parameter, Tensor } from '../tensor.js'

/** Options of {@link BatchNorm}. */
export interface BatchNormModuleOptions {
  /** Added to the variance. Default 1e-5. */
  eps?: number
  /** Share of the new batch in the running statistics. Default 0.1. */
  momentum?: number
}

/** Batch normalisation over the last axis of [..., channels]; batch statistics while the tape trains, else running ones. */
export class BatchNorm implements Module {
  readonly gamma: Parameter
  readonly beta: Parameter
  readonly runningMean: Tensor
  readonly runningVar: Tensor
  readonly options: Required<BatchNormModuleOptions>

  constructor(
    backend: Backend,
    channels: number,
    { eps = 1e-5, momentum = 0.1 }: BatchNormModuleOptions = {},
  ) {
    const filled = (value: number): Parameter =>
      Parameter.from(backend, [channels], () => full([channels], value))
    const state = (value: number): Tensor => new Tensor(backend, [channels], filled(value).buffer)
    this.gamma = filled(1)
    this.beta = filled(0)
    this.runningMean = state(0)
    this.runningVar = state(1)
    this.options = { eps, momentum }
  }

  forward(tape: Tape, x: Tensor): Tensor {
    return batchNorm(tape, x, this, this.options)
  }

  parameters(): Map<string, Parameter> {
    return new Map([
      ['gamma', this.gamma],
      ['beta', this.beta],
    ])
  }

  buffers(): Map<string, Tensor> {
    return new Map([
      ['runningMean', this.runningMean],
      ['runningVar', this.runningVar],
    ])
  }
}
