import { expected } from '../../base/errors.js'
import type { Tape } from '../tape.js'
import type { Tensor } from '../tensor.js'
import { assertLengths, rowsOf, show } from './shapes.js'

/**
 * Softmax along the last axis. With `lengths`, one for each entry of the first axis, only the first `lengths[i]` columns of every
 * row of entry i take part, and the others are 0: attention scores [n, queries, keys] over the true keys of each clip.
 */
export function softmax(tape: Tape, x: Tensor, lengths: Int32Array | null = null): Tensor {
  const { rows: all, cols } = rowsOf('x of softmax', x)
  if (lengths !== null && x.shape.length < 2) {
    throw expected('shape [n, …, cols]', 'x of softmax with lengths', show(x.shape))
  }
  const n = lengths === null ? 1 : x.shape[0]!
  if (lengths !== null) assertLengths('lengths of softmax', lengths, n, cols)
  const sizes = { n, rows: n === 0 ? 0 : all / n, cols }
  const out = tape.result(x.shape, [x])
  tape.backend.run('softmax', { x: x.buffer, lengths, out: out.buffer, ...sizes })
  tape.record(out, (gradOut) => {
    const gradX = tape.alloc(x.size)
    tape.backend.run('softmax_backward', { lengths, out: out.buffer, gradOut, gradX, ...sizes })
    tape.accumulate(x, gradX)
  })
  return out
}
