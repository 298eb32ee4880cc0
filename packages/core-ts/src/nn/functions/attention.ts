import { expected } from '../../base/errors.js'
import type { Tape } from '../tape.js'
import type { Tensor } from '../tensor.js'
import { batchedMatmul } from './batched-matmul.js'
import { dropout } from './dropout.js'
import { swapAxes } from './layout.js'
import { reshape } from './reshape.js'
import { assertShape, axes } from './shapes.js'
import { softmax } from './softmax.js'

/** Options of {@link attention}. */
export interface AttentionOptions {
  /** Queries, keys and values are cut into so many parts of equal width. Default 1. */
  heads?: number
  /** [n] true keys of each clip; padding is not attended to. Default: all. */
  lengths?: Int32Array | null
  /** Of the attention weights, while the tape trains. Default 0. */
  dropout?: number
}

/**
 * Scaled dot-product attention (Vaswani et al. 2017, arXiv 1706.03762): softmax(Q·Kᵀ/√width)·V for each head. queries [n, q, d], keys and
 * values [n, k, d] → [n, q, d]. A clip without keys gives 0. Padding must
 * be finite: it is multiplied by 0.
 */
export function attention(
  tape: Tape,
  queries: Tensor,
  keys: Tensor,
  values: Tensor,
  { heads = 1, lengths = null, dropout: rate = 0 }: AttentionOptions = {},
): Tensor {
  const [n, q, d] = axes('queries of attention', queries, 'n', 'q', 'd')
  const [, k] = axes('keys of attention', keys, 'n', 'k', 'd')
  assertShape('keys of attention', keys, [n, k, d])
  assertShape('values of attention', values, [n, k, d])
  if (!(Number.isInteger(heads) && heads > 0 && d % heads === 0))
    throw expected(`a divisor of ${d}`, 'heads of attention', heads)
  const width = d / heads
  /** [n, steps, d] → [n·heads, steps, width] */
  const split = (x: Tensor, steps: number): Tensor =>
    reshape(tape, swapAxes(tape, reshape(tape, x, [n, steps, heads, width]), 1, 2), [n * heads, steps, width])
  const scores = batchedMatmul(tape, split(queries, q), split(keys, k), {
    transB: true,
    alpha: 1 / Math.sqrt(width),
  })
  const weights = softmax(tape, reshape(tape, scores, [n, heads * q, k]), lengths)
  const kept = reshape(tape, dropout(tape, weights, rate), [n * heads, q, k])
  const mixed = batchedMatmul(tape, kept, split(values, k))
  return reshape(tape, swapAxes(tape, reshape(tape, mixed, [n, heads, q, width]), 1, 2), [n, q, d])
}
