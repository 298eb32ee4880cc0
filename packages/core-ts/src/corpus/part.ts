import type { FrameRange } from '../audio/index.js'
import { matrix, type Matrix } from '../base/matrix.js'
import { cropStart } from '../data/index.js'

/** The frames that are wanted of a clip: all of them, a range, or a crop of `frames` that lies at share `at` of where it can lie. */
export interface Part extends FrameRange {
  /** In [0, 1): 0 is the first place a crop of `frames` frames can lie at. Not beside `from`. */
  readonly at?: number
}

/** First frame and number of frames of a part of `rows` frames. */
export function placeOf(
  rows: number,
  { from, frames = Infinity, at }: Part,
): { from: number; count: number } {
  const first = at === undefined ? (from ?? 0) : cropStart(rows, { frames, at })
  const start = Math.min(Math.max(0, first), rows)
  return { from: start, count: Math.max(0, Math.min(frames, rows - start)) }
}

/** A part of a matrix; a view. */
export function cut(features: Matrix, part: Part): Matrix {
  const { from, count } = placeOf(features.rows, part)
  if (count === features.rows) return features
  const { cols, data } = features
  return matrix(count, cols, data.subarray(from * cols, (from + count) * cols))
}
