import type { HostArgs } from './host.js'

/** Input before the first and after the last sample counts as 0. */
export function resample({ pcm, taps, out, up, down, width }: HostArgs<'resample'>): void {
  for (let i = 0; i < out.length; i++) {
    const first = Math.floor((i * down) / up) - (width / 2 - 1)
    const phase = (i * down) % up
    let sum = 0
    for (let k = 0; k < width; k++) {
      if (first + k >= 0 && first + k < pcm.length) sum += taps[phase * width + k]! * pcm[first + k]!
    }
    out[i] = sum
  }
}
