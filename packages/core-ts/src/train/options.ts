import type { Comm } from '../comm/index.js'
import type { Loss } from '../losses/index.js'
import type { DualEncoder } from '../models/index.js'
import type { Guard } from '../negatives/index.js'
import type { Parameter } from '../nn/tensor.js'
import type { BatchSource, TrainableModel } from './batch-source.js'
import type { Stopper } from './early-stopping.js'
import type { Mix } from './feed.js'
import type { LearnedStep } from './learner.js'
import type { Logger } from './loggers.js'
import type { Objective } from './objectives.js'
import type { Optimizer } from './optimizers.js'
import type { PickedNegatives } from './picked-negatives.js'
import type { Schedule } from './schedules.js'
import type { Watched } from './watched.js'
import type { CollapseOptions } from './watchdog.js'

/** What the trainer looks at after an epoch. */
export interface ValidationOptions<M extends TrainableModel = DualEncoder> {
  /** Its own batches; the same ones are looked at every time. */
  data: BatchSource
  /** Epochs between two looks; the last epoch is always looked at. Default 1. */
  every?: number
  /** Further losses to log, by name, as a yardstick over runs with different losses. */
  yardsticks?: Readonly<Record<string, Loss>>
  /** Further numbers to log, by name, for example mAP@10 of the whole split. */
  measure?: (model: M, options: { signal?: AbortSignal }) => Promise<Readonly<Record<string, number>>>
  /** Which number tells the best epoch: 'loss', a yardstick or a measure. Default 'loss'. */
  monitor?: Watched
  /** Which number schedule and stopper watch. Default: `monitor`. */
  watch?: Watched
}

/** Options of {@link createTrainer}. */
export interface TrainerOptions<M extends TrainableModel = DualEncoder> {
  model: M
  /** Batches of the one objective there is … */
  data?: BatchSource
  /** … and its loss. */
  loss?: Loss
  /** In place of `data` and `loss`: several. The first one's source says how long an epoch is, and its loss is validated. */
  objectives?: readonly Objective[]
  /** How several sources take part. Default 'sum': a step has a batch of each. */
  mix?: Mix
  /** Pairs that must not be negatives, besides those of one group; in validation too. */
  guards?: readonly Guard[]
  optimizer: Optimizer
  /** Epochs of the whole run. */
  epochs: number
  /** Seed of everything drawn while training: dropout, negatives. */
  seed: number
  /** Default {@link constant}. */
  schedule?: Schedule
  validation?: ValidationOptions<M>
  /** Ends the run before its last epoch. Default: never. */
  stopper?: Stopper
  /** Called between a step's backward pass and the optimiser: gradients lie in the parameters and may be changed. */
  onGradients?: (step: LearnedStep, parameters: ReadonlyMap<string, Parameter>) => void | Promise<void>
  loggers?: readonly Logger[]
  /** Folder in which checkpoints are kept: after every epoch, on abort, and as `saveEvery` says. Default: only by {@link Trainer.save}. */
  directory?: string
  /** Steps between further checkpoints. Default: none. */
  saveEvery?: number
  /** Steps between readings of loss and statistics; on a device every reading waits for the step. Default 1. */
  readEvery?: number
  /** Whether step reports and logs say which negatives were picked. Default false. */
  recordNegatives?: boolean
  /** When to warn of collapse. */
  collapse?: CollapseOptions
  /**
   * The processes that share every batch, each with a trainer of the same options and data; k of them give the losses and weights of one. Rank 0
   * validates and writes. Default: one process.
   */
  comm?: Comm
}

/** One optimiser step. */
export interface StepReport {
  readonly kind: 'step'
  /** Steps done, this one included. */
  readonly step: number
  /** Epochs done, with fraction. */
  readonly epoch: number
  /** Null where it is not read. */
  readonly loss: number | null
  readonly lr: number
  readonly gradNorm: number
  /** Pairs in the batches. */
  readonly pairs: number
  readonly seconds: number
  /** Numbers of the loss, such as the share of active hinges; empty where they are not read. */
  readonly statistics: Readonly<Record<string, number>>
  /** What was set against each pair; empty unless `recordNegatives` asks for it. */
  readonly negatives: readonly PickedNegatives[]
  readonly warnings: readonly string[]
}

/** The end of an epoch; epoch 0 is the untrained model. */
export interface EpochReport {
  readonly kind: 'epoch'
  readonly step: number
  readonly epoch: number
  /** Mean loss over the epoch's training pairs; null for epoch 0, and when no loss was read. */
  readonly trainLoss: number | null
  /** `loss`, yardsticks, measures and collapse monitors; empty without validation. */
  readonly validation: Readonly<Record<string, number>>
  /** Whether it is the best so far. */
  readonly best: boolean
  readonly warnings: readonly string[]
  /** Why the run ends here, before its last epoch. */
  readonly stopped: string | null
}

/** What a training tells as it goes. */
export type TrainingReport = StepReport | EpochReport
