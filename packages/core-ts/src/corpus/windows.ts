import { expected } from '../base/errors.js'
import { matrix, type Matrix } from '../base/matrix.js'
import type { EntryFacts } from './cache-file.js'

/** How a long recording is cut into windows. */
export interface WindowOptions {
  /** Length of a window. */
  readonly seconds: number
  /** Seconds from the beginning of one to that of the next. Default: their length, so that they do not overlap. */
  readonly hop?: number
}

/** A piece of a recording. */
export interface ClipWindow {
  /** Number of the window, from 0. */
  readonly index: number
  /** Seconds from the beginning of the recording. */
  readonly start: number
  readonly end: number
  /** [frames × cols] */
  readonly features: Matrix
  /** Seconds between frames. */
  readonly frameStep: number
}

export function checkWindows({ seconds, hop = seconds }: WindowOptions): void {
  for (const [name, value] of Object.entries({ seconds, hop }))
    if (!(value > 0 && Number.isFinite(value)))
      throw expected('more than 0 seconds', `windows.${name}`, value)
}

/** Length of windows and way from one to the next, in frames. */
function inFrames(frameStep: number, { seconds, hop = seconds }: WindowOptions) {
  return {
    length: Math.max(1, Math.round(seconds / frameStep)),
    step: Math.max(1, Math.round(hop / frameStep)),
  }
}

/** First frame and number of frames of each window: the last one ends with the recording, however short it is. */
export function windowPlaces(
  { frames, frameStep }: Pick<EntryFacts, 'frames' | 'frameStep'>,
  options: WindowOptions,
): { from: number; frames: number }[] {
  const { length, step } = inFrames(frameStep, options)
  const places: { from: number; frames: number }[] = []
  for (let from = 0; from < frames; from += step) {
    places.push({ from, frames: Math.min(length, frames - from) })
    if (from + length >= frames) break
  }
  return places
}

/** The frames `from` … `from + rows` of a recording as a window; the last one, which is given the duration, ends with the recording. */
export function windowAt(
  place: { readonly index: number; readonly from: number },
  features: Matrix,
  frameStep: number,
  duration?: number,
): ClipWindow {
  const { index, from } = place
  const end = duration ?? (from + features.rows) * frameStep
  return { index, start: from * frameStep, end, features, frameStep }
}

/** Windows of features as they come, of which no more are held than a window needs. `duration` is asked for at the end. */
export async function* windowsOfBlocks(
  blocks: AsyncIterable<Matrix>,
  frameStep: number,
  options: WindowOptions,
  duration: () => number,
): AsyncGenerator<ClipWindow, void, undefined> {
  const { length, step } = inFrames(frameStep, options)
  /** What is held, and the number of its first frame. */
  let held: Matrix | undefined
  let start = 0
  let index = 0
  const end = () => start + (held?.rows ?? 0)
  const take = (from: number, until: number): Matrix => {
    const { cols, data } = held!
    return matrix(until - from, cols, data.slice((from - start) * cols, (until - start) * cols))
  }
  for await (const block of blocks) {
    // What comes before the next window is not needed.
    const keep = Math.min(Math.max(start, index * step), end())
    held = held === undefined ? block : stacked(take(keep, end()), block)
    start = keep
    // One frame more than the window: it is not the last.
    for (; end() > index * step + length; index++) {
      const from = index * step
      yield windowAt({ index, from }, take(from, from + length), frameStep)
    }
  }
  const from = index * step
  if (from < end()) yield windowAt({ index, from }, take(from, end()), frameStep, duration())
}

function stacked(above: Matrix, below: Matrix): Matrix {
  const all = matrix(above.rows + below.rows, below.cols)
  all.data.set(above.data)
  all.data.set(below.data, above.data.length)
  return all
}
