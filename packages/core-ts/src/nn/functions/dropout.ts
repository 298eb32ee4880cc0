import { checkNumber } from '../../backend/check.js'
import type { FloatBuffer } from '../../backend/port.js'
import type { OpArgs } from '../../backend/ops.js'
import { expected } from '../../base/errors.js'
import type { RowShare } from '../row-share.js'
import type { Tape } from '../tape.js'
import type { Tensor } from '../tensor.js'
import { ownRows } from './own-rows.js'

/**
 * In training sets each element to 0 with probability `rate` and divides the others by 1 - rate; else returns x itself.
 * Each call takes four words of the tape's stream, so a stream at the same position gives the same mask on every backend.
 * Rows of a batch that is divided among ranks get the mask they have in the whole.
 */
export function dropout(tape: Tape, x: Tensor, rate: number): Tensor {
  checkNumber('dropout', 'rate', rate, 'rate of dropout')
  if (!tape.training || rate === 0) return x
  const { rng } = tape
  const mask = {
    seedLow: rng.uint32(),
    seedHigh: rng.uint32(),
    offsetLow: rng.uint32(),
    offsetHigh: rng.uint32(),
    rate,
  }
  const factors = tape.share === null ? null : factorsOf(tape, x, tape.share, mask)
  const masked = (values: FloatBuffer, out: FloatBuffer): void => {
    if (factors === null) tape.backend.run('dropout', { x: values, out, ...mask })
    else tape.backend.run('multiply', { a: values, b: factors, out })
  }
  const out = tape.result(x.shape, [x])
  masked(x.buffer, out.buffer)
  tape.record(out, (gradOut) => {
    const gradX = tape.alloc(x.size)
    masked(gradOut, gradX)
    tape.accumulate(x, gradX)
  })
  return out
}

/** What dropout multiplies the rows of a share by: the mask of the whole batch is drawn, and theirs taken out of it. */
function factorsOf(
  tape: Tape,
  x: Tensor,
  share: RowShare,
  mask: Omit<OpArgs['dropout'], 'x' | 'out'>,
): FloatBuffer {
  const width = x.size / share.count
  if (!Number.isInteger(width))
    throw expected(`a multiple of ${share.count} numbers, the rows of this rank`, 'x of dropout', x.size)
  const whole = tape.alloc(share.total * width)
  tape.backend.memory.fill(whole, 1)
  tape.backend.run('dropout', { x: whole, out: whole, ...mask })
  const own = ownRows(tape, whole, share, width)
  tape.release(whole)
  return own
}
