export type { BatchSource, PairBatch, TrainableModel } from './batch-source.js'
export { type Checkpoint, checkpointFile, readCheckpoint, writeCheckpoint } from './checkpoint.js'
export * from './early-stopping.js'
export type { Mix, StepBatches } from './feed.js'
export {
  type LearnedStep,
  Learner,
  type LearnerOptions,
  type LearnerSnapshot,
  type LearnerState,
} from './learner.js'
export { jsonlLogger, type Logger, type LogRecord, tensorBoardLogger } from './loggers.js'
export type { Objective, RunningObjective } from './objectives.js'
export { adam, type AdamOptions, adamw, type Optimizer, type RunningOptimizer } from './optimizers.js'
export type { EpochReport, StepReport, TrainerOptions, TrainingReport, ValidationOptions } from './options.js'
export type { ParameterGroup } from './parameter-groups.js'
export type { PickedNegatives } from './picked-negatives.js'
export { optimizers, schedules, stoppers } from './registry.js'
export { type LogLine, readLog } from './read-log.js'
export * from './schedules.js'
export { ratedLists, type RatedListsOptions } from './rated-lists.js'
export { sourcePart, type SourceSetting } from './source-part.js'
export { sources } from './sources.js'
export { trainInWorker, type TrainInWorkerOptions } from './train-in-worker.js'
export { createTrainer, Trainer } from './trainer.js'
export { type ValidationResult, Validator, type ValidatorOptions } from './validation.js'
export {
  checkFinite,
  CollapseMonitor,
  type CollapseOptions,
  type CollapseReport,
  type CollapseSigns,
  type CollapseState,
} from './watchdog.js'
export { aimOf, type Watched } from './watched.js'
