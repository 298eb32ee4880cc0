import type { Tape } from '../tape.js'
import type { Tensor } from '../tensor.js'
import { assertShape } from './shapes.js'

export interface AddOptions {
  /** Factor of `a`. Default 1. */
  alpha?: number
  /** Factor of `b`. Default 1. */
  beta?: number
}

/** alpha·a + beta·b of two tensors of one shape. */
export function add(tape: Tape, a: Tensor, b: Tensor, { alpha = 1, beta = 1 }: AddOptions = {}): Tensor {
  assertShape('b of add', b, a.shape)
  const out = tape.result(a.shape, [a, b])
  tape.backend.run('add', { a: a.buffer, b: b.buffer, out: out.buffer, alpha, beta })
  tape.record(out, (gradOut) => {
    for (const [input, factor] of [
      [a, alpha],
      [b, beta],
    ] as const) {
      if (factor === 1) {
        tape.accumulate(input, gradOut)
        continue
      }
      const gradient = tape.gradientFor(input)
      if (gradient !== null) tape.backend.run('scale', { x: gradOut, out: gradient, factor })
      tape.accumulate(input, gradient)
    }
  })
  return out
}
