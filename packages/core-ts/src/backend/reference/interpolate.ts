import type { HostArgs } from './host.js'

export function interpolate({ x, out, n, l, t, c }: HostArgs<'interpolate'>): void {
  for (let i = 0; i < n; i++) {
    for (let step = 0; step < t; step++) {
      const { low, high, weight } = neighbours(step, l, t)
      for (let ch = 0; ch < c; ch++) {
        const from = x[(i * l + low) * c + ch]!
        const to = x[(i * l + high) * c + ch]!
        out[(i * t + step) * c + ch] = (1 - weight) * from + weight * to
      }
    }
  }
}

export function interpolateBackward({ gradOut, gradX, n, l, t, c }: HostArgs<'interpolate_backward'>): void {
  const sums = new Float64Array(gradX.length)
  for (let i = 0; i < n; i++) {
    for (let step = 0; step < t; step++) {
      const { low, high, weight } = neighbours(step, l, t)
      for (let ch = 0; ch < c; ch++) {
        const g = gradOut[(i * t + step) * c + ch]!
        sums[(i * l + low) * c + ch]! += (1 - weight) * g
        sums[(i * l + high) * c + ch]! += weight * g
      }
    }
  }
  gradX.set(sums)
}

function neighbours(step: number, l: number, t: number): { low: number; high: number; weight: number } {
  const source = Math.max(((step + 0.5) * l) / t - 0.5, 0)
  const low = Math.min(Math.floor(source), l - 1)
  return { low, high: Math.min(low + 1, l - 1), weight: source - low }
}
