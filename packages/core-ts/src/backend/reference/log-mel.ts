import { Fft } from './fft.js'
import type { HostArgs } from './host.js'

export function logMel(args: HostArgs<'log_mel'>): void {
  const { window, filterStart, filterOffset, filterWeights, out, nFft, hop, frames, bands, pad, power } = args
  const fft = new Fft(nFft)
  const frame = new Float64Array(nFft)
  const spectrum = new Float64Array(Math.floor(nFft / 2) + 1)
  for (let f = 0; f < frames; f++) {
    for (let i = 0; i < nFft; i++)
      frame[i] = (window[i]! + window[nFft + i]!) * sampleAt(args, f * hop - pad + i)
    const { re, im } = fft.transform(frame)
    for (let k = 0; k < spectrum.length; k++) {
      const energy = re[k]! ** 2 + im[k]! ** 2
      spectrum[k] = power === 2 ? energy : Math.sqrt(energy)
    }
    for (let b = 0; b < bands; b++) {
      let sum = 0
      for (let i = filterOffset[b]!; i < filterOffset[b + 1]!; i++) {
        sum += filterWeights[i]! * spectrum[filterStart[b]! + i - filterOffset[b]!]!
      }
      out[f * bands + b] = compress(sum, args)
    }
  }
}

/** The signal continued beyond both ends: by zeros, or mirrored once without repeating the end sample. */
function sampleAt({ pcm, padMode }: HostArgs<'log_mel'>, index: number): number {
  const { length } = pcm
  if (index >= 0 && index < length) return pcm[index]!
  if (padMode === 0) return 0
  return pcm[index < 0 ? -index : 2 * (length - 1) - index]!
}

function compress(value: number, { logKind, offset }: HostArgs<'log_mel'>): number {
  if (logKind === 1) return Math.log(value + offset)
  if (logKind === 2) return Math.log(Math.max(value, offset))
  if (logKind === 3) return 10 * Math.log10(Math.max(value, offset))
  return value
}
