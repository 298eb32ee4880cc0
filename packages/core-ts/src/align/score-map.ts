import type { Matrix } from '../base/matrix.js'

/** How well every frame of a recording, or of a piece of it, matches every phrase or word; larger = better. */
export interface ScoreMap {
  /** [frames × phrases or words] */
  readonly scores: Matrix
  /** Seconds between frames: frame i covers [start + i · frameStep, start + (i + 1) · frameStep). */
  readonly frameStep: number
  /** Seconds from the beginning of the recording to that of the first frame. */
  readonly start: number
  /** Seconds at which the recording ends, where it is known: the last frame may reach beyond. */
  readonly end?: number
}
