import { dot, type HostArgs, rowOf } from './host.js'

export function softmax({ x, lengths, out, n, rows, cols }: HostArgs<'softmax'>): void {
  for (let r = 0; r < n * rows; r++) {
    const length = lengths === null ? cols : lengths[Math.floor(r / rows)]!
    const source = rowOf(x, r, cols).subarray(0, length)
    const target = rowOf(out, r, cols).fill(0)
    let most = -Infinity
    for (const value of source) if (value > most) most = value
    let sum = 0
    for (const value of source) sum += Math.exp(value - most)
    for (let c = 0; c < length; c++) target[c] = Math.exp(source[c]! - most) / sum
  }
}

export function softmaxBackward(args: HostArgs<'softmax_backward'>): void {
  const { lengths, out, gradOut, gradX, n, rows, cols } = args
  for (let r = 0; r < n * rows; r++) {
    const length = lengths === null ? cols : lengths[Math.floor(r / rows)]!
    const y = rowOf(out, r, cols).subarray(0, length)
    const g = rowOf(gradOut, r, cols)
    const target = rowOf(gradX, r, cols).fill(0)
    const along = dot(y, g)
    for (let c = 0; c < length; c++) target[c] = y[c]! * (g[c]! - along)
  }
}
