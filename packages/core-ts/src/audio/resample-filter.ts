import { expected } from '../base/errors.js'
import { sampleRateLimits } from './audio.js'
import { isHalfBand, kaiserFilter, kaiserWidth, type LowPass, type ResampleFilter } from './kaiser-filter.js'

/**
 * How well a resampler filters. The stop band begins at the lower of the two Nyquist frequencies, so nothing folds back above
 * `attenuation`; the pass band ends at `passband` times it, and is flat to within the ripple of the same Kaiser window.
 */
export interface ResampleQuality {
  /** Share of the lower Nyquist frequency that passes unchanged. */
  readonly passband: number
  /** Least attenuation of images and aliases, dB. */
  readonly attenuation: number
  /** Filters one after the other, where that takes less time. Default 1. */
  readonly stages?: 1 | 2
}

/** Passband as a share of the lower Nyquist frequency, and attenuation in dB, of each quality. */
export const resampleQualities = {
  high: { passband: 0.93, attenuation: 120 },
  staged: { passband: 0.91, attenuation: 125, stages: 2 },
  medium: { passband: 0.88, attenuation: 100 },
  fast: { passband: 0.8, attenuation: 80 },
} as const satisfies Record<string, ResampleQuality>

/** Names of the resampling qualities. */
export type ResampleQualityName = keyof typeof resampleQualities

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
  const wanted = qualityOf(from, to, quality)
  const { up, down } = ratioOf(from, to)
  return kaiserFilter(up, down, lowPassOf(wanted, Math.min(1, up / down)))
}

/** How a pair of rates is resampled: by one filter, or by a whole number first and then to the rate that is wanted. */
export interface ResampleStages {
  readonly first?: ResampleFilter
  readonly last: ResampleFilter
  /** Outputs and inputs after which everything comes again. */
  readonly up: number
  readonly down: number
  /** Inputs before an output's position, and after it, that it hangs on. */
  readonly reach: number
}

/**
 * The filters of a pair of rates. Where the quality has two stages and the rate goes down, the first keeps each n-th sample; it need only
 * keep away what would fold into the band that is left in the end, so it is short, and the other is n times as short as one filter would
 * be (Crochiere and Rabiner, "Optimum FIR digital filter implementations for decimation, interpolation, and narrow-band filtering", 1975).
 * n is what takes the fewest multiplications; where one filter takes fewer, it is one.
 * @throws SonotextError as {@link resampleFilter}
 */
export function resampleStages(from: number, to: number, quality: ResampleQualityName): ResampleStages {
  const wanted = qualityOf(from, to, quality)
  const kept = Math.min(1, to / from) // lower Nyquist frequency over the input's
  const attenuation = wanted.attenuation + 5 // so short a filter misses Kaiser's formula by up to as much
  const firstOf = (n: number): LowPass => {
    const pass = wanted.passband * kept
    const stop = 2 / n - kept // folds to where the last stage's stop band begins
    const widest = { cutoff: (pass + stop) / 2, transition: Math.PI * (stop - pass), attenuation }
    if (n !== 2) return widest
    const halfBand = { cutoff: 0.5, transition: Math.PI * (stop - kept), attenuation }
    return multiplications(halfBand, n) < multiplications(widest, n) ? halfBand : widest
  }
  let best = 1
  let least = kaiserWidth(lowPassOf(wanted, kept)) * kept
  for (let n = 2; wanted.stages === 2 && n * to < from; n++) {
    const cost = multiplications(firstOf(n), n) + kaiserWidth(lowPassOf(wanted, kept * n)) * kept
    if (cost < least) [least, best] = [cost, n]
  }
  if (best === 1) {
    const last = resampleFilter(from, to, quality)
    return { last, up: last.up, down: last.down, reach: last.width / 2 }
  }
  const { up, down } = ratioOf(from, best * to)
  const first = kaiserFilter(1, best, firstOf(best))
  const last = kaiserFilter(up, down, lowPassOf(wanted, kept * best))
  return { first, last, up, down: best * down, reach: (first.width + best * last.width) / 2 }
}

/** Of each input, in a filter that keeps each n-th. */
function multiplications(filter: LowPass, n: number): number {
  return kaiserWidth(filter) / (isHalfBand(1, n, filter) ? 2 : 1) / n
}

/** Samples after resampling: the positions i·from/to that lie before the end of the input. */
export function resampledLength(samples: number, from: number, to: number): number {
  const { up, down } = ratioOf(from, to)
  return Math.ceil((samples * up) / down)
}

function ratioOf(from: number, to: number): { up: number; down: number } {
  const divisor = gcd(from, to)
  return { up: to / divisor, down: from / divisor }
}

/** Throws INVALID_ARGUMENT for rates out of range and for a quality that is none. */
export function checkRates(from: number, to: number, quality: ResampleQualityName): void {
  checkRate('from', from)
  checkRate('to', to)
  if (typeof quality !== 'string' || !Object.hasOwn(resampleQualities, quality)) {
    throw expected(`one of ${Object.keys(resampleQualities).join(', ')}`, 'quality', quality)
  }
}

function qualityOf(from: number, to: number, quality: ResampleQualityName): ResampleQuality {
  checkRates(from, to, quality)
  return resampleQualities[quality]
}

/** @param bandwidth lower Nyquist frequency over the input's */
function lowPassOf({ passband, attenuation }: ResampleQuality, bandwidth: number): LowPass {
  return {
    cutoff: ((1 + passband) / 2) * bandwidth,
    transition: Math.PI * (1 - passband) * bandwidth,
    attenuation,
  }
}

function checkRate(name: string, rate: number): void {
  const { min, max } = sampleRateLimits
  if (!Number.isInteger(rate) || rate < min || rate > max)
    throw expected(`an integer from ${min} to ${max} Hz`, name, rate)
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}
