import type { HostArgs } from './host.js'

export function maskedMax({ x, lengths, out, n, t, c }: HostArgs<'masked_max'>): void {
  for (let i = 0; i < n; i++) {
    for (let ch = 0; ch < c; ch++) {
      const length = lengths[i]!
      out[i * c + ch] =
        length === 0 ? 0 : x[(i * t + stepOfMax(x.subarray(i * t * c), length, c, ch)) * c + ch]!
    }
  }
}

export function maskedMaxBackward(args: HostArgs<'masked_max_backward'>): void {
  const { x, lengths, gradOut, gradX, n, t, c } = args
  gradX.fill(0)
  for (let i = 0; i < n; i++) {
    for (let ch = 0; ch < c; ch++) {
      const step = stepOfMax(x.subarray(i * t * c), lengths[i]!, c, ch)
      if (step >= 0) gradX[(i * t + step) * c + ch] = gradOut[i * c + ch]!
    }
  }
}

/** The first step that has the maximum, or a NaN; -1 of none. */
function stepOfMax(x: ArrayLike<number>, length: number, c: number, channel: number): number {
  let best = length > 0 ? 0 : -1
  for (let step = 0; step < length; step++) {
    const value = x[step * c + channel]!
    if (Number.isNaN(value)) return step
    if (value > x[best * c + channel]!) best = step
  }
  return best
}
