import type { Tape } from '../tape.js'
import type { Tensor } from '../tensor.js'
import { rowsOf } from './shapes.js'

/** Options of {@link l2Normalize}. */
export interface L2NormalizeOptions {
  /** Smallest divisor, so that a zero vector stays zero. Default 1e-12. */
  eps?: number
}

/** x / max(‖x‖₂, eps) along the last axis. */
export function l2Normalize(tape: Tape, x: Tensor, { eps = 1e-12 }: L2NormalizeOptions = {}): Tensor {
  const { rows, cols } = rowsOf('x of l2Normalize', x)
  const norms = tape.alloc(rows)
  const out = tape.result(x.shape, [x])
  tape.backend.run('l2_normalize', { x: x.buffer, out: out.buffer, norms, rows, cols, eps })
  tape.record(out, (gradOut) => {
    const gradX = tape.alloc(x.size)
    tape.backend.run('l2_normalize_backward', { out: out.buffer, norms, gradOut, gradX, rows, cols, eps })
    tape.release(norms)
    tape.accumulate(x, gradX)
  })
  return out
}
