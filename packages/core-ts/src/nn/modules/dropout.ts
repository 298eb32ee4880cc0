import { checkNumber } from '../../backend/check.js'
import { dropout } from '../functions/dropout.js'
import type { Module } from '../module.js'
import type { Tape } from '../tape.js'
import type { Parameter, Tensor } from '../tensor.js'

/** Sets elements to 0 with probability `rate` while the tape trains. */
export class Dropout implements Module {
  readonly rate: number

  constructor(rate: number) {
    checkNumber('dropout', 'rate', rate, 'rate of Dropout')
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
