import { expected } from '../../base/errors.js'
import type { Tape } from '../tape.js'
import type { Tensor } from '../tensor.js'
import { axes, show } from './shapes.js'

/** Options of {@link conv2d}. */
export interface Conv2dOptions {
  /** Leaky ReLU of this slope on the result, 0 or more; 0 is ReLU. Default 1: none. */
  slope?: number
}

/**
 * Convolution of images [n, h, w, cin] with an odd-sized kernel [kh, kw, cin, cout]: stride 1, zero padding that keeps
 * the size, no bias, leaky ReLU fused in. Result [n, h, w, cout].
 */
export function conv2d(tape: Tape, x: Tensor, weight: Tensor, { slope = 1 }: Conv2dOptions = {}): Tensor {
  const [n, h, w, cin] = axes('x of conv2d', x, 'n', 'h', 'w', 'cin')
  const [kh, kw, kernelIn, cout] = axes('weight of conv2d', weight, 'kh', 'kw', 'cin', 'cout')
  if (kernelIn !== cin) throw expected(`shape [kh, kw, ${cin}, cout]`, 'weight of conv2d', show(weight.shape))
  const sizes = { n, h, w, cin, cout, kh, kw, slope }
  const out = tape.result([n, h, w, cout], [x, weight])
  tape.backend.run('conv2d', { x: x.buffer, weight: weight.buffer, out: out.buffer, ...sizes })
  tape.record(out, (gradOut) => {
    const gradX = tape.gradientFor(x)
    const gradWeight = tape.gradientFor(weight)
    const signs = slope === 1 ? null : out.buffer
    const inputs = { x: x.buffer, weight: weight.buffer, out: signs, gradOut }
    tape.backend.run('conv2d_backward', { ...inputs, gradX, gradWeight, ...sizes })
    tape.accumulate(x, gradX)
    tape.accumulate(weight, gradWeight)
  })
  return out
}
