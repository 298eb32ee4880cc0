import type { HostArgs } from './host.js'

export function maskedMean({ x, lengths, out, n, t, c }: HostArgs<'masked_mean'>): void {
  for (let i = 0; i < n; i++) {
    const length = lengths[i]!
    for (let ch = 0; ch < c; ch++) {
      let sum = 0
      for (let step = 0; step < length; step++) sum += x[(i * t + step) * c + ch]!
      out[i * c + ch] = length === 0 ? 0 : sum / length
    }
  }
}

export function maskedMeanBackward({
  gradOut,
  lengths,
  gradX,
  n,
  t,
  c,
}: HostArgs<'masked_mean_backward'>): void {
  for (let i = 0; i < n; i++) {
    for (let step = 0; step < t; step++) {
      for (let ch = 0; ch < c; ch++) {
        gradX[(i * t + step) * c + ch] = step < lengths[i]! ? gradOut[i * c + ch]! / lengths[i]! : 0
      }
    }
  }
}
