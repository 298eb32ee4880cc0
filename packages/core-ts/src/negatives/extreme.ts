import type { Matrix } from '../base/matrix.js'
import type { PairMask } from './pairs.js'

/** How much a score is wanted as a negative, given the score of the anchor pair itself; the largest wins. */
export type Appeal = (score: number, positive: number) => number

/**
 * For every row i the column j with the largest appeal of scores(i, j) among those not barred; -1 where all are. Ties go to
 * the lower index.
 */
export function extremePerRow({ rows: n, data }: Matrix, barred: PairMask, appeal: Appeal): Int32Array {
  const picks = new Int32Array(n).fill(-1)
  for (let i = 0; i < n; i++) {
    const positive = data[i * n + i]!
    let best = -Infinity
    for (let j = 0; j < n; j++) {
      if (barred.has(i, j)) continue
      const value = appeal(data[i * n + j]!, positive)
      if (value > best || picks[i]! < 0) {
        best = value
        picks[i] = j
      }
    }
  }
  return picks
}

/** The same for every column: the row j not barred, by scores(j, i). Reads the matrix in memory order. */
export function extremePerColumn({ rows: n, data }: Matrix, barred: PairMask, appeal: Appeal): Int32Array {
  const picks = new Int32Array(n).fill(-1)
  const best = new Float64Array(n).fill(-Infinity)
  for (let j = 0; j < n; j++) {
    for (let i = 0; i < n; i++) {
      if (barred.has(j, i)) continue
      const value = appeal(data[j * n + i]!, data[i * n + i]!)
      if (value > best[i]! || picks[i]! < 0) {
        best[i] = value
        picks[i] = j
      }
    }
  }
  return picks
}
