import { dot, type HostArgs, rowOf } from './host.js'

export function similarity({ a, b, out, batch, n, m, d, scale }: HostArgs<'similarity'>): void {
  for (let i = 0; i < batch; i++) {
    for (let r = 0; r < n; r++) {
      for (let c = 0; c < m; c++) {
        out[(i * n + r) * m + c] = scale * dot(rowOf(a, i * n + r, d), rowOf(b, i * m + c, d))
      }
    }
  }
}
