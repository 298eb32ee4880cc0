import { checkNumber } from '../../backend/check.js'
import type { Tape } from '../tape.js'
import type { Tensor } from '../tensor.js'

/**
 * In training sets each element to 0 with probability `rate` and divides the others by 1 - rate; else returns x itself.
 * Each call takes four words of the tape's stream, so a stream at the same position gives the same mask on every backend.
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
  const out = tape.result(x.shape, [x])
  tape.backend.run('dropout', { x: x.buffer, out: out.buffer, ...mask })
  tape.record(out, (gradOut) => {
    const gradX = tape.alloc(x.size)
    tape.backend.run('dropout', { x: gradOut, out: gradX, ...mask })
    tape.accumulate(x, gradX)
  })
  return out
}
