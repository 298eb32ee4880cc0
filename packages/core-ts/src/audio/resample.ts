import { openBackend } from '../backend/open.js'
import type { Backend, FloatBuffer } from '../backend/port.js'
import { throwIfAborted } from '../base/abort.js'
import { expected } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import type { ResampleFilter } from './kaiser-filter.js'
import {
  checkRates,
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
  /**
   * Where the result goes: an array of its length that is used again, so that no memory is taken for it (new pages cost up to a fifth of the
   * time). Default: a new one. It must not share memory with the samples.
   */
  out?: Float32Array
  /** Default: what openBackend() gives. */
  backend?: Backend
  signal?: AbortSignal
}

/** Filters are kept: a data set has few pairs of rates and many clips. */
const filters = new Map<string, ResampleStages>()
const KEPT = 8

export function stagesFor(from: number, to: number, quality: ResampleQualityName): ResampleStages {
  checkRates(from, to, quality) // before the key: '12000' and 12000 make the same
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
  const { quality = 'high', backend = openBackend(), signal, out: into } = checkOptions(options, 'resample')
  if (!(samples instanceof Float32Array)) throw expected('a Float32Array', 'samples', samples)
  throwIfAborted(signal)
  const { first, last } = stagesFor(from, to, quality)
  const length = resampledLength(samples.length, from, to)
  checkTarget(into, length, samples)
  if (from === to && into === undefined) return samples
  using staging = new Staging(backend)
  const call = (pcm: FloatBuffer, { taps, up, down, width }: ResampleFilter, out: FloatBuffer) => {
    return { pcm, taps: staging.input(taps), out, up, down, width }
  }
  const run = (...[pcm, filter, out]: Parameters<typeof call>) => {
    return backend.runAsync('resample', call(pcm, filter, out), signal === undefined ? {} : { signal })
  }
  if (from === to) {
    into!.set(samples)
    return into!
  }
  if (first === undefined) {
    const out = staging.output(length, into)
    await run(staging.input(samples), last, out)
    return staging.take(out, into)
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
    // Outputs before the first sample hear the length of the filter at most: the samples themselves are read where they lie. These
    // few are made at once, since to be told of them by a promise would take longer.
    const beginning = staging.padded(samples.subarray(0, first.width), before * first.down)
    backend.run('resample', call(beginning, first, ahead))
    await run(staging.input(samples), first, onwards)
  }
  const unheard = periods * last.up
  const out = into === undefined ? staging.output(unheard + length) : staging.scratch(unheard + length)
  await run(between, last, out)
  const all = staging.take(out).subarray(unheard)
  if (into === undefined) return all
  into.set(all)
  return into
}

function checkTarget(out: Float32Array | undefined, length: number, samples: Float32Array): void {
  if (out === undefined) return
  if (!(out instanceof Float32Array) || out.length !== length)
    throw expected(`a Float32Array of the ${length} samples that come out`, 'out', out)
  if ((out.buffer as ArrayBuffer).resizable)
    throw expected('memory that cannot be resized', 'out', 'a resizable buffer')
  if (out.buffer === samples.buffer) throw expected('memory of its own', 'out', 'that of the samples')
}
