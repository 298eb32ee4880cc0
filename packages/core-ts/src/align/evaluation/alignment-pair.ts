import { expected, SonotextError } from '../../base/index.js'
import type { ScoreCurve } from './frame-labels.js'
import { checkSpans, type TimeSpan } from '../../segments/time-span.js'

/** One phrase asked of one clip: where it truly is, and what was found. */
export interface AlignmentPair {
  readonly clip: string
  readonly phrase: string
  /** Length of the clip in seconds. */
  readonly duration: number
  /** Empty: the phrase is not there. */
  readonly truth: readonly TimeSpan[]
  /** Scores over time, larger = more likely there. */
  readonly curve?: ScoreCurve
  /** Segments that were found. Default: where the scores, min–max scaled over the clip, are at least 0.5. */
  readonly segments?: readonly TimeSpan[]
}

/** Refuses pairs of which nothing can be said. Throws INVALID_ARGUMENT, INVALID_DATA naming the pair. */
export function checkPairs(pairs: readonly AlignmentPair[]): void {
  if (pairs.length === 0) throw expected('one pair of clip and phrase or more', 'pairs', 'none')
  const seen = new Set<string>()
  for (const { clip, phrase, duration, truth, curve, segments = [] } of pairs) {
    const whose = `"${phrase}" in "${clip}"`
    if (!(duration > 0 && duration < Infinity))
      throw expected('seconds above 0', `duration of "${clip}"`, duration)
    checkSpans([...truth, ...segments], whose)
    if (curve !== undefined && !(curve.frameStep > 0 && curve.start >= 0))
      throw expected('a step above 0 and a start from 0', `the curve of ${whose}`, curve.frameStep)
    if (curve?.scores.some(Number.isNaN))
      throw new SonotextError('INVALID_DATA', `${whose}: expected scores that are numbers, got NaN.`)
    const key = JSON.stringify([clip, phrase])
    if (seen.has(key)) {
      throw new SonotextError('INVALID_DATA', `${whose} is given twice.`, {
        remedy: 'Give each phrase of a clip once, with all its times.',
      })
    }
    seen.add(key)
  }
}
