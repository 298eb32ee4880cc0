import { openBackend } from '../backend/open.js'
import type { Backend, FloatBuffer } from '../backend/port.js'
import { throwIfAborted } from '../base/abort.js'
import { expected } from '../base/errors.js'
import type { ResampleFilter } from './kaiser-filter.js'
import {
  resampledLength,
  resampleStages,
  type ResampleQualityName,
  type ResampleStages,
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
const filters = new Map<string, ResampleStages>()
const KEPT = 8

export function stagesFor(from: number, to: number, quality: ResampleQualityName): ResampleStages {
  const key = `${from} ${to} ${quality}`
  const stages = filters.get(key) ?? resampleStages(from, to, quality)
  filters.delete(key)
  filters.set(key, stages)
  for (const oldest of filters.keys()) {
    if (filters.size <= KEPT) break
    filters.delete(oldest)
  }
  return stages
}

/**
 * Resamples one channel from `from` Hz to `to` Hz; the result has ⌈samples·to/from⌉ samples, aligned in time with the input
 * (linear phase, no delay), with silence assumed beyond both ends. Equal rates return the input itself.
 * @throws SonotextError INVALID_ARGUMENT for rates that are not integers from 1,000 to 768,000 Hz, UNSUPPORTED for pairs whose ratio needs
 *   more than 2^24 taps, ABORTED
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
  const { first, last } = stagesFor(from, to, quality)
  if (from === to) return samples
  using staging = new Staging(backend)
  const run = async (pcm: FloatBuffer, { taps, up, down, width }: ResampleFilter, out: FloatBuffer) => {
    const call = { pcm, taps: staging.input(taps), out, up, down, width }
    await backend.runAsync('resample', call, signal === undefined ? {} : { signal })
  }
  const length = resampledLength(samples.length, from, to)
  if (first === undefined) {
    const out = staging.output(length)
    await run(staging.input(samples), last, out)
    return staging.take(out)
  }
  // What the first filter spreads beyond both ends is part of what the last one hears. In front these are whole periods of the
  // last one, so that an output of its own lies on the first sample.
  const spread = Math.ceil(first.width / 2 / first.down)
  const periods = Math.ceil(spread / last.down)
  const before = periods * last.down
  const count = before + Math.ceil(samples.length / first.down) + spread
  const between = staging.scratch(count)
  const [ahead, onwards] = staging.split(between, before)
  if (onwards === undefined) await run(staging.padded(samples, before * first.down), first, between)
  else {
    // Outputs before the first sample hear the length of the filter at most: the samples themselves are read where they lie.
    await run(staging.padded(samples.subarray(0, first.width), before * first.down), first, ahead)
    await run(staging.input(samples), first, onwards)
  }
  const out = staging.output(periods * last.up + length)
  await run(between, last, out)
  return staging.take(out).subarray(periods * last.up)
}
