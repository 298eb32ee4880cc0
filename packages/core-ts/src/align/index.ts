export * from './evaluation/index.js'
export * from './files/index.js'
export type { AlignedSegment } from './segment.js'
export type { ScoreMap } from './score-map.js'
export { activeSpans, type ActivityOptions, type FrameSpan, medianFilter } from './activity.js'
export { align, type AlignOptions, phrasesOf } from './align.js'
export { calibrate, calibrationOf, type PhraseCalibration, shareBelow } from './calibration.js'
export { decodeSegments, segmentSettings, type SegmentOptions, smoothedScores } from './decode-segments.js'
export { jointDecode, type Order, type PhraseRelation } from './joint-decode.js'
export { calibratedScaling, minMaxScaling, type Scaling } from './scaling.js'
export {
  type AlignScorer,
  checkSmooth,
  phraseScores,
  type PhraseScorer,
  scoreClip,
  type ScoreClipOptions,
  type WordReduction,
} from './scorer.js'
export {
  findMoments,
  type FindMomentsOptions,
  type Moment,
  type MomentOptions,
  momentSettings,
  momentsOf,
} from './moments.js'
