/** Second-order sections after the Audio EQ Cookbook (R. Bristow-Johnson); every filter works in place and returns its input. */
type Kind = 'lowpass' | 'highpass' | 'bandpass'

export function lowpass(
  x: Float32Array,
  sampleRate: number,
  frequency: number,
  q = Math.SQRT1_2,
): Float32Array {
  return biquad(x, 'lowpass', sampleRate, frequency, q)
}

export function highpass(
  x: Float32Array,
  sampleRate: number,
  frequency: number,
  q = Math.SQRT1_2,
): Float32Array {
  return biquad(x, 'highpass', sampleRate, frequency, q)
}

/** Unit gain at the centre. */
export function bandpass(x: Float32Array, sampleRate: number, frequency: number, q = 1): Float32Array {
  return biquad(x, 'bandpass', sampleRate, frequency, q)
}

function biquad(x: Float32Array, kind: Kind, sampleRate: number, frequency: number, q: number): Float32Array {
  const w = 2 * Math.PI * Math.min(0.45, frequency / sampleRate)
  const cos = Math.cos(w)
  const alpha = Math.sin(w) / (2 * q)
  const a0 = 1 + alpha
  const a1 = (-2 * cos) / a0
  const a2 = (1 - alpha) / a0
  const [b0, b1, b2] = {
    lowpass: [(1 - cos) / 2, 1 - cos, (1 - cos) / 2],
    highpass: [(1 + cos) / 2, -(1 + cos), (1 + cos) / 2],
    bandpass: [alpha, 0, -alpha],
  }[kind].map((b) => b / a0) as [number, number, number]
  let s1 = 0
  let s2 = 0
  for (let i = 0; i < x.length; i++) {
    const input = x[i]!
    const output = b0 * input + s1
    s1 = b1 * input - a1 * output + s2
    s2 = b2 * input - a2 * output
    x[i] = output
  }
  return x
}

/** Band-pass of unit centre gain whose frequency follows a curve (state-variable filter, zero-delay feedback). */
export function sweptBandpass(
  x: Float32Array,
  sampleRate: number,
  frequency: Float32Array,
  q: number,
): Float32Array {
  const k = 1 / q
  let g = 0
  let s1 = 0
  let s2 = 0
  for (let i = 0; i < x.length; i++) {
    if (i % 16 === 0)
      g = Math.tan(Math.PI * Math.min(0.45, frequency[Math.min(i, frequency.length - 1)]! / sampleRate))
    const high = (x[i]! - (g + k) * s1 - s2) / (1 + g * (g + k))
    const band = g * high + s1
    const low = g * band + s2
    s1 = g * high + band
    s2 = g * band + low
    x[i] = k * band
  }
  return x
}

/** A resonance of the vocal tract: centre (Hz, fixed or a curve), bandwidth (Hz), gain. */
export interface Formant {
  readonly at: number | Float32Array
  readonly width: number
  readonly gain: number
}

/** Parallel resonances over a source: what makes a buzz a voice. */
export function formants(source: Float32Array, sampleRate: number, bank: readonly Formant[]): Float32Array {
  const out = new Float32Array(source.length)
  for (const { at, width, gain } of bank) {
    const centre = typeof at === 'number' ? at : at[at.length >> 1]!
    if (centre > 0.48 * sampleRate) continue
    const q = Math.max(0.5, centre / width)
    const band = source.slice()
    if (typeof at === 'number') bandpass(band, sampleRate, at, q)
    else sweptBandpass(band, sampleRate, at, q)
    for (let i = 0; i < out.length; i++) out[i]! += gain * band[i]!
  }
  return out
}
