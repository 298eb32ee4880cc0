import type { Tape } from '../tape.js'
import type { Tensor } from '../tensor.js'
import { reshape } from './reshape.js'
import { assertLengths, axes } from './shapes.js'

/** Mean of [n, t, c] over the first `lengths[i]` steps of each row: [n, c], 0 for length 0. */
export function maskedMean(tape: Tape, x: Tensor, lengths: Int32Array): Tensor {
  const [n, t, c] = axes('x of maskedMean', x, 'n', 't', 'c')
  assertLengths('lengths of maskedMean', lengths, n, t)
  const sizes = { n, t, c }
  const out = tape.result([n, c], [x])
  tape.backend.run('masked_mean', { x: x.buffer, lengths, out: out.buffer, ...sizes })
  tape.record(out, (gradOut) => {
    const gradX = tape.alloc(x.size)
    tape.backend.run('masked_mean_backward', { gradOut, lengths, gradX, ...sizes })
    tape.accumulate(x, gradX)
  })
  return out
}

/** Mean of all numbers, [1]: what a loss of one's own ends with. */
export function meanOfAll(tape: Tape, x: Tensor): Tensor {
  const column = reshape(tape, x, [1, x.size, 1])
  return reshape(tape, maskedMean(tape, column, Int32Array.of(x.size)), [1])
}
