import { expected } from '../../base/errors.js'
import { dropout } from '../functions/dropout.js'
import type { Module } from '../module.js'
import type { Tape } from '../tape.js'
import type { Parameter, Tensor } from '../tensor.js'

/** Sets elements to 0 with probability `rate` while the tape trains. */
export class Dropout implements Module {
  readonly rate: number

  constructor(rate: number) {
    if (!(rate >= 0 && rate < 1)) throw expected('a number in [0, 1)', 'rate of Dropout', rate)
    this.rate = rate
  }

  forward(tape: Tape, x: Tensor): Tensor {
    return dropout(tape, x, this.rate)
  }

  parameters(): Map<string, Parameter> {
    return new Map()
  }

  buffers(): Map<string, Tensor> {
    return new Map()
  }
}
