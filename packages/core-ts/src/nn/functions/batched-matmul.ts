import { expected } from '../../base/errors.js'
import type { FloatBuffer } from '../../backend/port.js'
import type { Tape } from '../tape.js'
import type { Tensor } from '../tensor.js'
import type { MatmulOptions } from './matmul.js'
import { axes, show } from './shapes.js'

/** alpha·op(a[i])·op(b[i]) for every matrix of two batches: [batch, m, k] × [batch, k, n] → [batch, m, n]. */
export function batchedMatmul(tape: Tape, a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  const { transA = false, transB = false, alpha = 1 } = options
  const [batch, aRows, aCols] = axes('a of batchedMatmul', a, 'batch', transA ? 'k' : 'm', transA ? 'm' : 'k')
  const [batchOfB, bRows, bCols] = axes(
    'b of batchedMatmul',
    b,
    'batch',
    transB ? 'n' : 'k',
    transB ? 'k' : 'n',
  )
  const [m, k] = transA ? [aCols, aRows] : [aRows, aCols]
  const [kOfB, n] = transB ? [bCols, bRows] : [bRows, bCols]
  if (batch !== batchOfB || k !== kOfB) {
    throw expected(`a batch and a shared axis that fit ${show(a.shape)}`, 'b of batchedMatmul', show(b.shape))
  }
  /** out [rows × cols] = alpha·op(x)·op(y) over `depth`. */
  const product = (
    [x, transX]: Factor,
    [y, transY]: Factor,
    out: FloatBuffer,
    [rows, cols, depth]: [number, number, number],
  ): void => {
    const flags = { transA: transX ? 1 : 0, transB: transY ? 1 : 0 }
    tape.backend.run('batched_gemm', {
      ...{ a: x, b: y, out, batch, m: rows, n: cols, k: depth, alpha, ...flags },
    })
  }
  const out = tape.result([batch, m, n], [a, b])
  product([a.buffer, transA], [b.buffer, transB], out.buffer, [m, n, k])
  tape.record(out, (gradOut) => {
    // d op(a) = G·op(b)ᵀ and d op(b) = op(a)ᵀ·G, transposed as they are stored.
    const gradA = tape.gradientFor(a)
    if (gradA !== null && transA) product([b.buffer, transB], [gradOut, true], gradA, [k, m, n])
    else if (gradA !== null) product([gradOut, false], [b.buffer, !transB], gradA, [m, k, n])
    const gradB = tape.gradientFor(b)
    if (gradB !== null && transB) product([gradOut, true], [a.buffer, transA], gradB, [n, k, m])
    else if (gradB !== null) product([a.buffer, !transA], [gradOut, false], gradB, [k, n, m])
    tape.accumulate(a, gradA)
    tape.accumulate(b, gradB)
  })
  return out
}

type Factor = readonly [buffer: FloatBuffer, transposed: boolean]
