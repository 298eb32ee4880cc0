import { SonotextError } from '../base/errors.js'
import type { Loss, RunningLoss } from '../losses/index.js'
import { type DualEncoder, loadState, type StateDict, stateOf } from '../models/index.js'
import type { BatchSource } from './batch-source.js'
import type { Checkpoint } from './checkpoint.js'
import type { RunningStopper, Stopper } from './early-stopping.js'
import type { Optimizer, RunningOptimizer } from './optimizers.js'
import type { RunningSchedule, Schedule } from './schedules.js'
import type { CollapseMonitor } from './watchdog.js'

/** What a run consists of: each part's description and the part that has state. */
export interface RunParts {
  readonly seed: number
  readonly model: DualEncoder
  readonly data: BatchSource
  readonly loss: { readonly spec: Loss; readonly running: RunningLoss }
  readonly optimizer: { readonly spec: Optimizer; readonly running: RunningOptimizer }
  readonly schedule: { readonly spec: Schedule; readonly running: RunningSchedule }
  readonly stopper: { readonly spec: Stopper; readonly running: RunningStopper } | null
  readonly collapse: CollapseMonitor
}

/** Where a run stands. */
export interface Progress {
  /** Optimiser steps done. */
  step: number
  /** Epochs done. */
  epoch: number
  /** Batches done of the current epoch. */
  batch: number
  /** Of the current epoch: pairs seen and the sum of their losses. */
  pairs: number
  lossSum: number
  /** Why the run stopped early. */
  stopped: string | null
  best: { readonly epoch: number; readonly metric: number; readonly state: StateDict } | null
}

export function startOfRun(): Progress {
  return { step: 0, epoch: 0, batch: 0, pairs: 0, lossSum: 0, stopped: null, best: null }
}

/** Copies of everything that going on needs; later steps do not change them. */
export function takeSnapshot(run: RunParts, { best, ...position }: Progress): Checkpoint {
  return {
    model: run.model.config,
    trainer: {
      ...position,
      seed: run.seed,
      source: run.data.state,
      loss: run.loss.spec.name,
      optimizer: { name: run.optimizer.spec.name, steps: run.optimizer.running.steps },
      schedule: { name: run.schedule.spec.name, state: run.schedule.running.state() },
      stopper: run.stopper && { name: run.stopper.spec.name, state: run.stopper.running.state() },
      stuckEpochs: run.collapse.stuckEpochs,
      best: best && { epoch: best.epoch, metric: best.metric },
    },
    parts: {
      model: run.model.state(),
      loss: stateOf(run.loss.running),
      optimizer: run.optimizer.running.state(),
      best: best?.state ?? new Map(),
    },
  }
}

/**
 * Puts a snapshot into the parts of a run made with the same options. Throws INVALID_CONFIG naming what is different,
 * INVALID_DATA when the batches are others.
 */
export function restoreSnapshot(
  run: RunParts,
  { model, trainer, parts }: Checkpoint,
  file: string,
): Progress {
  const compared = [
    ['architecture', JSON.stringify(model), JSON.stringify(run.model.config)],
    ['loss', trainer.loss, run.loss.spec.name],
    ['optimiser', trainer.optimizer.name, run.optimizer.spec.name],
    ['schedule', trainer.schedule.name, run.schedule.spec.name],
    ['stopper', trainer.stopper?.name ?? 'none', run.stopper?.spec.name ?? 'none'],
    ['seed', trainer.seed, run.seed],
  ] as const
  for (const [what, saved, here] of compared) {
    if (saved === here) continue
    const difference = what === 'architecture' ? '' : `: ${saved} instead of ${here}`
    throw new SonotextError(
      'INVALID_CONFIG',
      `Expected a checkpoint of this run, got one with another ${what}${difference}.`,
      {
        file,
        remedy: 'Resume with the options the run was started with, or start a new run in another folder.',
      },
    )
  }
  run.data.restore(trainer.source, file)
  run.model.load(parts.model as StateDict, file)
  loadState(run.loss.running, parts.loss as StateDict, file)
  run.optimizer.running.restore(trainer.optimizer.steps, parts.optimizer)
  run.schedule.running.restore(trainer.schedule.state)
  if (trainer.stopper !== null) run.stopper?.running.restore(trainer.stopper.state)
  run.collapse.stuckEpochs = trainer.stuckEpochs
  const { step, epoch, batch, pairs, lossSum, stopped, best } = trainer
  return {
    step,
    epoch,
    batch,
    pairs,
    lossSum,
    stopped,
    best: best && { ...best, state: parts.best as StateDict },
  }
}
