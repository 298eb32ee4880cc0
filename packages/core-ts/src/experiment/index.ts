export { evaluateRun, type EvaluateRunOptions, type RunClipsOptions } from './evaluate-run.js'
export { type FeatureConfig, type PreparedClips, prepareClips, type PrepareOptions } from './prepare.js'
export { type OpenRun, openRun, readRunConfig, runFiles } from './run-folder.js'
export {
  type CaptionHit,
  type ClipHit,
  searchCaptions,
  searchRun,
  type SearchRunOptions,
  unknownWords,
} from './search-run.js'
export { trainRun, type TrainRunOptions, type TrainRunResult } from './train-run.js'
