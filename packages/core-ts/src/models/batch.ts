import { expected } from '../base/errors.js'
import type { Matrix } from '../base/matrix.js'
import type { TokenBatch } from './encoder.js'

/** Features of several clips, padded with zeros to the longest: [n, t, bands]. */
export interface FeatureBatch {
  readonly features: Float32Array
  readonly n: number
  /** Frames of the longest clip. */
  readonly t: number
  readonly bands: number
  /** [n] true frames. */
  readonly lengths: Int32Array
}

/** Pads clips [frames × bands] to one batch of at least `leastFrames` frames. */
export function featureBatch(clips: readonly Matrix[], bands: number, leastFrames = 1): FeatureBatch {
  const t = clips.reduce((longest, clip) => Math.max(longest, clip.rows), leastFrames)
  const features = new Float32Array(clips.length * t * bands)
  for (const [i, { cols, data }] of clips.entries()) {
    if (cols !== bands) throw expected(`${bands} numbers in a frame`, `features of clip ${i}`, cols)
    features.set(data, i * t * bands)
  }
  return { features, n: clips.length, t, bands, lengths: Int32Array.from(clips, ({ rows }) => rows) }
}

/** Pads captions to one batch of at least one word. */
export function tokenBatch(captions: readonly Int32Array[]): TokenBatch {
  const width = captions.reduce((longest, caption) => Math.max(longest, caption.length), 1)
  const tokens = new Int32Array(captions.length * width)
  for (const [j, caption] of captions.entries()) tokens.set(caption, j * width)
  return { tokens, n: captions.length, width, lengths: Int32Array.from(captions, ({ length }) => length) }
}
