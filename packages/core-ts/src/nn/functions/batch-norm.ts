import { expected } from '../../base/errors.js'
import type { Tape } from '../tape.js'
import type { Tensor } from '../tensor.js'
import type { BatchNormOptions, BatchNormState } from './batch-norm-state.js'
import { batchNormAcross } from './batch-norm-across.js'
import { assertShape, rowsOf } from './shapes.js'

/**
 * Normalises every channel of [..., c] over all other axes to mean 0 and variance 1, then gamma·x + beta. Batch variance is
 * biased, the running variance takes the unbiased one (PyTorch's definition; Ioffe & Szegedy 2015, arXiv 1502.03167).
 * Training needs two rows or more. Where
 * the tape's batch is divided among ranks, training takes the statistics of the rows of all of them.
 */
export function batchNorm(
  tape: Tape,
  x: Tensor,
  state: BatchNormState,
  options: BatchNormOptions = {},
): Tensor {
  const { eps = 1e-5, momentum = 0.1, training = tape.training } = options
  const { rows, cols: c } = rowsOf('x of batchNorm', x)
  const { gamma, beta, runningMean, runningVar } = state
  for (const [name, tensor] of Object.entries({ gamma, beta, runningMean, runningVar })) {
    assertShape(`${name} of batchNorm`, tensor, [c])
  }
  if (training && tape.comm !== null) {
    return batchNormAcross(tape, tape.comm, x, state, { rows, c, eps, momentum })
  }
  if (training && rows < 2) throw expected('2 or more rows to take statistics over', 'x of batchNorm', rows)
  const sizes = { rows, c, training: training ? 1 : 0 }
  const savedMean = tape.alloc(c)
  const savedInvStd = tape.alloc(c)
  const out = tape.result(x.shape, [x, gamma, beta])
  tape.backend.run('batch_norm', {
    x: x.buffer,
    gamma: gamma.buffer,
    beta: beta.buffer,
    runningMean: training ? tape.changing(runningMean) : runningMean.buffer,
    runningVar: training ? tape.changing(runningVar) : runningVar.buffer,
    out: out.buffer,
    savedMean,
    savedInvStd,
    ...sizes,
    eps,
    momentum,
  })
  tape.record(out, (gradOut) => {
    const gradX = tape.gradientFor(x)
    const gradGamma = tape.alloc(c)
    const gradBeta = tape.alloc(c)
    const inputs = { x: x.buffer, gamma: gamma.buffer, savedMean, savedInvStd, gradOut }
    tape.backend.run('batch_norm_backward', { ...inputs, gradX, gradGamma, gradBeta, ...sizes })
    tape.release(savedMean)
    tape.release(savedInvStd)
    tape.accumulate(x, gradX)
    tape.accumulate(gamma, gradGamma)
    tape.accumulate(beta, gradBeta)
  })
  return out
}
