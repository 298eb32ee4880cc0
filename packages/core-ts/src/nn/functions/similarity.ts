import { expected } from '../../base/errors.js'
import type { Tape } from '../tape.js'
import type { Tensor } from '../tensor.js'
import { gemmOf } from './matmul.js'
import { axes, show } from './shapes.js'

/** scale·a·bᵀ: inner products of every row of `a` [n, d] with every row of `b` [m, d], as [n, m]. */
export function similarity(tape: Tape, a: Tensor, b: Tensor, { scale = 1 }: { scale?: number } = {}): Tensor {
  const [n, d] = axes('a of similarity', a, 'n', 'd')
  const [m, dOfB] = axes('b of similarity', b, 'm', 'd')
  if (d !== dOfB) throw expected(`shape [m, ${d}]`, 'b of similarity', show(b.shape))
  const out = tape.result([n, m], [a, b])
  tape.backend.run('similarity', { a: a.buffer, b: b.buffer, out: out.buffer, batch: 1, n, m, d, scale })
  tape.record(out, (gradOut) => {
    const product = gemmOf(tape)
    const gradA = tape.gradientFor(a)
    const gradB = tape.gradientFor(b)
    if (gradA !== null) product({ a: gradOut, b: b.buffer, out: gradA, m: n, n: d, k: m, alpha: scale })
    if (gradB !== null)
      product({ a: gradOut, b: a.buffer, out: gradB, m, n: d, k: n, transA: true, alpha: scale })
    tape.accumulate(a, gradA)
    tape.accumulate(b, gradB)
  })
  return out
}
