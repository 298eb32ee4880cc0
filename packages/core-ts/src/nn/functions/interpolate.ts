import { checkNumber } from '../../backend/check.js'
import type { Tape } from '../tape.js'
import type { Tensor } from '../tensor.js'
import { axes } from './shapes.js'

/** Linear interpolation of [n, l, c] over time to [n, t, c], corners not aligned (PyTorch's `align_corners=False`). */
export function interpolate(tape: Tape, x: Tensor, t: number): Tensor {
  const [n, l, c] = axes('x of interpolate', x, 'n', 'l', 'c')
  checkNumber('interpolate', 't', t, 't of interpolate')
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
