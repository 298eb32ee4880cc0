import { expected } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import { inMicroseconds } from '../segments/time-span.js'
import { activeSpans } from './activity.js'
import { phrasesOf } from './align.js'
import type { PhraseCalibration } from './calibration.js'
import { smoothedScores } from './decode-segments.js'
import type { ScoreMap } from './score-map.js'
import { type AlignScorer, scoreClip, type WordReduction } from './scorer.js'

/** A part of a recording that answers a query. */
export interface Moment {
  /** Seconds from the beginning of the recording. */
  readonly start: number
  readonly end: number
  /** From 0 to 1, larger = better. */
  readonly score: number
}

/** Options of {@link momentsOf}. */
export interface MomentOptions {
  /** How many there may be. Default 10. */
  count?: number
  /** What each phrase of the query scores in recordings without labels; without it scores are scaled to [0, 1] over the recording. */
  calibration?: readonly PhraseCalibration[]
  /**
   * Score, on the scale from 0 to 1, that a phrase of the query reaches somewhere in a moment, as the threshold of segments:
   * where none does, the query is not answered. Default 0.5; 0 ranks all there is.
   */
  threshold?: number
  /** Seconds that a moment lasts at least and at most. Default 1 and 60. */
  minLength?: number
  maxLength?: number
  /** Two moments share no more of what they cover together than this. Default 0.5. */
  maxOverlap?: number
  /** Seconds of the median filter over the scores. Default 0.5. */
  median?: number
}

/** Options of {@link findMoments}. */
export interface FindMomentsOptions extends MomentOptions {
  /** How the scores of a phrase's words become one. Default mean. */
  words?: WordReduction
  signal?: AbortSignal
}

/**
 * The parts of a recording of minutes or hours that answer a query best, best first: a sentence that is split into phrases, or phrases.
 * None where no phrase reaches its threshold: what is asked for is not there.
 * @throws SonotextError INVALID_ARGUMENT as {@link align}
 */
export async function findMoments<Clip>(
  scorer: AlignScorer<Clip>,
  recording: Clip,
  query: string | readonly string[],
  options: FindMomentsOptions = {},
): Promise<Moment[]> {
  const { words, signal, ...rest } = checkOptions(options, 'findMoments')
  momentSettings(rest)
  const abortable = signal === undefined ? {} : { signal }
  using prepared = await scorer.prepare(phrasesOf(query).phrases, abortable)
  const map = await scoreClip(prepared, recording, {
    ...(words === undefined ? {} : { words }),
    ...abortable,
  })
  return momentsOf(map, rest)
}

/** Shares of a phrase's best score at which its spans begin and end; more levels give more places to begin and end at. */
const levels = [0.3, 0.5, 0.7, 0.9]

/** How much it counts that a moment is filled with what is asked for, beside that everything asked for is in it. */
const densityWeight = 0.5

/**
 * Moments of a map of scores [frames × phrases]. A moment begins where a phrase begins and ends where one ends, at any of a few levels.
 * It is the better the better every phrase is heard somewhere in it (the mean over phrases of their best frame), and the more of it is
 * filled with any of them (the mean over frames of the best phrase, to the power 0.5): the first asks for long moments
 * that hold all of the query, the second for short ones. A moment in which no phrase reaches the threshold is none.
 */
export function momentsOf(map: ScoreMap, options: MomentOptions = {}): Moment[] {
  const { calibration } = options
  const { count, threshold, minLength, maxLength, maxOverlap, median } = momentSettings(options)
  const { scores, frameStep, start, end: recordingEnd = Infinity } = map
  const { rows, cols } = scores
  if (rows === 0) return []
  const phrases = smoothedScores(map, { median, ...(calibration && { calibration }) })
  const cuts = cutsOf(phrases, rows, Math.max(1, Math.floor(maxLength / frameStep + 1e-9)))
  const cells = cellsOf(phrases, cuts)
  const found: Moment[] = []
  const peaks = new Float64Array(cols)
  for (let i = 0; i < cells.length; i++) {
    peaks.fill(0)
    let sum = 0
    for (let j = i; j < cells.length; j++) {
      const length = (cuts[j + 1]! - cuts[i]!) * frameStep
      if (length > maxLength + 1e-9) break
      const cell = cells[j]!
      sum += cell.sum
      for (let p = 0; p < cols; p++) peaks[p] = Math.max(peaks[p]!, cell.peaks[p]!)
      if (length < minLength - 1e-9) continue
      if (!peaks.some((peak) => peak >= threshold)) continue
      const heard = peaks.reduce((all, peak) => all + peak, 0) / cols
      const score = heard * (sum / (cuts[j + 1]! - cuts[i]!)) ** densityWeight
      if (score > 0)
        found.push({
          start: inMicroseconds(start + cuts[i]! * frameStep),
          end: inMicroseconds(Math.min(recordingEnd, start + cuts[j + 1]! * frameStep)),
          score,
        })
    }
  }
  return withoutOverlap(found, count, maxOverlap)
}

/** Frames at which a phrase begins or ends at a level, and both ends of the recording, none further apart than `most`; ascending. */
function cutsOf(phrases: readonly Float32Array[], rows: number, most: number): number[] {
  const cuts = new Set([0, rows])
  for (const values of phrases) {
    const peak = values.reduce((most, value) => Math.max(most, value), 0)
    if (peak <= 0) continue
    for (const level of levels)
      for (const { first, end } of activeSpans(values, {
        threshold: level * peak,
        hysteresis: 0,
        maxGap: 1,
      })) {
        cuts.add(first)
        cuts.add(end)
      }
  }
  const ascending = [...cuts].sort((a, b) => a - b)
  return ascending.flatMap((cut, i) => {
    const parts = Math.ceil(((ascending[i + 1] ?? cut) - cut) / most)
    return [cut, ...Array.from({ length: Math.max(0, parts - 1) }, (_, part) => cut + (part + 1) * most)]
  })
}

/** What lies between two cuts. */
interface Cell {
  /** Of the best phrase in each frame. */
  readonly sum: number
  /** The best frame of each phrase. */
  readonly peaks: Float64Array
}

function cellsOf(phrases: readonly Float32Array[], cuts: readonly number[]): Cell[] {
  return cuts.slice(0, -1).map((from, i) => {
    const peaks = new Float64Array(phrases.length)
    let sum = 0
    for (let t = from; t < cuts[i + 1]!; t++) {
      let best = 0
      for (const [p, values] of phrases.entries()) {
        const value = values[t]!
        if (value > peaks[p]!) peaks[p] = value
        if (value > best) best = value
      }
      sum += best
    }
    return { sum, peaks }
  })
}

/** The best, each of which shares no more than `most` of what it covers together with a better one. Ties go to the earlier. */
function withoutOverlap(moments: Moment[], count: number, most: number): Moment[] {
  const kept: Moment[] = []
  for (const moment of moments.sort((a, b) => b.score - a.score)) {
    if (kept.length === count) break
    const shares = ({ start, end }: Moment): number => {
      const both = Math.min(end, moment.end) - Math.max(start, moment.start)
      return both <= 0 ? 0 : both / (Math.max(end, moment.end) - Math.min(start, moment.start))
    }
    if (kept.every((better) => shares(better) <= most)) kept.push(moment)
  }
  return kept
}

/** The settings with their defaults. Throws INVALID_ARGUMENT for one out of range. */
export function momentSettings({
  count = 10,
  threshold = 0.5,
  minLength = 1,
  maxLength = 60,
  maxOverlap = 0.5,
  median = 0.5,
}: MomentOptions): Required<Omit<MomentOptions, 'calibration'>> {
  if (!(Number.isSafeInteger(count) && count >= 1)) throw expected('a whole number from 1', 'count', count)
  if (!(threshold >= 0 && threshold <= 1)) throw expected('a number from 0 to 1', 'threshold', threshold)
  for (const [name, value] of Object.entries({ minLength, median }))
    if (!(value >= 0 && Number.isFinite(value))) throw expected('0 or more seconds', name, value)
  if (!(maxLength >= minLength && maxLength > 0))
    throw expected(`${minLength} seconds or more`, 'maxLength', maxLength)
  if (!(maxOverlap >= 0 && maxOverlap <= 1)) throw expected('a share from 0 to 1', 'maxOverlap', maxOverlap)
  return { count, threshold, minLength, maxLength, maxOverlap, median }
}
