import { SonotextError } from '../base/errors.js'

/** A stretch of time in seconds from the beginning of the recording; the offset is past the onset. */
export interface TimeSpan {
  readonly onset: number
  readonly offset: number
}

/** Seconds in whole microseconds, as results give times: sums of frame steps would leave 0.30000000000000004. */
export function inMicroseconds(seconds: number): number {
  return Math.round(1e6 * seconds) / 1e6
}

/** Refuses what is no stretch of time. Throws INVALID_DATA naming whose it is. */
export function checkSpans(spans: readonly TimeSpan[], whose: string): void {
  for (const { onset, offset } of spans) {
    if (onset >= 0 && offset > onset && offset < Infinity) continue
    throw new SonotextError(
      'INVALID_DATA',
      `${whose}: expected 0 ≤ onset < offset in seconds, got ${onset} and ${offset}.`,
      { remedy: 'Correct the times, or leave the segment out.' },
    )
  }
}

/** The same time without overlaps: ascending, apart from each other. */
export function unionOf(spans: readonly TimeSpan[]): TimeSpan[] {
  const union: { onset: number; offset: number }[] = []
  for (const { onset, offset } of spans.toSorted((a, b) => a.onset - b.onset)) {
    const last = union.at(-1)
    if (last !== undefined && onset <= last.offset) last.offset = Math.max(last.offset, offset)
    else union.push({ onset, offset })
  }
  return union
}

/** Seconds that are in any of the spans. */
export function secondsOf(spans: readonly TimeSpan[]): number {
  return unionOf(spans).reduce((sum, { onset, offset }) => sum + offset - onset, 0)
}

/** Seconds that two spans share. */
export function overlapOf(a: TimeSpan, b: TimeSpan): number {
  return Math.max(0, Math.min(a.offset, b.offset) - Math.max(a.onset, b.onset))
}

/** Intersection over union of two spans, in [0, 1]. */
export function spanIou(a: TimeSpan, b: TimeSpan): number {
  const shared = overlapOf(a, b)
  return shared === 0 ? 0 : shared / (a.offset - a.onset + b.offset - b.onset - shared)
}

/** Intersection over union of the time in two sets of spans, in [0, 1]; 1 where both are empty: what is not there was not found. */
export function segmentIou(found: readonly TimeSpan[], truth: readonly TimeSpan[]): number {
  const [a, b] = [unionOf(found), unionOf(truth)]
  const [ofA, ofB] = [secondsOf(a), secondsOf(b)]
  if (ofA + ofB === 0) return 1
  let shared = 0
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    shared += overlapOf(a[i]!, b[j]!)
    if (a[i]!.offset < b[j]!.offset) i++
    else j++
  }
  return shared / (ofA + ofB - shared)
}
