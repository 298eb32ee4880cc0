import { Rng } from '../../base/index.js'
import type { AlignmentPair } from './alignment-pair.js'
import { frameLabels, type ScoreCurve, scaledOverTime, spansAbove } from './frame-labels.js'
import type { TimeSpan } from '../../segments/time-span.js'

/** Seconds: frames of what comes without frames. */
const defaultStep = 0.02

/** What was found of one pair. */
export interface Found {
  /** As given. */
  readonly curve: ScoreCurve
  /** In [0, 1] over the clip. */
  readonly scaled: ScoreCurve
  readonly segments: readonly TimeSpan[]
}

/** `scored`: whether any pair has scores; then those without are 0 everywhere. */
export function foundOf({ duration, curve, segments }: AlignmentPair, scored: boolean): Found {
  const frames = Math.max(1, Math.ceil(duration / defaultStep))
  const empty = (): ScoreCurve => ({ scores: new Float32Array(frames), frameStep: defaultStep, start: 0 })
  if (curve !== undefined || scored) {
    const own = curve ?? empty()
    const scaled = scaledOverTime(own)
    return { curve: own, scaled, segments: segments ?? spansAbove(scaled, 0.5) }
  }
  const drawn = { ...empty(), scores: Float32Array.from(frameLabels(segments ?? [], empty())) }
  return { curve: drawn, scaled: drawn, segments: segments ?? [] }
}

function asFound(change: (curve: ScoreCurve, pair: number) => ScoreCurve) {
  return (curve: ScoreCurve, pair: number): Found => {
    const own = change(curve, pair)
    return { curve: own, scaled: own, segments: spansAbove(own, 0.5) }
  }
}

function randomCurve(seed: number): (curve: ScoreCurve, pair: number) => ScoreCurve {
  const rng = new Rng(seed, 'alignment-baseline')
  return (curve) => scaledOverTime({ ...curve, scores: curve.scores.map(() => rng.uniform()) })
}

/** Each curve's mean over its whole time, scaled to [0, 1] over all pairs. */
function levelCurves(curves: readonly ScoreCurve[]): ScoreCurve[] {
  const means = Float32Array.from(
    curves,
    ({ scores }) => scores.reduce((sum, score) => sum + score, 0) / Math.max(1, scores.length),
  )
  const { scores } = scaledOverTime({ scores: means, frameStep: 1, start: 0 })
  return curves.map((curve, pair) => ({ ...curve, scores: curve.scores.map(() => scores[pair]!) }))
}

/** Scores drawn uniformly for each frame, scaled as any other. */
export function foundAtRandom(curves: readonly ScoreCurve[], seed: number): Found[] {
  return curves.map(asFound(randomCurve(seed)))
}

/** What is known of the clip as a whole only: each pair's mean score, spread over its time. */
export function foundByClip(curves: readonly ScoreCurve[]): Found[] {
  return levelCurves(curves).map(asFound((curve) => curve))
}
