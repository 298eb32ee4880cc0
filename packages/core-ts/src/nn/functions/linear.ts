import { checkNumber } from '../../backend/check.js'
import { expected } from '../../base/errors.js'
import type { FloatBuffer } from '../../backend/port.js'
import type { Tape } from '../tape.js'
import type { Tensor } from '../tensor.js'
import { gemmOf } from './matmul.js'
import { assertShape, axes, rowsOf, show } from './shapes.js'

/** Options of {@link linear}. */
export interface LinearOptions {
  /** Leaky ReLU of this slope on the result, 0 or more; 0 is ReLU. Default 1: none. */
  slope?: number
}

/** x·weightᵀ + bias along the last axis: [..., in] with weight [out, in] and bias [out] (or null) → [..., out]. */
export function linear(
  tape: Tape,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  { slope = 1 }: LinearOptions = {},
): Tensor {
  const { rows, cols, leading } = rowsOf('x of linear', x)
  const [width, depth] = axes('weight of linear', weight, 'out', 'in')
  if (depth !== cols) throw expected(`shape [out, ${cols}]`, 'weight of linear', show(weight.shape))
  if (bias !== null) assertShape('bias of linear', bias, [width])
  checkNumber('leaky_relu', 'slope', slope, 'slope of linear')

  const product = gemmOf(tape)
  const out = tape.result([...leading, width], bias === null ? [x, weight] : [x, weight, bias])
  product({
    a: x.buffer,
    b: weight.buffer,
    bias: bias?.buffer ?? null,
    out: out.buffer,
    m: rows,
    n: width,
    k: depth,
    transB: true,
    slope,
  })
  tape.record(out, (gradOut) => {
    const gradProduct = slope === 1 ? gradOut : beforeActivation(gradOut)
    const gradX = tape.gradientFor(x)
    const gradWeight = tape.gradientFor(weight)
    const gradBias = bias === null ? null : tape.gradientFor(bias)
    if (gradX !== null) product({ a: gradProduct, b: weight.buffer, out: gradX, m: rows, n: depth, k: width })
    if (gradWeight !== null) {
      product({ a: gradProduct, b: x.buffer, out: gradWeight, m: width, n: depth, k: rows, transA: true })
    }
    if (gradBias !== null) {
      const ones = tape.alloc(rows)
      tape.backend.memory.fill(ones, 1)
      product({ a: ones, b: gradProduct, out: gradBias, m: 1, n: width, k: rows })
      tape.release(ones)
    }
    if (gradProduct !== gradOut) tape.release(gradProduct)
    tape.accumulate(x, gradX)
    tape.accumulate(weight, gradWeight)
    if (bias !== null) tape.accumulate(bias, gradBias)
  })
  return out

  function beforeActivation(gradOut: FloatBuffer): FloatBuffer {
    const gradX = tape.alloc(out.size)
    tape.backend.run('leaky_relu_backward', { out: out.buffer, gradOut, gradX, slope })
    return gradX
  }
}
