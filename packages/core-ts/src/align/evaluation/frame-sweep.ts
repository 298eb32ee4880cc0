import { frameLabels, type ScoreCurve } from './frame-labels.js'
import { type F1Counts, f1Of, jackknifeByClip } from './jackknife.js'
import type { Interval } from '../../metrics/index.js'
import type { TimeSpan } from '../../segments/time-span.js'

/** 0.01, 0.02 … 0.99. */
const thresholds = Array.from({ length: 99 }, (_, i) => (i + 1) / 100)

/** What one threshold gives. */
export interface OperatingPoint {
  /** A frame counts as found when its score is at least this. */
  readonly threshold: number
  readonly precision: number
  readonly recall: number
  readonly f1: number
}

/** Precision, recall and F1 of frames over all thresholds. */
export interface FrameSweep {
  /** One point for each of the thresholds 0.01, 0.02 … 0.99, micro-averaged over all frames of all pairs. */
  readonly points: readonly OperatingPoint[]
  /** The point of largest F1, the lowest threshold where several are. Chosen on the data it is reported for. */
  readonly best: OperatingPoint
  /** 95 % intervals at the best threshold, leaving out one clip after the other; null with a single clip. */
  readonly intervals: Readonly<Record<'precision' | 'recall' | 'f1', Interval | null>>
  /** Frames of each pair at the best threshold. */
  readonly perPair: readonly F1Counts[]
}

/**
 * Frame-level micro precision, recall and F1 over a sweep of thresholds (Xie et al. 2022). Scores are taken as they are: scale them to [0, 1]
 * first. Where nothing is found precision is 1; where nothing is there recall is 1. `clips[i]` says which pairs stand or fall together.
 */
export function frameSweep(
  curves: readonly ScoreCurve[],
  truth: readonly (readonly TimeSpan[])[],
  clips: readonly string[],
): FrameSweep {
  const size = thresholds.length
  // Of each pair: how many frames, and how many active ones, score at least each threshold.
  const found = new Uint32Array(curves.length * size)
  const hits = new Uint32Array(curves.length * size)
  const active = new Uint32Array(curves.length)
  for (const [pair, curve] of curves.entries()) {
    const labels = frameLabels(truth[pair]!, curve)
    const ofPair = { found: found.subarray(pair * size), hits: hits.subarray(pair * size) }
    for (const [frame, label] of labels.entries()) {
      const level = thresholdsUpTo(curve.scores[frame]!)
      active[pair]! += label
      if (level === 0) continue
      ofPair.found[level - 1]!++
      ofPair.hits[level - 1]! += label
    }
    for (let level = size - 2; level >= 0; level--) {
      ofPair.found[level]! += ofPair.found[level + 1]!
      ofPair.hits[level]! += ofPair.hits[level + 1]!
    }
  }
  const points = thresholds.map((threshold, level) => {
    const sum = { found: 0, hits: 0, active: 0 }
    for (let pair = 0; pair < curves.length; pair++) {
      sum.found += found[pair * size + level]!
      sum.hits += hits[pair * size + level]!
      sum.active += active[pair]!
    }
    return { threshold, precision: precisionOf(sum), recall: recallOf(sum), f1: f1Of(sum) }
  })
  const best = points.reduce((top, point) => (point.f1 > top.f1 ? point : top))
  const level = points.indexOf(best)
  const counts = curves.map((_, pair) => ({
    hits: hits[pair * size + level]!,
    found: found[pair * size + level]!,
    active: active[pair]!,
  }))
  const interval = (of: (sum: F1Counts) => number): Interval | null => jackknifeByClip(counts, clips, of)
  return {
    points,
    best,
    intervals: { precision: interval(precisionOf), recall: interval(recallOf), f1: interval(f1Of) },
    perPair: counts,
  }
}

function precisionOf({ hits, found }: F1Counts): number {
  return found === 0 ? 1 : hits / found
}

function recallOf({ hits, active }: F1Counts): number {
  return active === 0 ? 1 : hits / active
}

/** How many of the thresholds are not above the score. */
function thresholdsUpTo(score: number): number {
  let level = Math.max(0, Math.min(thresholds.length, Math.floor(score * 100)))
  // The product rounds; the comparison does not.
  while (level < thresholds.length && thresholds[level]! <= score) level++
  while (level > 0 && thresholds[level - 1]! > score) level--
  return level
}
