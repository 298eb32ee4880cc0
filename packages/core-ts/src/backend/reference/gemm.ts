import type { HostArgs } from './host.js'

export function gemm({
  a,
  b,
  bias,
  out,
  m,
  n,
  k,
  transA,
  transB,
  alpha,
  beta,
  slope,
}: HostArgs<'gemm'>): void {
  const [aRow, aCol] = transA ? [1, m] : [k, 1]
  const [bRow, bCol] = transB ? [1, k] : [n, 1]
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0
      for (let p = 0; p < k; p++) sum += a[i * aRow + p * aCol]! * b[p * bRow + j * bCol]!
      const at = i * n + j
      const value = alpha * sum + (beta === 0 ? 0 : beta * out[at]!) + (bias === null ? 0 : bias[j]!)
      out[at] = value > 0 || slope === 1 ? value : slope * value
    }
  }
}
