import { expected } from '../../base/errors.js'
import type { Tape } from '../tape.js'
import { type Shape, sizeOf, type Tensor } from '../tensor.js'
import { axes, show } from './shapes.js'

/**
 * Rows of a table [vocabulary, d] for tokens arranged as `shape` (default: one axis). Result [...shape, d]. A token
 * outside the vocabulary is refused.
 */
export function embedding(
  tape: Tape,
  table: Tensor,
  tokens: Int32Array,
  shape: Shape = [tokens.length],
): Tensor {
  const [vocabulary, d] = axes('table of embedding', table, 'vocabulary', 'd')
  if (sizeOf(shape) !== tokens.length) {
    throw expected(`a shape of ${tokens.length} tokens`, 'shape of embedding', show(shape))
  }
  const sizes = { vocabulary, count: tokens.length, d }
  const out = tape.result([...shape, d], [table])
  tape.backend.run('embedding', { table: table.buffer, tokens, out: out.buffer, ...sizes })
  tape.record(out, (gradOut) => {
    const gradTable = tape.alloc(table.size)
    tape.backend.run('embedding_backward', { tokens, gradOut, gradTable, ...sizes })
    tape.accumulate(table, gradTable)
  })
  return out
}
