import type { Matrix } from '../base/matrix.js'

/** Features of one clip, or of a part of it. */
export interface ClipFeatures {
  /** [frames × cols] */
  readonly features: Matrix
  /** Seconds between frames. */
  readonly frameStep: number
  /** Length of the whole clip in seconds. */
  readonly duration: number
}
