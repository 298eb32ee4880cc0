import { expected } from '../base/errors.js'
import { type Matrix, matrix } from '../base/matrix.js'
import type { PhraseCalibration } from './calibration.js'

/** What brings the scores of phrases to one scale, on which more than 0.5 is a match. */
export type Scaling = (scores: Matrix) => Matrix

/**
 * Min–max over the clip: each phrase runs from 0 to 1 (Xie et al. 2022). The best frame of every phrase then is a match, whether the
 * phrase is there or not. A phrase of constant score is 0 everywhere.
 */
export function minMaxScaling(): Scaling {
  return (scores) =>
    scaled(scores, (column) => {
      let [low, high] = [Infinity, -Infinity]
      for (const value of column) {
        low = Math.min(low, value)
        high = Math.max(high, value)
      }
      const spread = high - low
      return spread > 0 ? (value) => (value - low) / spread : () => 0
    })
}

/**
 * By what each phrase scores in other recordings: 0 at the floor, 0.5 at the threshold, 1 as far above it again, and no further.
 * A phrase that is not there stays below 0.5.
 */
export function calibratedScaling(calibration: readonly PhraseCalibration[]): Scaling {
  return (scores) => {
    if (calibration.length !== scores.cols)
      throw expected(`${scores.cols} entries, one for each phrase`, 'calibration', calibration)
    return scaled(scores, (_, p) => {
      const { threshold, floor } = calibration[p]!
      const spread = 2 * (threshold - floor)
      if (!Number.isFinite(threshold)) return () => 0
      return (value) => Math.min(1, Math.max(0, 0.5 + (value - threshold) / spread))
    })
  }
}

function scaled(
  { rows, cols, data }: Matrix,
  of: (column: Float32Array, phrase: number) => (value: number) => number,
): Matrix {
  const out = matrix(rows, cols)
  for (let p = 0; p < cols; p++) {
    const column = Float32Array.from({ length: rows }, (_, t) => data[t * cols + p]!)
    const scale = of(column, p)
    for (let t = 0; t < rows; t++) out.data[t * cols + p] = scale(column[t]!)
  }
  return out
}
