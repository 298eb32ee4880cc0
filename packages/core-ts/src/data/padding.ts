import { expected } from '../base/errors.js'
import type { Matrix } from '../base/matrix.js'
import { checkOptions } from '../base/options.js'
import type { RowShare } from '../nn/row-share.js'

/** Features of n clips padded to one block. */
export interface PaddedFeatures {
  /** [n × t × bands] */
  readonly features: Float32Array
  readonly n: number
  /** Frames of the longest clip. */
  readonly t: number
  readonly bands: number
  /** [n] true frames */
  readonly lengths: Int32Array
  /** Which rows of a batch these are, where several processes share it. Default: all. */
  readonly share?: RowShare
}

/** Token indices of n captions padded to one block; padding is 0. */
export interface PaddedTokens {
  /** [n × width] */
  readonly tokens: Int32Array
  readonly n: number
  /** Words of the longest caption. */
  readonly width: number
  /** [n] true words */
  readonly lengths: Int32Array
  /** Which rows of a batch these are, where several processes share it. Default: all. */
  readonly share?: RowShare
}

/**
 * Pads clips [frames × bands] to the longest and to `leastFrames`. Throws INVALID_ARGUMENT when they differ in bands or one
 * has no frame.
 */
export function padFeatures(
  clips: readonly Matrix[],
  options: { leastFrames?: number; padValue?: number } = {},
): PaddedFeatures {
  checkOptions(options, 'padFeatures')
  const { leastFrames = 1, padValue = 0 } = options
  const bands = clips[0]?.cols ?? 0
  const t = clips.reduce((longest, clip) => Math.max(longest, clip.rows), leastFrames)
  const features = new Float32Array(clips.length * t * bands)
  for (const [i, { rows, cols, data }] of clips.entries()) {
    if (cols !== bands) throw expected(`${bands} bands as the first clip has`, `features of clip ${i}`, cols)
    if (rows === 0) throw expected('1 or more frames', `features of clip ${i}`, rows)
    features.set(data, i * t * bands)
    if (padValue !== 0) features.fill(padValue, (i * t + rows) * bands, (i + 1) * t * bands)
  }
  return { features, n: clips.length, t, bands, lengths: Int32Array.from(clips, ({ rows }) => rows) }
}

/** Pads captions to the longest, at least one word. */
export function padTokens(captions: readonly Int32Array[]): PaddedTokens {
  const width = captions.reduce((longest, caption) => Math.max(longest, caption.length), 1)
  const tokens = new Int32Array(captions.length * width)
  for (const [j, caption] of captions.entries()) tokens.set(caption, j * width)
  return { tokens, n: captions.length, width, lengths: Int32Array.from(captions, ({ length }) => length) }
}
