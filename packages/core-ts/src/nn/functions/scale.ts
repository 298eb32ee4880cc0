import type { Tape } from '../tape.js'
import type { Tensor } from '../tensor.js'

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
