import { expected, SonotextError } from '../base/errors.js'
import { sampleRateLimits } from './audio.js'

/**
 * How well a resampler filters. The stop band begins at the lower of the two Nyquist frequencies, so nothing folds back above
 * `attenuation`; the pass band ends at `passband` times it, and is flat to within the ripple of the same Kaiser window.
 */
export interface ResampleQuality {
  /** Share of the lower Nyquist frequency that passes unchanged. */
  readonly passband: number
  /** Least attenuation of images and aliases, dB. */
  readonly attenuation: number
}

/** Passband as a share of the lower Nyquist frequency, and attenuation in dB, of each quality. */
export const resampleQualities = {
  high: { passband: 0.93, attenuation: 120 },
  medium: { passband: 0.88, attenuation: 100 },
  fast: { passband: 0.8, attenuation: 80 },
} as const satisfies Record<string, ResampleQuality>

/** Names of the resampling qualities. */
export type ResampleQualityName = keyof typeof resampleQualities

/** Filter of a rational resampler, as the `resample` op takes it. */
export interface ResampleFilter {
  readonly up: number
  readonly down: number
  readonly width: number
  /** [up × width], phase-major. */
  readonly taps: Float32Array
}

/** Most taps of a filter: 64 MiB. */
const MAX_TAPS = 2 ** 24

/**
 * Windowed-sinc polyphase filter with a Kaiser window (Kaiser 1974), designed in float64; every phase sums to 1, so a constant
 * stays that constant exactly.
 * @throws SonotextError INVALID_ARGUMENT for rates that are not integers from 1,000 to 768,000 Hz, UNSUPPORTED for pairs whose
 *   ratio needs more than 2^24 taps
 */
export function resampleFilter(
  from: number,
  to: number,
  quality: ResampleQualityName = 'high',
): ResampleFilter {
  checkRate('from', from)
  checkRate('to', to)
  if (!Object.hasOwn(resampleQualities, quality)) {
    throw expected(`one of ${Object.keys(resampleQualities).join(', ')}`, 'quality', quality)
  }
  const { passband, attenuation } = resampleQualities[quality]
  const divisor = gcd(from, to)
  const up = to / divisor
  const down = from / divisor
  const bandwidth = Math.min(1, up / down) // lower Nyquist frequency over the input's
  const transition = Math.PI * (1 - passband) * bandwidth
  const halfWidth = Math.ceil((attenuation - 7.95) / (2.285 * transition) / 2)
  const width = 2 * halfWidth
  if (up * width > MAX_TAPS) {
    throw new SonotextError(
      'UNSUPPORTED',
      `Expected rates with a simpler ratio than ${to}:${from} Hz = ${up}:${down}.`,
      {
        remedy: 'Choose a target rate that shares a larger divisor with the source, or a lower quality.',
      },
    )
  }
  const cutoff = ((1 + passband) / 2) * bandwidth
  const beta = 0.1102 * (attenuation - 8.7)
  const scale = 1 / besselI0(beta)
  const taps = new Float32Array(up * width)
  const phaseTaps = new Float64Array(width)
  for (let phase = 0; phase < up; phase++) {
    let sum = 0
    for (let k = 0; k < width; k++) {
      const t = k - (halfWidth - 1) - phase / up // input samples from the output's position
      const x = t / halfWidth
      const window = Math.abs(x) >= 1 ? 0 : besselI0(beta * Math.sqrt(1 - x * x)) * scale
      sum += phaseTaps[k] = cutoff * sinc(cutoff * t) * window
    }
    for (let k = 0; k < width; k++) taps[phase * width + k] = phaseTaps[k]! / sum
  }
  return { up, down, width, taps }
}

/** Samples after resampling: the positions i·from/to that lie before the end of the input. */
export function resampledLength(samples: number, from: number, to: number): number {
  const divisor = gcd(from, to)
  return Math.ceil((samples * (to / divisor)) / (from / divisor))
}

function checkRate(name: string, rate: number): void {
  const { min, max } = sampleRateLimits
  if (!Number.isInteger(rate) || rate < min || rate > max)
    throw expected(`an integer from ${min} to ${max} Hz`, name, rate)
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
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
