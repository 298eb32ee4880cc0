/** Frames from `first` up to `end`, without `end`. */
export interface FrameSpan {
  readonly first: number
  readonly end: number
}

/** Options of {@link activeSpans}. */
export interface ActivityOptions {
  /** Score from which a frame is a match. */
  readonly threshold: number
  /** A match goes on while the score is no further below the threshold than this. */
  readonly hysteresis: number
  /** Shorter gaps between matches are closed, in frames. */
  readonly maxGap: number
}

/** Where a sequence of scores matches: spans that hold a frame of at least the threshold, as far as none falls below the lower one. */
export function activeSpans(
  scores: ArrayLike<number>,
  { threshold, hysteresis, maxGap }: ActivityOptions,
): FrameSpan[] {
  const spans: { first: number; end: number }[] = []
  const low = threshold - hysteresis
  for (let t = 0; t < scores.length; t++) {
    if (!(scores[t]! >= low)) continue
    const first = t
    let found = false
    for (; t < scores.length && scores[t]! >= low; t++) found ||= scores[t]! >= threshold
    if (!found) continue
    const before = spans.at(-1)
    if (before !== undefined && first - before.end < maxGap) before.end = t
    else spans.push({ first, end: t })
  }
  return spans
}

/** Runs of true frames. */
export function spansOf(active: ArrayLike<number | boolean>): FrameSpan[] {
  const spans: FrameSpan[] = []
  for (let t = 0; t < active.length; t++) {
    if (!active[t]) continue
    const first = t
    while (t < active.length && active[t]) t++
    spans.push({ first, end: t })
  }
  return spans
}

/**
 * Median over `width` frames around each one (odd; 1 changes nothing). Beyond the ends the first and last score go on. The window is
 * kept sorted, so that a step costs its width at most.
 */
export function medianFilter(scores: ArrayLike<number>, width: number): Float32Array {
  const out = Float32Array.from(scores)
  const n = out.length
  if (width <= 1 || n === 0) return out
  const half = (width - 1) >> 1
  const at = (t: number): number => scores[Math.min(n - 1, Math.max(0, t))]!
  const window = Float64Array.from({ length: 2 * half + 1 }, (_, i) => at(i - half)).sort()
  for (let t = 0; ; t++) {
    out[t] = window[half]!
    if (t === n - 1) return out
    replace(window, at(t - half), at(t + half + 1))
  }
}

/** Puts `added` in the place of `removed` in ascending numbers. */
function replace(window: Float64Array, removed: number, added: number): void {
  let i = window.indexOf(removed)
  for (; i > 0 && window[i - 1]! > added; i--) window[i] = window[i - 1]!
  for (; i < window.length - 1 && window[i + 1]! < added; i++) window[i] = window[i + 1]!
  window[i] = added
}
