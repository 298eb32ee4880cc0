import { expected } from '../../base/errors.js'
import type { Tape } from '../tape.js'
import type { Tensor } from '../tensor.js'
import { axes } from './shapes.js'

/** Linear interpolation of [n, l, c] over time to [n, t, c], corners not aligned (PyTorch's `align_corners=False`). */
export function interpolate(tape: Tape, x: Tensor, t: number): Tensor {
  const [n, l, c] = axes('x of interpolate', x, 'n', 'l', 'c')
  if (!Number.isSafeInteger(t) || t < 0) throw expected('an integer of 0 or more', 't of interpolate', t)
  const sizes = { n, l, t, c }
  const out = tape.result([n, t, c], [x])
  tape.backend.run('interpolate', { x: x.buffer, out: out.buffer, ...sizes })
  tape.record(out, (gradOut) => {
    const gradX = tape.alloc(x.size)
    tape.backend.run('interpolate_backward', { gradOut, gradX, ...sizes })
    tape.accumulate(x, gradX)
  })
  return out
}
