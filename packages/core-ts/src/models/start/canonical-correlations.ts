import { type Matrix, matrix, row } from '../../base/matrix.js'
import { Rng } from '../../base/rng.js'
import { type InPieces, inTurns } from '../../base/turn.js'
import type { SparseMatrix } from '../../text/sparse.js'
import { multiplyTransposed } from '../../text/sparse.js'
import { truncatedSvd } from '../../text/truncated-svd.js'
import { cholesky, solveLower, solveUpper } from './cholesky.js'

/** x ↦ weight · ((x − means) / scales). */
export interface StandardizedMap {
  /** [inputs] */
  readonly means: Float32Array
  /** [inputs] */
  readonly scales: Float32Array
  /** [outputs × inputs] */
  readonly weight: Matrix
}

/** Vectors of clips and of their captions. */
export interface PairedVectors {
  /** One row a clip. */
  readonly audio: Matrix
  /** One row a caption. */
  readonly text: Matrix
  /** Row of its clip for each caption. */
  readonly clipOf: ArrayLike<number>
}

export interface CorrelationOptions {
  /** Directions, as many at most as either side has numbers. */
  readonly rank: number
  /** Added to the variances of clips, as a share of their mean: how little a direction is trusted that training clips hardly show. */
  readonly ridge: number
  /** The same for captions. */
  readonly textRidge: number
  /** Each direction counts by its correlation to this power, on either side. */
  readonly power: number
  readonly signal?: AbortSignal | undefined
}

export interface CorrelatedMaps {
  /** [rank × inputs of clips]; rows beyond the directions that there are are zero. */
  readonly audio: StandardizedMap
  /** [rank × inputs of captions] */
  readonly text: StandardizedMap
  /** What a clip tells of the vectors of its captions themselves, around their mean: ridge regression [inputs of captions × inputs of clips]. */
  readonly regression: StandardizedMap
}

/**
 * Linear maps under which clips and their captions correlate most: canonical correlation analysis (Hotelling, "Relations between two sets of
 * variates", 1936) with ridges on both covariances (Vinod, 1976), directions weighted by a power of their correlation. With the covariances
 * Cₐ = Lₐ·Lₐᵀ and Cₜ = Lₜ·Lₜᵀ, ridges included, and Lₐ⁻¹·Cₐₜ·Lₜ⁻ᵀ = U·S·Vᵀ, the maps are Sᵖ·Uᵀ·Lₐ⁻¹ and Sᵖ·Vᵀ·Lₜ⁻¹; the regression is
 * Cₜₐ·Cₐ⁻¹. Numbers of clips are brought to variance 1 first, those of captions are not. Each map gives rows of mean square length 1 (by the
 * covariance with its ridge). Same vectors in the same order, same bits.
 */
export async function correlatedMaps(
  { audio, text, clipOf }: PairedVectors,
  { rank, ridge, textRidge, power, signal }: CorrelationOptions,
): Promise<CorrelatedMaps> {
  const [a, t] = [audio.cols, text.cols]
  const clips = Float64Array.from({ length: audio.rows }, () => 0)
  for (const clip of Array.from(clipOf)) clips[clip]!++
  const sound = standardOf(audio, clips)
  const words = {
    ...standardOf(text, new Float64Array(text.rows).fill(1)),
    scales: new Float64Array(t).fill(1),
  }
  const x = standardized(audio, sound)
  const z = standardized(text, words)
  const together = (work: InPieces<Float64Array>) => inTurns(work, signal)
  const la = await together(covariance(x, a, clips, ridge))
  const lt = await together(covariance(z, t, new Float64Array(text.rows).fill(1), textRidge))
  const cross = await together(crossCovariance(x, a, z, t, clipOf))
  await inTurns(cholesky(la, a), signal)
  await inTurns(cholesky(lt, t), signal)
  await inTurns(solveLower(la, a, cross, t), signal)
  const regression = Float64Array.from(cross)
  const whole = transposed(cross, a, t)
  await inTurns(solveLower(lt, t, whole, a), signal)

  const m = denseMatrix(whole, t, a)
  const { left, singularValues } = await truncatedSvd(m, rank, new Rng(0, 'start'), { signal })
  const n = left.length
  const ofText = new Float64Array(t * n)
  const ofAudio = new Float64Array(a * n)
  const right = new Float64Array(a)
  const length = Math.hypot(...singularValues.map((s) => s ** power))
  for (const [k, vector] of left.entries()) {
    const weight = singularValues[k]! ** power / length
    for (let i = 0; i < t; i++) ofText[i * n + k] = weight * vector[i]!
    multiplyTransposed(m, vector, right)
    for (let i = 0; i < a; i++) ofAudio[i * n + k] = (weight * right[i]!) / singularValues[k]!
  }
  await inTurns(solveUpper(la, a, ofAudio, n), signal)
  await inTurns(solveUpper(lt, t, ofText, n), signal)
  const told = Math.sqrt(regression.reduce((sum, value) => sum + value * value, 0))
  await inTurns(solveUpper(la, a, regression, t), signal)
  return {
    audio: mapOf(sound, transposed(ofAudio, a, n), rank, n, 1),
    text: mapOf(words, transposed(ofText, t, n), rank, n, 1),
    regression: mapOf(sound, transposed(regression, a, t), t, t, told),
  }
}

interface Standard {
  readonly means: Float64Array
  readonly scales: Float64Array
}

/** Means and standard deviations of the columns, each row as often as `times` says; a column that does not vary has scale 1. */
function standardOf({ rows, cols, data }: Matrix, times: Float64Array): Standard {
  const total = times.reduce((sum, n) => sum + n, 0)
  const [means, squares] = [new Float64Array(cols), new Float64Array(cols)]
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < cols; c++) means[c]! += (times[r]! * data[r * cols + c]!) / total
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < cols; c++) squares[c]! += (times[r]! * (data[r * cols + c]! - means[c]!) ** 2) / total
  return { means, scales: squares.map((square) => (square > 1e-12 ? Math.sqrt(square) : 1)) }
}

function standardized({ cols, data }: Matrix, { means, scales }: Standard): Float64Array {
  return Float64Array.from(data, (value, i) => (value - means[i % cols]!) / scales[i % cols]!)
}

/** The lower half of the covariance of rows around 0 [cols × cols], with the ridge on its diagonal. */
function* covariance(
  x: Float64Array,
  cols: number,
  times: Float64Array,
  ridge: number,
): InPieces<Float64Array> {
  const out = new Float64Array(cols * cols)
  const total = times.reduce((sum, n) => sum + n, 0)
  for (let r = 0; r < times.length; r++) {
    const values = x.subarray(r * cols, (r + 1) * cols)
    for (let i = 0; i < cols; i++) {
      const factor = (times[r]! * values[i]!) / total
      const to = out.subarray(i * cols, i * cols + i + 1)
      for (let j = 0; j <= i; j++) to[j]! += factor * values[j]!
    }
    yield
  }
  let trace = 0
  for (let i = 0; i < cols; i++) trace += out[i * cols + i]!
  // Without any variance there is nothing to divide by.
  const added = (ridge * trace) / cols || 1
  for (let i = 0; i < cols; i++) out[i * cols + i]! += added
  return out
}

/** [a × t] over all pairs. */
function* crossCovariance(
  x: Float64Array,
  a: number,
  z: Float64Array,
  t: number,
  clipOf: ArrayLike<number>,
): InPieces<Float64Array> {
  const sums = new Float64Array((x.length / a) * t)
  for (let j = 0; j < clipOf.length; j++) {
    const at = clipOf[j]! * t
    for (let i = 0; i < t; i++) sums[at + i]! += z[j * t + i]! / clipOf.length
  }
  const out = new Float64Array(a * t)
  for (let r = 0; r < x.length / a; r++) {
    const said = sums.subarray(r * t, (r + 1) * t)
    for (let i = 0; i < a; i++) {
      const value = x[r * a + i]!
      const to = out.subarray(i * t, (i + 1) * t)
      for (let j = 0; j < t; j++) to[j]! += value * said[j]!
    }
    yield
  }
  return out
}

function transposed(x: Float64Array, rows: number, cols: number): Float64Array {
  const out = new Float64Array(x.length)
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) out[j * rows + i] = x[i * cols + j]!
  return out
}

function denseMatrix(values: Float64Array, rows: number, cols: number): SparseMatrix {
  return {
    rows,
    cols,
    offsets: Float64Array.from({ length: rows + 1 }, (_, i) => i * cols),
    columns: Int32Array.from({ length: rows * cols }, (_, i) => i % cols),
    values,
  }
}

/** Of weights [n × inputs], divided by `by`, with rows of zeros up to `outputs`. */
function mapOf(
  { means, scales }: Standard,
  weights: Float64Array,
  outputs: number,
  n: number,
  by: number,
): StandardizedMap {
  const inputs = means.length
  const weight = matrix(outputs, inputs)
  for (let k = 0; k < n; k++) {
    const values = weights.subarray(k * inputs, (k + 1) * inputs)
    row(weight, k).set(values.map((value) => value / (by || 1)))
  }
  return { means: Float32Array.from(means), scales: Float32Array.from(scales), weight }
}
