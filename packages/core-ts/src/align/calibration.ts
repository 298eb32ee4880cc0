import { expected } from '../base/errors.js'
import type { ScoreMap } from './score-map.js'
import { type PhraseScorer, scoreClip, type ScoreClipOptions } from './scorer.js'

/** What a phrase scores over recordings nobody has labelled. Plain data. */
export interface PhraseCalibration {
  readonly phrase: string
  /** Score from which a frame counts as a match; Infinity where all frames score the same. */
  readonly threshold: number
  /** What frames that do not match score: the median of all frames. Below the threshold. */
  readonly floor: number
  /** Scores at the quantiles 0, 1/100 … 1 of all frames, ascending. */
  readonly quantiles: readonly number[]
}

const levels = 100

/** A match stands at least so many times the median absolute deviation above the median. */
const deviations = 8

/**
 * Finds for each phrase the score that tells matching frames from others, on recordings without labels. Two conditions: the threshold parts
 * the scores into the two groups that differ most (Otsu 1979: the variance between the groups is greatest; the lower one holds at least half of
 * all frames), and lies 8 median absolute deviations above the median, so that a phrase that is nowhere in the recordings
 * does not match the better half of their noise.
 */
export async function calibrate<Clip>(
  scorer: PhraseScorer<Clip>,
  clips: Iterable<Clip> | AsyncIterable<Clip>,
  options: ScoreClipOptions = {},
): Promise<PhraseCalibration[]> {
  const maps: ScoreMap[] = []
  for await (const clip of clips) maps.push(await scoreClip(scorer, clip, options))
  return calibrationOf(maps, scorer.phrases)
}

/** The same from maps of scores [frames × phrases]. Throws INVALID_ARGUMENT where there is no frame at all. */
export function calibrationOf(maps: readonly ScoreMap[], phrases: readonly string[]): PhraseCalibration[] {
  const frames = maps.reduce((sum, { scores }) => sum + scores.rows, 0)
  if (frames === 0) throw expected('recordings with frames', 'the calibration', 'none')
  return phrases.map((phrase, p) => {
    const all = new Float32Array(frames)
    let at = 0
    for (const { scores } of maps)
      for (let t = 0; t < scores.rows; t++) all[at++] = scores.data[t * scores.cols + p]!
    all.sort()
    return { phrase, ...splitOf(all), quantiles: quantilesOf(all) }
  })
}

/** Share of the frames that score no more than this, in [0, 1], between the quantiles by straight lines. */
export function shareBelow({ quantiles }: PhraseCalibration, score: number): number {
  const last = quantiles.length - 1
  if (score < quantiles[0]!) return 0
  if (score >= quantiles[last]!) return 1
  let upper = quantiles.findIndex((value) => value > score)
  if (upper < 1) upper = 1
  const [low, high] = [quantiles[upper - 1]!, quantiles[upper]!]
  return (upper - 1 + (score - low) / (high - low)) / last
}

function quantilesOf(sorted: Float32Array): number[] {
  return Array.from({ length: levels + 1 }, (_, q) => sorted[Math.round((q / levels) * (sorted.length - 1))]!)
}

function splitOf(sorted: Float32Array): Pick<PhraseCalibration, 'threshold' | 'floor'> {
  const floor = medianOf(sorted)
  const deviation = medianOf(sorted.map((value) => Math.abs(value - floor)).sort())
  return { threshold: Math.max(otsuThreshold(sorted), floor + deviations * deviation), floor }
}

function medianOf(sorted: Float32Array): number {
  return sorted[sorted.length >> 1]!
}

/** Of ascending scores; Infinity where all are equal. */
function otsuThreshold(sorted: Float32Array): number {
  const n = sorted.length
  const total = sorted.reduce((sum, value) => sum + value, 0)
  let best = { between: 0, threshold: Infinity }
  let below = 0
  for (let count = 1; count < n; count++) {
    below += sorted[count - 1]!
    if (count < n / 2 || sorted[count - 1] === sorted[count]) continue
    const gap = below / count - (total - below) / (n - count)
    const between = count * (n - count) * gap * gap
    if (between > best.between) best = { between, threshold: (sorted[count - 1]! + sorted[count]!) / 2 }
  }
  return best.threshold
}
