export {
  type GroundedCaption,
  type GroundedPhrase,
  groundedSegments,
  parseAudioGrounding,
  readAudioGrounding,
} from './audio-grounding.js'
export { readAlignmentPredictions, readAlignmentTruth, type ReadTruthOptions } from './evaluation-files.js'
export * from './formats.js'
export { importAudioGrounding, importSegments, type LabelledClipsFiles } from './labelled-clips.js'
export {
  formatMomentLines,
  type JoinedMoments,
  joinMoments,
  type MomentLine,
  parseMomentLines,
  readMomentLines,
  writeMomentLines,
} from './moment-lines.js'
export type { LabelledSegment, RecordingSegments, SegmentFormat } from './recording-segments.js'
export { parseScoreLines, parseScoreTable, readScores, type RecordingScores } from './score-curves.js'
