import type { TimeSpan } from '../../segments/time-span.js'

/** The scores of one phrase over one clip: frame i covers [start + i · frameStep, start + (i + 1) · frameStep) seconds. */
export interface ScoreCurve {
  readonly scores: Float32Array
  /** Seconds. */
  readonly frameStep: number
  /** Seconds. */
  readonly start: number
}

/**
 * 1 for each frame that a span covers: from ⌈onset / step⌉ up to, not including, ⌈offset / step⌉ (Xie et al. 2022, whose step is 0.02 s).
 */
export function frameLabels(
  spans: readonly TimeSpan[],
  { scores, frameStep, start }: ScoreCurve,
): Uint8Array {
  const labels = new Uint8Array(scores.length)
  // A time that is a frame's edge but for rounding is that edge: 0.56 / 0.02 is above 28 in doubles.
  const frame = (time: number): number => Math.max(0, Math.ceil((time - start) / frameStep - 1e-9))
  for (const { onset, offset } of spans) labels.fill(1, frame(onset), frame(offset))
  return labels
}

/** Min–max over time; a curve that is constant says nothing of time and becomes 0. */
export function scaledOverTime({ scores, ...rest }: ScoreCurve): ScoreCurve {
  let [least, most] = [Infinity, -Infinity]
  for (const score of scores) {
    least = Math.min(least, score)
    most = Math.max(most, score)
  }
  const spread = most - least
  return { ...rest, scores: scores.map((score) => (spread > 0 ? (score - least) / spread : 0)) }
}

/** Stretches of frames whose score is at least the threshold, with their mean score. */
export function spansAbove(
  { scores, frameStep, start }: ScoreCurve,
  threshold: number,
): (TimeSpan & { readonly score: number })[] {
  const spans: (TimeSpan & { readonly score: number })[] = []
  for (let i = 0; i < scores.length; i++) {
    if (!(scores[i]! >= threshold)) continue
    let end = i
    let sum = 0
    while (end < scores.length && scores[end]! >= threshold) sum += scores[end++]!
    spans.push({ onset: start + i * frameStep, offset: start + end * frameStep, score: sum / (end - i) })
    i = end
  }
  return spans
}
