import { openBackend } from '../backend/open.js'
import type { Backend } from '../backend/port.js'
import { throwIfAborted } from '../base/abort.js'
import { expected } from '../base/errors.js'
import {
  resampledLength,
  resampleFilter,
  type ResampleFilter,
  type ResampleQualityName,
} from './resample-filter.js'
import { Staging } from './staging.js'

/** Options of {@link resample}. */
export interface ResampleOptions {
  /** See {@link resampleQualities}. Default 'high': flat up to 0.93 of the lower Nyquist frequency, aliases under -120 dB. */
  quality?: ResampleQualityName
  /** Default: what openBackend() gives. */
  backend?: Backend
  signal?: AbortSignal
}

/** Filters are kept: a data set has few pairs of rates and many clips. */
const filters = new Map<string, ResampleFilter>()
const KEPT = 8

export function filterFor(from: number, to: number, quality: ResampleQualityName): ResampleFilter {
  const key = `${from} ${to} ${quality}`
  const filter = filters.get(key) ?? resampleFilter(from, to, quality)
  filters.delete(key)
  filters.set(key, filter)
  for (const oldest of filters.keys()) {
    if (filters.size <= KEPT) break
    filters.delete(oldest)
  }
  return filter
}

/**
 * Resamples one channel from `from` Hz to `to` Hz; the result has ⌈samples·to/from⌉ samples, aligned in time with the input
 * (linear phase, no delay), with silence assumed beyond both ends. Equal rates return the input itself.
 * @throws SonotextError INVALID_ARGUMENT, UNSUPPORTED (see {@link resampleFilter}), ABORTED
 */
export async function resample(
  samples: Float32Array,
  from: number,
  to: number,
  options: ResampleOptions = {},
): Promise<Float32Array> {
  const { quality = 'high', backend = openBackend(), signal } = options
  if (!(samples instanceof Float32Array)) throw expected('a Float32Array', 'samples', samples)
  throwIfAborted(signal)
  const { up, down, width, taps } = filterFor(from, to, quality)
  if (from === to) return samples
  using staging = new Staging(backend)
  const out = staging.output(resampledLength(samples.length, from, to))
  await backend.runAsync(
    'resample',
    { pcm: staging.input(samples), taps: staging.input(taps), out, up, down, width },
    signal === undefined ? {} : { signal },
  )
  return staging.take(out)
}
