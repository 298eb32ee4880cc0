export { readAlignmentPredictions, readAlignmentTruth, type ReadTruthOptions } from './evaluation-files.js'
export {
  formatMomentLines,
  type JoinedMoments,
  joinMoments,
  type MomentLine,
  type MomentRecord,
  parseMomentLines,
  readMomentLines,
  toMomentRecord,
  writeMomentLines,
} from './moment-lines.js'
export { parseScoreLines, parseScoreTable, readScores, type RecordingScores } from './score-curves.js'
