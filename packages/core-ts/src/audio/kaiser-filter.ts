import { SonotextError } from '../base/errors.js'

/** Filter of a rational resampler, as the `resample` op takes it. */
export interface ResampleFilter {
  readonly up: number
  readonly down: number
  readonly width: number
  /** [up × width], phase-major. */
  readonly taps: Float32Array
}

/** What a low-pass filter is to do. */
export interface LowPass {
  /** Middle between the bands, as a share of the Nyquist frequency of the input. */
  readonly cutoff: number
  /** From the end of the pass band to the beginning of the stop band, radians a sample. */
  readonly transition: number
  /** dB. */
  readonly attenuation: number
}

/**
 * Whether it is a half-band filter where each second sample is kept: bands that mirror each other around half the Nyquist frequency, so that
 * every second tap but the middle one is zero and takes no multiplication (Mintzer, "On half-band, third-band, and Nth-band FIR filters and
 * their design", 1982).
 */
export function isHalfBand(up: number, down: number, { cutoff }: LowPass): boolean {
  return up === 1 && down === 2 && cutoff === 0.5
}

/** Most taps of a filter: 64 MiB. */
const MAX_TAPS = 2 ** 24

/** Taps of each phase that a low-pass with a Kaiser window needs, by Kaiser's formula. */
export function kaiserWidth({ transition, attenuation }: LowPass): number {
  return 2 * Math.ceil((attenuation - 7.95) / (2.285 * transition) / 2)
}

/**
 * Windowed-sinc polyphase filter with a Kaiser window (Kaiser 1974), designed in float64; every phase sums to 1, so a constant
 * stays that constant exactly.
 * @throws SonotextError UNSUPPORTED for a ratio that needs more than 2^24 taps
 */
export function kaiserFilter(up: number, down: number, lowPass: LowPass): ResampleFilter {
  const { cutoff, attenuation } = lowPass
  const width = kaiserWidth(lowPass)
  const halfWidth = width / 2
  if (up * width > MAX_TAPS) {
    throw new SonotextError('UNSUPPORTED', `Expected rates with a simpler ratio than ${up}:${down}.`, {
      remedy: 'Choose a target rate that shares a larger divisor with the source, or a lower quality.',
    })
  }
  const beta = 0.1102 * (attenuation - 8.7)
  const scale = 1 / besselI0(beta)
  const halfBand = isHalfBand(up, down, lowPass)
  const taps = new Float32Array(up * width)
  const phaseTaps = new Float64Array(width)
  for (let phase = 0; phase < up; phase++) {
    let sum = 0
    for (let k = 0; k < width; k++) {
      const t = k - (halfWidth - 1) - phase / up // input samples from the output's position
      const x = t / halfWidth
      const window = Math.abs(x) >= 1 ? 0 : besselI0(beta * Math.sqrt(1 - x * x)) * scale
      const isZero = halfBand && t !== 0 && t % 2 === 0 // but for rounding
      sum += phaseTaps[k] = isZero ? 0 : cutoff * sinc(cutoff * t) * window
    }
    for (let k = 0; k < width; k++) taps[phase * width + k] = phaseTaps[k]! / sum
  }
  return { up, down, width, taps }
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
}

/** Modified Bessel function of the first kind, order 0, by its power series. */
function besselI0(x: number): number {
  let term = 1
  let sum = 1
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= (x / (2 * k)) ** 2
    sum += term
  }
  return sum
}
