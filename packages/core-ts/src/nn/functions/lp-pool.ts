import { checkNumber } from '../../backend/check.js'
import type { Tape } from '../tape.js'
import type { Tensor } from '../tensor.js'
import { axes } from './shapes.js'

/** Options of {@link lpPool}. */
export interface LpPoolOptions {
  /** Window and stride, [height, width]. */
  kernel: readonly [number, number]
  /** The power, an even one as the op lp_pool takes it. Default 4. */
  p?: number
}

/**
 * (Σ_window |x|^p)^(1/p), a sum and not a mean, over windows of [n, h, w, c] that do not overlap; rows and columns that
 * fill no window are dropped. Result [n, ⌊h/kh⌋, ⌊w/kw⌋, c], never negative; the gradient of a zero result is 0.
 */
export function lpPool(tape: Tape, x: Tensor, { kernel, p = 4 }: LpPoolOptions): Tensor {
  const [n, h, w, c] = axes('x of lpPool', x, 'n', 'h', 'w', 'c')
  const [kh, kw] = kernel
  checkNumber('lp_pool', 'kh', kh, 'kernel[0] of lpPool')
  checkNumber('lp_pool', 'kw', kw, 'kernel[1] of lpPool')
  const sizes = { n, h, w, c, kh, kw, p }
  const out = tape.result([n, Math.floor(h / kh), Math.floor(w / kw), c], [x])
  tape.backend.run('lp_pool', { x: x.buffer, out: out.buffer, ...sizes })
  tape.record(out, (gradOut) => {
    const gradX = tape.alloc(x.size)
    tape.backend.run('lp_pool_backward', { x: x.buffer, out: out.buffer, gradOut, gradX, ...sizes })
    tape.accumulate(x, gradX)
  })
  return out
}
