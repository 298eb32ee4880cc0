import type { ClipFeatures } from '../audio/index.js'
import { type Matrix, matrix } from '../base/matrix.js'
import type { Clip } from './manifest.js'

/** The part of a longer clip that is wanted. */
export interface FeatureCrop {
  /** Frames; a clip that has no more is wanted whole. */
  readonly frames: number
  /** Where it starts, in [0, 1): of the starts there are, the one this far along. */
  readonly at: number
}

/**
 * Gives the features of a clip: a cache, a file reader, a table in memory. With `crop` it may read that part alone, by
 * {@link cropStart}, or give more: what is too long is cut afterwards.
 */
export type FeatureSource = (
  clip: Clip,
  options: { readonly signal?: AbortSignal; readonly crop?: FeatureCrop },
) => Promise<ClipFeatures>

/** First row of a crop of `rows` frames. */
export function cropStart(rows: number, { frames, at }: FeatureCrop): number {
  return rows <= frames ? 0 : Math.floor(at * (rows - frames + 1))
}

/** The rows of a crop; memory is shared. */
export function cropRows(features: Matrix, crop: FeatureCrop): Matrix {
  const { rows, cols, data } = features
  if (rows <= crop.frames) return features
  const start = cropStart(rows, crop)
  return matrix(crop.frames, cols, data.subarray(start * cols, (start + crop.frames) * cols))
}
