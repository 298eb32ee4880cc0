import type { Tape } from '../tape.js'
import type { Tensor } from '../tensor.js'
import { assertShape } from './shapes.js'

/** Options of {@link add}. */
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

/** factor·x. */
export function scale(tape: Tape, x: Tensor, factor: number): Tensor {
  const out = tape.result(x.shape, [x])
  tape.backend.run('scale', { x: x.buffer, out: out.buffer, factor })
  tape.record(out, (gradOut) => {
    const gradX = tape.alloc(x.size)
    tape.backend.run('scale', { x: gradOut, out: gradX, factor })
    tape.accumulate(x, gradX)
  })
  return out
}

/** x where it is positive, slope·x elsewhere; slope is 0 or more. */
export function leakyRelu(tape: Tape, x: Tensor, slope: number): Tensor {
  const out = tape.result(x.shape, [x])
  tape.backend.run('leaky_relu', { x: x.buffer, out: out.buffer, slope })
  tape.record(out, (gradOut) => {
    const gradX = tape.alloc(x.size)
    tape.backend.run('leaky_relu_backward', { out: out.buffer, gradOut, gradX, slope })
    tape.accumulate(x, gradX)
  })
  return out
}

/** max(x, 0); its gradient at 0 is 0. */
export function relu(tape: Tape, x: Tensor): Tensor {
  return leakyRelu(tape, x, 0)
}

/** a·b of two tensors of one shape, element by element. */
export function multiply(tape: Tape, a: Tensor, b: Tensor): Tensor {
  assertShape('b of multiply', b, a.shape)
  const out = tape.result(a.shape, [a, b])
  tape.backend.run('multiply', { a: a.buffer, b: b.buffer, out: out.buffer })
  tape.record(out, (gradOut) => {
    for (const [input, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const gradient = tape.gradientFor(input)
      if (gradient !== null) tape.backend.run('multiply', { a: gradOut, b: other.buffer, out: gradient })
      tape.accumulate(input, gradient)
    }
  })
  return out
}

/** x·Φ(x) with the exact distribution function of the normal distribution (Hendrycks, Gimpel 2016, arXiv 1606.08415). */
export function gelu(tape: Tape, x: Tensor): Tensor {
  const out = tape.result(x.shape, [x])
  tape.backend.run('gelu', { x: x.buffer, out: out.buffer })
  tape.record(out, (gradOut) => {
    const gradX = tape.alloc(x.size)
    tape.backend.run('gelu_backward', { x: x.buffer, gradOut, gradX })
    tape.accumulate(x, gradX)
  })
  return out
}
