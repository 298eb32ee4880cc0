import type { Loss } from '../losses/index.js'
import type { DualEncoder } from '../models/index.js'
import type { BatchSource } from './batch-source.js'
import type { Stopper } from './early-stopping.js'
import type { Logger } from './loggers.js'
import type { Optimizer } from './optimizers.js'
import type { Schedule } from './schedules.js'
import type { CollapseOptions } from './watchdog.js'

export interface ValidationOptions {
  /** Its own batches; the same ones are looked at after every epoch. */
  data: BatchSource
  /** Further losses to log, by name, as a yardstick over runs with different losses. */
  yardsticks?: Readonly<Record<string, Loss>>
  /** Further numbers to log, by name, for example mAP@10 of the whole split. */
  measure?: (
    model: DualEncoder,
    options: { signal?: AbortSignal },
  ) => Promise<Readonly<Record<string, number>>>
  /** Which number tells the best epoch: 'loss', a yardstick or a measure. Default 'loss'. */
  monitor?: string
  /** Whether a lower or a higher one is better. Default min. */
  mode?: 'min' | 'max'
}

export interface TrainerOptions {
  model: DualEncoder
  data: BatchSource
  loss: Loss
  optimizer: Optimizer
  /** Epochs of the whole run. */
  epochs: number
  /** Seed of everything drawn while training: dropout, negatives. */
  seed: number
  /** Default {@link constant}. */
  schedule?: Schedule
  validation?: ValidationOptions
  /** Ends the run before its last epoch. Default: never. */
  stopper?: Stopper
  loggers?: readonly Logger[]
  /** Folder in which checkpoints are kept: after every epoch, on abort, and as `saveEvery` says. Default: only by {@link Trainer.save}. */
  directory?: string
  /** Steps between further checkpoints. Default: none. */
  saveEvery?: number
  /** When to warn of collapse. */
  collapse?: CollapseOptions
}

/** One optimiser step. */
export interface StepReport {
  readonly kind: 'step'
  /** Steps done, this one included. */
  readonly step: number
  /** Epochs done, with fraction. */
  readonly epoch: number
  readonly loss: number
  readonly lr: number
  readonly gradNorm: number
  /** Pairs in the batch. */
  readonly pairs: number
  readonly seconds: number
  /** Numbers of the loss, such as the share of active hinges. */
  readonly statistics: Readonly<Record<string, number>>
  readonly warnings: readonly string[]
}

/** The end of an epoch; epoch 0 is the untrained model. */
export interface EpochReport {
  readonly kind: 'epoch'
  readonly step: number
  readonly epoch: number
  /** Mean loss over the epoch's training pairs; null for epoch 0. */
  readonly trainLoss: number | null
  /** `loss`, yardsticks, measures and collapse monitors; empty without validation. */
  readonly validation: Readonly<Record<string, number>>
  /** Whether it is the best so far. */
  readonly best: boolean
  readonly warnings: readonly string[]
  /** Why the run ends here, before its last epoch. */
  readonly stopped: string | null
}

export type TrainingReport = StepReport | EpochReport
