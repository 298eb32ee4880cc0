import type { FloatBuffer } from '../../backend/port.js'
import type { Tape } from '../tape.js'
import type { Tensor } from '../tensor.js'
import { gemmOf } from './matmul.js'

/** A loss op's value, which stands first in its statistics, as a one-element tensor on the same device. */
export function lossOf(tape: Tape, stats: Tensor, inputs: readonly Tensor[]): Tensor {
  const loss = tape.result([1], inputs)
  const first = { lengths: Int32Array.of(1), n: 1, t: stats.size, c: 1 }
  tape.backend.run('masked_mean', { x: stats.buffer, out: loss.buffer, ...first })
  return loss
}

/**
 * Backward of a loss whose op has already given the gradients of its inputs: they are multiplied by the incoming scalar,
 * which stays on its device; when that is the 1 that backward starts from, they are taken as they are.
 */
export function recordLoss(
  tape: Tape,
  loss: Tensor,
  gradients: readonly (readonly [Tensor, FloatBuffer])[],
): void {
  if (!loss.requiresGrad) {
    for (const [, gradient] of gradients) tape.release(gradient)
    return
  }
  tape.record(loss, (gradOut) => {
    for (const [input, gradient] of gradients) {
      if (tape.isSeed(gradOut) || !input.requiresGrad) {
        tape.accumulate(input, gradient)
        continue
      }
      const scaled = tape.alloc(input.size)
      gemmOf(tape)({ a: gradient, b: gradOut, out: scaled, m: input.size, n: 1, k: 1 })
      tape.release(gradient)
      tape.accumulate(input, scaled)
    }
  })
}
