import { expected } from '../../base/errors.js'
import type { Tape } from '../tape.js'
import type { Tensor } from '../tensor.js'
import { assertShape, axes, show } from './shapes.js'

/** Weights of a gated recurrent unit, as PyTorch lays them out. */
export interface GruWeights {
  /** [directions, 3·hidden, in], gate rows r, z, n */
  wIh: Tensor
  /** [directions, 3·hidden, hidden] */
  wHh: Tensor
  /** [directions, 3·hidden] */
  bIh: Tensor
  /** [directions, 3·hidden] */
  bHh: Tensor
}

/**
 * One gated recurrent layer over [n, t, in], starting from zero, in PyTorch's variant:
 * n = tanh(W_in·x + b_in + r⊙(W_hn·h + b_hn)), h' = (1 - z)⊙n + z⊙h. With two directions the second reads time
 * backwards and the results stand side by side: [n, t, directions·hidden].
 */
export function gru(tape: Tape, x: Tensor, weights: GruWeights): Tensor {
  const [n, t, width] = axes('x of gru', x, 'n', 't', 'in')
  const [directions, gates] = axes('wIh of gru', weights.wIh, 'directions', '3·hidden', 'in')
  const hidden = gates / 3
  if (!Number.isInteger(hidden) || (directions !== 1 && directions !== 2)) {
    throw expected('shape [1 or 2, 3·hidden, in]', 'wIh of gru', show(weights.wIh.shape))
  }
  assertShape('wIh of gru', weights.wIh, [directions, gates, width])
  assertShape('wHh of gru', weights.wHh, [directions, gates, hidden])
  assertShape('bIh of gru', weights.bIh, [directions, gates])
  assertShape('bHh of gru', weights.bHh, [directions, gates])

  const { wIh, wHh, bIh, bHh } = weights
  const sizes = { n, t, in: width, hidden, directions }
  const matrices = { wIh: wIh.buffer, wHh: wHh.buffer, bHh: bHh.buffer }
  const saved = tape.alloc(directions * n * t * 4 * hidden)
  const out = tape.result([n, t, directions * hidden], [x, wIh, wHh, bIh, bHh])
  tape.backend.run('gru', { x: x.buffer, ...matrices, bIh: bIh.buffer, out: out.buffer, saved, ...sizes })
  if (!out.requiresGrad) tape.release(saved)
  tape.record(out, (gradOut) => {
    const gradX = tape.gradientFor(x)
    const gradients = {
      gradWIh: tape.alloc(wIh.size),
      gradWHh: tape.alloc(wHh.size),
      gradBIh: tape.alloc(bIh.size),
      gradBHh: tape.alloc(bHh.size),
    }
    const results = { out: out.buffer, saved, gradOut }
    tape.backend.run('gru_backward', { x: x.buffer, ...matrices, ...results, gradX, ...gradients, ...sizes })
    tape.release(saved)
    tape.accumulate(x, gradX)
    tape.accumulate(wIh, gradients.gradWIh)
    tape.accumulate(wHh, gradients.gradWHh)
    tape.accumulate(bIh, gradients.gradBIh)
    tape.accumulate(bHh, gradients.gradBHh)
  })
  return out
}
