import { checkOptions } from '@sonotext/core/base'
import { peakOf } from './synth/shapes.js'

/** A stretch in which something sounds, in seconds. */
export interface Segment {
  readonly onset: number
  readonly offset: number
}

export interface ActivityOptions {
  /** Frames this far below the loudest frame count as silence, in dB. Default 40. */
  readonly below?: number
  /** So do frames under this level, in dB relative to full scale. Default −60. */
  readonly floor?: number
  /** Shorter pauses are bridged, in seconds. Default 0.25. */
  readonly gap?: number
  /** Shorter segments are dropped, in seconds. Default 0.03. */
  readonly least?: number
}

/** Samples of a frame of level measurement: 10 ms. */
function frameLength(sampleRate: number): number {
  return Math.max(1, Math.round(0.01 * sampleRate))
}

/** Where a recording is active, from the level of 10 ms frames. Silence has no segments. */
export function activeSegments(
  samples: Float32Array,
  sampleRate: number,
  options: ActivityOptions = {},
): Segment[] {
  checkOptions(options, 'activeSegments')
  const { below = 40, floor = -60, gap = 0.25, least = 0.03 } = options
  const frame = frameLength(sampleRate)
  const levels = frameLevels(samples, frame)
  const loudest = levels.reduce((most, level) => Math.max(most, level), -Infinity)
  const threshold = Math.max(floor, loudest - below)
  const end = samples.length / sampleRate
  const segments: { onset: number; offset: number }[] = []
  for (const [i, level] of levels.entries()) {
    if (!(level > threshold)) continue
    const last = segments[segments.length - 1]
    const offset = Math.min(end, ((i + 1) * frame) / sampleRate)
    const onset = (i * frame) / sampleRate
    if (last && onset - last.offset <= gap) last.offset = offset
    else segments.push({ onset, offset })
  }
  return segments.filter(({ onset, offset }) => offset - onset >= least)
}

/**
 * Single occurrences in a recording: segments at most 20 dB below the loudest frame, each widened to where it has faded by 35 dB or the
 * next one comes near. Only those of a plausible length, and not 12 dB weaker than the loudest one, are given.
 */
export function occurrences(
  samples: Float32Array,
  sampleRate: number,
  seconds: readonly [number, number],
): Segment[] {
  const [shortest, longest] = seconds
  const gap = Math.min(0.35, Math.max(0.06, 0.12 * longest))
  const cores = activeSegments(samples, sampleRate, { below: 20, gap, least: 0 })
  const tails = activeSegments(samples, sampleRate, { below: 35, gap: 0.02, least: 0 })
  const peaks = cores.map((core) => peakLevel(samples, sampleRate, core))
  const loudest = peaks.reduce((most, peak) => Math.max(most, peak), -Infinity)
  return cores
    .map(({ onset, offset }, i) => {
      const [before, after] = [cores[i - 1]?.offset ?? 0, cores[i + 1]?.onset ?? samples.length / sampleRate]
      const reach = tails.filter((tail) => tail.offset > onset && tail.onset < offset)
      return {
        onset: Math.max(reach[0]?.onset ?? onset, onset - gap / 2, (before + onset) / 2),
        offset: Math.min(reach[reach.length - 1]?.offset ?? offset, (offset + after) / 2),
      }
    })
    .filter(({ onset, offset }, i) => {
      const length = offset - onset
      return length >= shortest && length <= longest && peaks[i]! > loudest - 12
    })
}

function frameLevels(samples: Float32Array, frame: number): Float32Array {
  return Float32Array.from({ length: Math.ceil(samples.length / frame) }, (_, i) =>
    level(samples.subarray(i * frame, (i + 1) * frame)),
  )
}

function peakLevel(samples: Float32Array, sampleRate: number, { onset, offset }: Segment): number {
  const part = samples.subarray(Math.floor(onset * sampleRate), Math.ceil(offset * sampleRate))
  const levels = frameLevels(part, frameLength(sampleRate))
  return levels.reduce((most, level) => Math.max(most, level), -Infinity)
}

/** Root mean square in dB relative to full scale; −Infinity for silence. */
export function level(samples: Float32Array): number {
  let sum = 0
  for (let i = 0; i < samples.length; i++) sum += samples[i]! ** 2
  return 10 * Math.log10(sum / samples.length)
}

/** How far the peak stands above the root mean square, in dB; 0 for silence. */
export function crest(samples: Float32Array): number {
  const peak = peakOf(samples)
  return peak > 0 ? 20 * Math.log10(peak) - level(samples) : 0
}
