import type { Tape } from '../tape.js'
import type { Tensor } from '../tensor.js'
import { assertShape, rowsOf } from './shapes.js'

/** Options of {@link layerNorm}. */
export interface LayerNormOptions {
  /** Added to the variance. Default 1e-5. */
  eps?: number
}

/**
 * Every row along the last axis to mean 0 and variance 1, then times gamma plus beta, both [cols] (Ba et al. 2016, arXiv
 * 1607.06450; PyTorch's LayerNorm).
 */
export function layerNorm(
  tape: Tape,
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  { eps = 1e-5 }: LayerNormOptions = {},
): Tensor {
  const { rows, cols } = rowsOf('x of layerNorm', x)
  assertShape('gamma of layerNorm', gamma, [cols])
  assertShape('beta of layerNorm', beta, [cols])
  const [mean, invStd] = [tape.alloc(rows), tape.alloc(rows)]
  const out = tape.result(x.shape, [x, gamma, beta])
  const inputs = { x: x.buffer, gamma: gamma.buffer, mean, invStd, rows, cols }
  tape.backend.run('layer_norm', { ...inputs, beta: beta.buffer, out: out.buffer, eps })
  tape.record(out, (gradOut) => {
    const gradX = tape.gradientFor(x)
    const [gradGamma, gradBeta] = [tape.alloc(cols), tape.alloc(cols)]
    tape.backend.run('layer_norm_backward', { ...inputs, gradOut, gradX, gradGamma, gradBeta })
    tape.release(mean)
    tape.release(invStd)
    tape.accumulate(x, gradX)
    tape.accumulate(gamma, gradGamma)
    tape.accumulate(beta, gradBeta)
  })
  return out
}
