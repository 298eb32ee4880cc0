import { expected } from '../../base/errors.js'
import type { Matrix } from '../../base/matrix.js'
import type { RaggedWeights } from '../../base/ragged.js'

const largest = 2 ** 128 - 2 ** 104 // of float32, in which weights are added up

/**
 * Throws INVALID_ARGUMENT when soft targets do not fit n pairs, one is negative or not finite, or n of them could add up to more than
 * float32 holds.
 */
export function checkTargetWeights(weights: Matrix | RaggedWeights, n: number, what: string): void {
  const isDense = 'data' in weights
  if (isDense && (weights.rows !== n || weights.cols !== n))
    throw expected(`${n}×${n}`, what, `${weights.rows}×${weights.cols}`)
  if (!isDense && weights.offsets.length !== n + 1)
    throw expected(`${n + 1} offsets`, what, weights.offsets.length)
  const most = largest / Math.max(n, 1)
  for (const value of isDense ? weights.data : weights.weights) {
    if (value >= 0 && value <= most) continue
    throw value > most && value < Infinity
      ? expected(`numbers up to ${most.toExponential(1)}, of which only proportions count`, what, value)
      : expected('finite numbers of 0 or more', what, value)
  }
}
