import type { HostArgs } from './host.js'

export function transpose({ x, out, outer, m, between, n, inner }: HostArgs<'transpose'>): void {
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < m; i++) {
      for (let b = 0; b < between; b++) {
        for (let j = 0; j < n; j++) {
          const from = (((o * m + i) * between + b) * n + j) * inner
          const to = (((o * n + j) * between + b) * m + i) * inner
          for (let c = 0; c < inner; c++) out[to + c] = x[from + c]!
        }
      }
    }
  }
}
