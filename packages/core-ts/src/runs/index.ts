export { alignClips, type AlignClipsOptions, type AlignedCaption } from './align-clips.js'
export { type AnsweredQuery, answerQueries, type AnswerQueriesOptions } from './align-moments.js'
export { buildGuards, buildModel, type BuildModelOptions, buildObjectives, buildYardsticks } from './build.js'
export { checkOnnx, type OnnxReport } from './check-onnx.js'
export {
  calibrateRun,
  type CalibrateOptions,
  type Classification,
  type ClassifyOptions,
  classifyRun,
} from './classify-run.js'
export {
  changedKeys,
  configJsonSchema,
  configKeys,
  configSchemaId,
  families,
  keyValues,
  parseConfig,
  type ParseConfigOptions,
  type RunConfig,
  setKeys,
  validationNumbers,
  valueAt,
} from './config.js'
export { upgraded } from './config-0.1.js'
export { type ConfigKey, loadPlugins } from '../registry/index.js'
export { embedRun, type EmbedRunOptions, type RunEmbeddings } from './embed-run.js'
export { type MadeWith, readMadeWith } from './made-with.js'
export { reportRuns } from './report-runs.js'
export { evaluateRun, type EvaluateRunOptions, type RunClipsOptions } from './evaluate-run.js'
export { evaluateRunPools, type EvaluateRunPoolsOptions } from './evaluate-pools.js'
export {
  evaluateMatrix,
  evaluateVectors,
  type EvaluateVectorsOptions,
  type NamedRows,
  readNamedRows,
  readTruth,
} from './evaluate-vectors.js'
export { frozenRun, type FrozenRunOptions } from './frozen-run.js'
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
export { type TowerVectors, towerVectorsOf } from './tower-vectors.js'
