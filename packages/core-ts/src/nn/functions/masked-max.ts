import type { Tape } from '../tape.js'
import type { Tensor } from '../tensor.js'
import { assertLengths, axes } from './shapes.js'

/**
 * Maximum of [n, t, c] over the first `lengths[i]` steps of each row: [n, c], 0 for length 0. The gradient goes to the first step
 * that has it.
 */
export function maskedMax(tape: Tape, x: Tensor, lengths: Int32Array): Tensor {
  const [n, t, c] = axes('x of maskedMax', x, 'n', 't', 'c')
  assertLengths('lengths of maskedMax', lengths, n, t)
  const sizes = { n, t, c }
  const out = tape.result([n, c], [x])
  tape.backend.run('masked_max', { x: x.buffer, lengths, out: out.buffer, ...sizes })
  tape.record(out, (gradOut) => {
    const gradX = tape.alloc(x.size)
    const inputs = { x: x.buffer, lengths, out: out.buffer, gradOut }
    tape.backend.run('masked_max_backward', { ...inputs, gradX, ...sizes })
    tape.accumulate(x, gradX)
  })
  return out
}
