export type { BatchSource, PairBatch } from './batch-source.js'
export { checkpointFile, loadModel, modelFile, saveModel } from './checkpoint.js'
export * from './early-stopping.js'
export { jsonlLogger, type Logger, type LogRecord, tensorBoardLogger } from './loggers.js'
export { adam, type AdamOptions, adamw, type Optimizer, type RunningOptimizer } from './optimizers.js'
export type { EpochReport, StepReport, TrainerOptions, TrainingReport, ValidationOptions } from './options.js'
export { optimizers, schedules, stoppers } from './registry.js'
export * from './schedules.js'
export { createTrainer, Trainer } from './trainer.js'
export type { CollapseOptions } from './watchdog.js'
export {
  evaluateModel,
  retrievalMeasures,
  scoreSplit,
  type SplitOptions,
  type SplitScores,
} from './evaluate-model.js'
