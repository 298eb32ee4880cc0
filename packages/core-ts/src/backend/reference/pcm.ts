import type { HostArgs } from './host.js'

export function pcm(args: HostArgs<'pcm'>): void {
  const { out, frames, channels, width, first, rows, count } = args
  const sample = sampleOf(args)
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < frames; i++) {
      const at = i * channels + first + r * count
      let sum = 0
      for (let c = 0; c < count; c++) sum += sample((at + c) * width)
      out[r * frames + i] = count === 1 ? sample(at * width) : sum / count
    }
  }
}

/** Gives the sample that begins at a byte, as float32 holds it. */
function sampleOf({ bytes, width, floats, bigEndian }: HostArgs<'pcm'>): (at: number) => number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const little = bigEndian === 0
  if (floats === 1) return (at) => view.getFloat32(at, little)
  if (width === 2) return (at) => view.getInt16(at, little) / 2 ** 15
  if (width === 4) return (at) => Math.fround(view.getInt32(at, little) / 2 ** 31)
  const [low, high] = little ? [0, 1] : [2, 0]
  return (at) => (view.getInt16(at + high, little) * 256 + bytes[at + low]!) / 2 ** 23
}
