export { alignClips, type AlignClipsOptions, type AlignedCaption } from './align-clips.js'
export { buildGuards, buildModel, type BuildModelOptions, buildObjectives, buildYardsticks } from './build.js'
export {
  changedKeys,
  configJsonSchema,
  configKeys,
  configSchemaId,
  families,
  parseConfig,
  type ParseConfigOptions,
  type RunConfig,
  setKeys,
  validationNumbers,
  valueAt,
} from './config.js'
export { upgraded } from './config-0.1.js'
export { type ConfigKey, loadPlugins } from '../registry/index.js'
export { evaluateRun, type EvaluateRunOptions, type RunClipsOptions } from './evaluate-run.js'
export { cacheFolderOf, type FeatureConfig, prepareClips, type PrepareOptions } from './prepare.js'
export {
  type ClipAlignment,
  openRunAligner,
  RunAligner,
  type RunAlignerOptions,
  type RunAlignOptions,
  type RunMomentOptions,
  unlabelledClips,
} from './run-aligner.js'
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
