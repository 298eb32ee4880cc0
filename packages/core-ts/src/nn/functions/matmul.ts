import { expected } from '../../base/errors.js'
import type { FloatBuffer } from '../../backend/port.js'
import type { Tape } from '../tape.js'
import type { Tensor } from '../tensor.js'
import { axes, show } from './shapes.js'

/** Options of {@link matmul}. */
export interface MatmulOptions {
  /** `a` is stored [k, m]. Default false. */
  transA?: boolean
  /** `b` is stored [n, k]. Default false. */
  transB?: boolean
  /** Factor of the product. Default 1. */
  alpha?: number
}

/** alpha·op(a)·op(b): [m, k] × [k, n] → [m, n], where op transposes when asked. */
export function matmul(tape: Tape, a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  const { transA = false, transB = false, alpha = 1 } = options
  const [aRows, aCols] = axes('a of matmul', a, transA ? 'k' : 'm', transA ? 'm' : 'k')
  const [bRows, bCols] = axes('b of matmul', b, transB ? 'n' : 'k', transB ? 'k' : 'n')
  const [m, k] = transA ? [aCols, aRows] : [aRows, aCols]
  const [kOfB, n] = transB ? [bCols, bRows] : [bRows, bCols]
  if (k !== kOfB)
    throw expected(`a shared axis of ${k} with a ${show(a.shape)}`, 'b of matmul', show(b.shape))
  const out = tape.result([m, n], [a, b])
  const product = gemmOf(tape)
  product({ a: a.buffer, b: b.buffer, out: out.buffer, m, n, k, transA, transB, alpha })
  tape.record(out, (gradOut) => {
    const gradA = tape.gradientFor(a)
    const gradB = tape.gradientFor(b)
    // With G the gradient of op(a)·op(b): d op(a) = G·op(b)ᵀ and d op(b) = op(a)ᵀ·G, transposed back as they are stored.
    if (gradA !== null && !transA) {
      product({ a: gradOut, b: b.buffer, out: gradA, m, n: k, k: n, transB: !transB, alpha })
    } else if (gradA !== null) {
      product({ a: b.buffer, b: gradOut, out: gradA, m: k, n: m, k: n, transA: transB, transB: true, alpha })
    }
    if (gradB !== null && !transB) {
      product({ a: a.buffer, b: gradOut, out: gradB, m: k, n, k: m, transA: !transA, alpha })
    } else if (gradB !== null) {
      product({ a: gradOut, b: a.buffer, out: gradB, m: n, n: k, k: m, transA: true, transB: transA, alpha })
    }
    tape.accumulate(a, gradA)
    tape.accumulate(b, gradB)
  })
  return out
}

/** The part of gemm's arguments that a caller thinks about. */
export interface Product {
  a: FloatBuffer
  b: FloatBuffer
  out: FloatBuffer
  m: number
  n: number
  k: number
  bias?: FloatBuffer | null
  transA?: boolean
  transB?: boolean
  alpha?: number
  slope?: number
}

/** gemm on the tape's backend without the arguments that are seldom needed. */
export function gemmOf(tape: Tape): (product: Product) => void {
  return ({ bias = null, transA = false, transB = false, alpha = 1, slope = 1, ...rest }) =>
    tape.backend.run('gemm', {
      ...rest,
      bias,
      transA: transA ? 1 : 0,
      transB: transB ? 1 : 0,
      alpha,
      beta: 0,
      slope,
    })
}
