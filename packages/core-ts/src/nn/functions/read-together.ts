import type { HostArray } from '../../backend/port.js'
import type { Tape } from '../tape.js'
import type { Tensor } from '../tensor.js'

/**
 * The numbers of a few small tensors, one behind the other, read from the device at once: every reading of its own would wait for all
 * that runs there. Each is laid into its place of one vector by a product with rows of the unit matrix.
 */
export function readTogether(tape: Tape, tensors: readonly [Tensor, ...Tensor[]]): HostArray {
  const [first, ...rest] = tensors
  if (rest.length === 0) return first.toArray()
  const { backend } = tape
  const n = tensors.reduce((sum, { size }) => sum + size, 0)
  const all = tape.constant([n], new Float32Array(n))
  let at = 0
  for (const { buffer, size } of tensors) {
    const places = new Float32Array(size * n)
    for (let i = 0; i < size; i++) places[i * n + at + i] = 1
    const [a, b, out] = [buffer, tape.constant([size, n], places).buffer, all.buffer]
    const plain = { bias: null, transA: 0, transB: 0, alpha: 1, beta: 1, slope: 1 }
    backend.run('gemm', { a, b, out, m: 1, n, k: size, ...plain })
    at += size
  }
  return all.toArray()
}
