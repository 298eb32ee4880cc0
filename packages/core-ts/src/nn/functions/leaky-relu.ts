import type { Tape } from '../tape.js'
import type { Tensor } from '../tensor.js'

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
