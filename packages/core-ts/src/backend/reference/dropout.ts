import { philox } from '../../base/rng.js'
import type { HostArgs } from './host.js'

export function dropout({
  x,
  out,
  seedLow,
  seedHigh,
  offsetLow,
  offsetHigh,
  rate,
}: HostArgs<'dropout'>): void {
  const words = new Uint32Array(4)
  const keep = 1 / (1 - rate)
  for (let e = 0; e < x.length; e++) {
    const block = Math.floor(e / 4)
    if (e % 4 === 0) {
      philox(words, block >>> 0, Math.floor(block / 2 ** 32), offsetLow, offsetHigh, seedLow, seedHigh)
    }
    const uniform = (words[e % 4]! >>> 8) / 2 ** 24
    out[e] = uniform >= rate ? x[e]! * keep : 0
  }
}
