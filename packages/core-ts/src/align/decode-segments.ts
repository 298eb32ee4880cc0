import { expected } from '../base/errors.js'
import { matrix } from '../base/matrix.js'
import { checkOptions } from '../base/options.js'
import { inMicroseconds } from '../segments/time-span.js'
import { activeSpans, type FrameSpan, medianFilter, spansOf } from './activity.js'
import { type PhraseCalibration, shareBelow } from './calibration.js'
import { jointDecode, type Order, type PhraseRelation } from './joint-decode.js'
import { calibratedScaling, minMaxScaling } from './scaling.js'
import type { ScoreMap } from './score-map.js'
import type { AlignedSegment } from './segment.js'

/** Options of {@link decodeSegments}. */
export interface SegmentOptions {
  /**
   * What each phrase scores in recordings without labels: by it a phrase can be found not to be there. Without it scores are scaled to
   * [0, 1] over the clip, and the best frame of every phrase counts as a match.
   */
  calibration?: readonly PhraseCalibration[]
  /** Score, on the scale from 0 to 1, from which a frame matches. Default 0.5. */
  threshold?: number
  /** A match goes on while the score is no further below the threshold than this. Default 0.1. */
  hysteresis?: number
  /** Seconds of the median filter over the scores; 0 for none. Default 0.3. */
  median?: number
  /** Shorter gaps between segments of a phrase are closed, seconds. Default 0.3. */
  maxGap?: number
  /** Shorter segments are left out, seconds. Default 0.1. */
  minLength?: number
  /** Order and overlap that the segments must keep to. Default: none. */
  relations?: readonly PhraseRelation[]
  /** What `before` means. Default begins. */
  order?: Order
}

/**
 * Segments of a map of scores [frames × phrases]: scaled, smoothed, cut by threshold and hysteresis, gaps closed, as far as the relations
 * allow, the short ones left out. A joint decode only takes away: where the segments keep to the relations already it changes nothing,
 * and where not it gives up what scores least.
 */
export function decodeSegments(
  map: ScoreMap,
  phrases: readonly string[],
  options: SegmentOptions = {},
): AlignedSegment[] {
  const { calibration, relations = [], order = 'begins' } = checkOptions(options, 'decodeSegments')
  const settings = segmentSettings(options)
  const { scores, frameStep, start, end: recordingEnd = Infinity } = map
  if (phrases.length !== scores.cols) throw expected(`${scores.cols} phrases`, 'phrases', phrases)
  if (scores.rows === 0) return []
  const frames = (seconds: number): number => Math.round(seconds / frameStep)
  const smooth = smoothedScores(map, options)
  const { threshold, hysteresis } = settings
  const activity = { threshold, hysteresis, maxGap: frames(settings.maxGap) }
  const alone = smooth.map((values) => activeSpans(values, activity))
  const kept =
    relations.length === 0 ? alone : together(alone, smooth, threshold - hysteresis, relations, order)
  return kept.flatMap((spans, p) =>
    spans
      .filter(({ first, end }) => (end - first) * frameStep >= settings.minLength - 1e-9)
      .map(({ first, end }) => {
        let sum = 0
        for (let t = first; t < end; t++) sum += scores.data[t * scores.cols + p]!
        const score = sum / (end - first)
        const own = calibration?.[p]
        return {
          phrase: phrases[p]!,
          onset: inMicroseconds(start + first * frameStep),
          offset: inMicroseconds(Math.min(recordingEnd, start + end * frameStep)),
          score,
          ...(own === undefined ? {} : { confidence: shareBelow(own, score) }),
        }
      }),
  )
}

/** What thresholds cut: the scores of each phrase, scaled to [0, 1] and smoothed. */
export function smoothedScores(
  { scores, frameStep }: ScoreMap,
  { calibration, ...options }: Pick<SegmentOptions, 'calibration' | 'median'> = {},
): Float32Array[] {
  const { median } = segmentSettings(options)
  const { rows, cols } = scores
  if (rows === 0) return Array.from({ length: cols }, () => new Float32Array())
  const scale = calibration === undefined ? minMaxScaling() : calibratedScaling(calibration)
  const { data } = scale(scores)
  const width = 2 * (Math.round(median / frameStep) >> 1) + 1
  return Array.from({ length: cols }, (_, p) =>
    medianFilter(
      Float32Array.from({ length: rows }, (_, t) => data[t * cols + p]!),
      width,
    ),
  )
}

/** Frames of a segment count at least so much in the joint decode, so that a closed gap is no reason to cut it. */
const leastGain = 1e-6

function together(
  alone: readonly (readonly FrameSpan[])[],
  smooth: readonly Float32Array[],
  low: number,
  relations: readonly PhraseRelation[],
  order: Order,
): FrameSpan[][] {
  const phrases = alone.length
  const rows = smooth[0]!.length
  const gains = matrix(rows, phrases)
  gains.data.fill(-Infinity)
  for (const [p, spans] of alone.entries())
    for (const { first, end } of spans)
      for (let t = first; t < end; t++)
        gains.data[t * phrases + p] = Math.max(smooth[p]![t]! - low, leastGain)
  const active = jointDecode(gains, relations, order)
  return alone.map((_, p) => spansOf(Uint8Array.from({ length: rows }, (_, t) => active[t * phrases + p]!)))
}

/** The settings with their defaults. Throws INVALID_ARGUMENT for one out of range. */
export function segmentSettings({
  threshold = 0.5,
  hysteresis = 0.1,
  median = 0.3,
  maxGap = 0.3,
  minLength = 0.1,
}: SegmentOptions): Required<Omit<SegmentOptions, 'calibration' | 'relations' | 'order'>> {
  const settings = { threshold, hysteresis, median, maxGap, minLength }
  for (const name of ['threshold', 'hysteresis'] as const)
    if (!(settings[name] >= 0 && settings[name] <= 1))
      throw expected('a number from 0 to 1', name, settings[name])
  for (const name of ['median', 'maxGap', 'minLength'] as const)
    if (!(settings[name] >= 0 && Number.isFinite(settings[name])))
      throw expected('0 or more seconds', name, settings[name])
  return settings
}
