export type { AlignedSegment } from './segment.js'
export type { ScoreMap } from './score-map.js'
