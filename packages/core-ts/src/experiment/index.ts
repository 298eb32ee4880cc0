export { buildLoss, buildModel, buildOptimizer, buildSchedule, buildStopper } from './build.js'
export {
  type ConfigKey,
  configKeys,
  type ExperimentConfig,
  experimentSchema,
  parseConfig,
  setKey,
} from './config.js'
export { evaluateRun, type EvaluateRunOptions, type RunClipsOptions } from './evaluate-run.js'
export { type FeatureConfig, prepareClips, type PrepareOptions } from './prepare.js'
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
