import type { HostArgs } from './host.js'

export function batchedGemm(args: HostArgs<'batched_gemm'>): void {
  const { a, b, out, batch, m, n, k, transA, transB, alpha } = args
  for (let i = 0; i < batch; i++) {
    for (let r = 0; r < m; r++) {
      for (let c = 0; c < n; c++) {
        let sum = 0
        for (let p = 0; p < k; p++) {
          const left = a[i * m * k + (transA ? p * m + r : r * k + p)]!
          sum += left * b[i * k * n + (transB ? c * k + p : p * n + c)]!
        }
        out[(i * m + r) * n + c] = alpha * sum
      }
    }
  }
}
