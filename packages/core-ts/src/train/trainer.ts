import { join } from 'node:path'
import { throwIfAborted } from '../base/abort.js'
import { expected, isSonotextError, SonotextError } from '../base/errors.js'
import { Rng } from '../base/rng.js'
import { lossInput, type LossOutput, type RunningLoss } from '../losses/index.js'
import { type DualEncoder, loadState, type ModelConfig, type StateDict, stateOf } from '../models/index.js'
import type { Parameter } from '../nn/index.js'
import { Tape } from '../nn/tape.js'
import type { PairBatch } from './batch-source.js'
import {
  type Checkpoint,
  checkpointFile,
  modelFile,
  readCheckpoint,
  saveModel,
  type TrainerState,
  writeCheckpoint,
} from './checkpoint.js'
import type { RunningStopper } from './early-stopping.js'
import type { LogRecord } from './loggers.js'
import type { RunningOptimizer } from './optimizers.js'
import type { EpochReport, StepReport, TrainerOptions, TrainingReport, ValidationOptions } from './options.js'
import { constant, improvement, type RunningSchedule } from './schedules.js'
import { validate } from './validation.js'
import { checkFinite, CollapseMonitor } from './watchdog.js'

/**
 * A training run that can be held: nothing happens but in the loop over {@link Trainer.steps}. Throws INVALID_ARGUMENT for
 * options that do not fit together.
 */
export function createTrainer(options: TrainerOptions): Trainer {
  return new Trainer(options)
}

interface Best {
  readonly epoch: number
  readonly metric: number
  readonly state: StateDict
}

export class Trainer implements AsyncDisposable {
  readonly model: DualEncoder
  readonly #options: TrainerOptions
  readonly #scheduleName: string
  readonly #rng: Rng
  readonly #loss: RunningLoss
  readonly #parameters: ReadonlyMap<string, Parameter>
  readonly #optimizer: RunningOptimizer
  readonly #schedule: RunningSchedule
  readonly #stopper: RunningStopper | null
  readonly #collapse: CollapseMonitor
  #step = 0
  #epoch = 0
  #batch = 0
  #pairs = 0
  #lossSum = 0
  #stopped: string | null = null
  #best: Best | null = null
  #logging = false
  /** Where the last checkpoint went, and the best epoch whose model file is there. */
  #saved: { directory: string; bestEpoch: number | null } | null = null

  constructor(options: TrainerOptions) {
    const {
      model,
      data,
      loss,
      optimizer,
      epochs,
      seed,
      schedule = constant(),
      saveEvery,
      validation,
    } = options
    if (!(Number.isInteger(epochs) && epochs >= 1)) throw expected('an integer above 0', 'epochs', epochs)
    if (!Number.isSafeInteger(seed) || seed < 0) throw expected('a whole number', 'seed', seed)
    if (saveEvery !== undefined && !(Number.isInteger(saveEvery) && saveEvery >= 1)) {
      throw expected('an integer above 0', 'saveEvery', saveEvery)
    }
    if (validation?.data === data)
      throw expected('batches of its own', 'validation.data', 'the training batches')
    this.model = model
    this.#options = options
    this.#rng = new Rng(seed, 'train')
    this.#loss = loss.build(model.backend)
    const ofLoss = [...this.#loss.parameters()].map(
      ([name, parameter]) => [`loss.${name}`, parameter] as const,
    )
    this.#parameters = new Map([...model.parameters(), ...ofLoss])
    this.#optimizer = optimizer.start(model.backend, this.#parameters)
    this.#scheduleName = schedule.name
    this.#schedule = schedule.start({ base: optimizer.lr, epochs })
    this.#stopper = options.stopper?.start() ?? null
    this.#collapse = new CollapseMonitor(options.collapse)
  }

  /** Optimiser steps done. */
  get step(): number {
    return this.#step
  }

  /** Epochs done, with fraction. */
  get epoch(): number {
    return this.#epoch + this.#batch / this.#options.data.batchesPerEpoch
  }

  get finished(): boolean {
    return this.#epoch >= this.#options.epochs || this.#stopped !== null
  }

  /** The best epoch so far and its monitored number; null before the first epoch's end. */
  get best(): { readonly epoch: number; readonly metric: number } | null {
    return this.#best && { epoch: this.#best.epoch, metric: this.#best.metric }
  }

  /**
   * Trains on from where the run stands to its end: a report for every step and every epoch. The event loop runs between
   * steps. Leaving the loop early keeps the position. When the signal fires, the step under way is finished, a checkpoint
   * is written to `directory` if there is one, and ABORTED is thrown. Throws NUMERIC, without taking the step, when the
   * loss or a gradient is not finite; the last checkpoint stays as it is.
   */
  async *steps({ signal }: { signal?: AbortSignal } = {}): AsyncGenerator<TrainingReport, void, undefined> {
    const { data, directory, saveEvery } = this.#options
    this.#openLogs()
    try {
      if (this.#step === 0 && this.#best === null && this.#options.validation)
        yield await this.#endEpoch(signal)
      while (!this.finished) {
        throwIfAborted(signal)
        if (this.#batch < data.batchesPerEpoch) {
          for await (const batch of data.epoch({ ...(signal && { signal }) })) {
            yield this.#train(batch)
            const due = saveEvery !== undefined && this.#step % saveEvery === 0
            if (due && directory !== undefined) await this.save(directory)
            await new Promise((resolve) => setImmediate(resolve))
            throwIfAborted(signal)
          }
        }
        yield await this.#endEpoch(signal)
      }
    } catch (error) {
      const aborted = isSonotextError(error) && error.code === 'ABORTED'
      if (aborted && directory !== undefined) await this.save(directory)
      this.#log('end', {}, error instanceof Error ? error.message : String(error))
      throw error
    }
    this.#log('end', {}, this.#stopped ?? `all ${this.#options.epochs} epochs done`)
  }

  /**
   * Writes everything needed to go on bit for bit to `checkpoint.safetensors`, and the best epoch's model to
   * `model.safetensors`, each atomically. Call it between steps. Throws WRITE_FAILED; what was there before stays valid.
   */
  async save(directory: string): Promise<void> {
    const best = this.#best
    await writeCheckpoint(directory, this.#snapshot())
    const written = this.#saved?.directory === directory ? this.#saved.bestEpoch : null
    if (best === null || best.epoch !== written) {
      await saveModel(this.model, join(directory, modelFile), best?.state)
    }
    this.#saved = { directory, bestEpoch: best?.epoch ?? null }
  }

  /**
   * Goes on from a checkpoint that {@link save} wrote, made by a trainer with the same options. Throws MISSING_FILE,
   * INVALID_FILE when it is cut short, INVALID_CONFIG when it belongs to another model, loss, optimiser, schedule or seed,
   * INVALID_DATA when to other data.
   */
  async resume(directory: string): Promise<void> {
    const { model, trainer, parts } = await readCheckpoint(directory)
    const file = join(directory, checkpointFile)
    this.#refuseOthers(model, trainer, file)
    this.#options.data.restore(trainer.source)
    this.model.load(parts.model as StateDict, file)
    loadState(this.#loss, parts.loss as StateDict, file)
    this.#optimizer.restore(trainer.optimizer.steps, parts.optimizer)
    this.#schedule.restore(trainer.schedule.state)
    if (trainer.stopper !== null) this.#stopper?.restore(trainer.stopper.state)
    this.#collapse.stuckEpochs = trainer.stuckEpochs
    this.#step = trainer.step
    this.#epoch = trainer.epoch
    this.#batch = trainer.batch
    this.#pairs = trainer.pairs
    this.#lossSum = trainer.lossSum
    this.#stopped = trainer.stopped
    this.#best = trainer.best && { ...trainer.best, state: parts.best as StateDict }
    this.#saved = { directory, bestEpoch: null }
  }

  /** Puts the best epoch's weights into the model. Does nothing when no epoch has ended. */
  loadBest(): void {
    if (this.#best) this.model.load(this.#best.state)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const parameter of this.#parameters.values()) parameter.zeroGrad()
    this.#optimizer[Symbol.dispose]()
    for (const logger of this.#options.loggers ?? []) logger.close()
    this.#logging = false
  }

  /** One step. Everything random in it follows from the seed and the step's number alone. */
  #train(batch: PairBatch): StepReport {
    const started = performance.now()
    const at = { step: this.#step + 1, epoch: this.epoch }
    const lastGood = this.#saved?.directory ?? null
    const rng = this.#rng.fork(at.step)
    const lr = this.#schedule.rate(this.epoch)
    using tape = new Tape(this.model.backend, { training: true, rng: rng.fork('dropout') })
    const { loss: value, statistics: read } = this.#computeLoss(tape, batch, rng.fork('loss'), at.step)
    const statistics = read()
    const loss = value.item()
    checkFinite('loss', loss, at, lastGood)
    if (value.requiresGrad) tape.backward(value)
    const gradNorm = this.#optimizer.gradientNorm()
    checkFinite('gradient', gradNorm, at, lastGood)
    this.#optimizer.step(lr, gradNorm)
    for (const parameter of this.#parameters.values()) parameter.zeroGrad()

    const { groups } = batch
    const pairs = groups.length
    this.#step++
    this.#batch++
    this.#pairs += pairs
    this.#lossSum += pairs * loss
    const warnings = groups.every((group) => group === groups[0])
      ? [`The batch of step ${at.step} holds pairs of one clip only: there was nothing to tell apart.`]
      : []
    const seconds = (performance.now() - started) / 1000
    this.#log('step', { ...statistics, loss, lr, gradNorm, pairs, seconds })
    for (const warning of warnings) this.#log('warning', {}, warning)
    return {
      kind: 'step',
      step: this.#step,
      epoch: this.epoch,
      loss,
      lr,
      gradNorm,
      pairs,
      seconds,
      statistics,
      warnings,
    }
  }

  #computeLoss(tape: Tape, batch: PairBatch, rng: Rng, step: number): LossOutput {
    const { model, loss } = this.#options
    try {
      const sides = { ...model.forward(tape, batch), groups: batch.groups, rng }
      return this.#loss.compute(lossInput(tape, loss.needs, model.similarity, sides))
    } catch (cause) {
      if (!isSonotextError(cause) || cause.code !== 'NUMERIC') throw cause
      throw new SonotextError('NUMERIC', `at step ${step}: ${cause.message}`, { cause })
    }
  }

  /** Validation, schedule, stopper and checkpoint. Before the first step it only looks at the untrained model. */
  async #endEpoch(signal: AbortSignal | undefined): Promise<EpochReport> {
    const { validation, directory } = this.#options
    const trained = this.#step > 0
    const epoch = this.#epoch + (trained ? 1 : 0)
    const trainLoss = trained ? this.#lossSum / this.#pairs : null
    const looked = validation && (await this.#validate(validation, epoch, signal))
    const metric = looked?.metric ?? trainLoss ?? Infinity
    const best = improvement(validation?.mode ?? 'min')(metric, this.#best?.metric ?? null)
    if (best) this.#best = { epoch, metric, state: this.model.state() }
    if (trained) {
      const watched = looked?.loss ?? trainLoss!
      this.#schedule.epochEnd(watched)
      this.#stopped = this.#stopper?.epochEnd(watched) ?? null
      this.#epoch++
      this.#batch = 0
      this.#pairs = 0
      this.#lossSum = 0
      if (directory !== undefined) await this.save(directory)
    }
    const numbers = looked?.values ?? {}
    const warnings = looked?.warnings ?? []
    const prefixed = Object.entries(numbers).map(([name, value]) => [`validation.${name}`, value] as const)
    this.#log('epoch', { ...(trainLoss !== null && { trainLoss }), ...Object.fromEntries(prefixed) })
    for (const warning of warnings) this.#log('warning', {}, warning)
    return {
      kind: 'epoch',
      step: this.#step,
      epoch,
      trainLoss,
      validation: numbers,
      best,
      warnings,
      stopped: this.#stopped,
    }
  }

  async #validate(validation: ValidationOptions, epoch: number, signal: AbortSignal | undefined) {
    const { loss, seed } = this.#options
    const { model } = this
    const losses = {
      main: { loss, running: this.#loss },
      yardsticks: new Map(Object.entries(validation.yardsticks ?? {})),
    }
    const options = { ...(signal && { signal }) }
    const result = await validate(model, validation.data, losses, { seed, ...options })
    checkFinite('validation loss', result.loss, { step: this.#step, epoch }, this.#saved?.directory ?? null)
    const measured = (await validation.measure?.(model, options)) ?? {}
    const collapse = this.#collapse.epochEnd(result.signs)
    const values: Record<string, number> = {
      loss: result.loss,
      ...result.yardsticks,
      ...measured,
      ...collapse.values,
    }
    const { monitor = 'loss' } = validation
    const metric = values[monitor]
    if (metric === undefined)
      throw expected(`one of ${Object.keys(values).join(', ')}`, 'validation.monitor', monitor)
    return { loss: result.loss, metric, values, warnings: epoch === 0 ? [] : collapse.warnings }
  }

  #snapshot(): Checkpoint {
    const { loss, optimizer, stopper, seed, data } = this.#options
    const best = this.#best
    return {
      model: this.model.config,
      trainer: {
        seed,
        step: this.#step,
        epoch: this.#epoch,
        batch: this.#batch,
        pairs: this.#pairs,
        lossSum: this.#lossSum,
        source: data.state,
        loss: loss.name,
        optimizer: { name: optimizer.name, steps: this.#optimizer.steps },
        schedule: { name: this.#scheduleName, state: this.#schedule.state() },
        stopper: this.#stopper && { name: stopper!.name, state: this.#stopper.state() },
        stopped: this.#stopped,
        stuckEpochs: this.#collapse.stuckEpochs,
        best: best && { epoch: best.epoch, metric: best.metric },
      },
      parts: {
        model: this.model.state(),
        loss: stateOf(this.#loss),
        optimizer: this.#optimizer.state(),
        best: best?.state ?? new Map(),
      },
    }
  }

  #refuseOthers(model: ModelConfig, trainer: TrainerState, file: string): void {
    const { loss, optimizer, stopper, seed } = this.#options
    const pairs = [
      ['model', JSON.stringify(model), JSON.stringify(this.model.config)],
      ['loss', trainer.loss, loss.name],
      ['optimiser', trainer.optimizer.name, optimizer.name],
      ['schedule', trainer.schedule.name, this.#scheduleName],
      ['stopper', trainer.stopper?.name ?? 'none', stopper?.name ?? 'none'],
      ['seed', trainer.seed, seed],
    ] as const
    for (const [what, saved, here] of pairs) {
      if (saved === here) continue
      const difference = what === 'model' ? 'another architecture' : `${saved} instead of ${here}`
      throw new SonotextError(
        'INVALID_CONFIG',
        `Expected a checkpoint of this run, got one whose ${what} is different: ${difference}.`,
        {
          file,
          remedy:
            'Resume with the options that the run was started with, or start a new run in another folder.',
        },
      )
    }
  }

  #openLogs(): void {
    if (this.#logging) return
    this.#logging = true
    for (const logger of this.#options.loggers ?? []) logger.open(this.#step)
    this.#log(
      'start',
      {},
      `${this.#step === 0 ? 'new run' : `resumed at step ${this.#step}`}, seed ${this.#options.seed}`,
    )
  }

  #log(kind: LogRecord['kind'], values: Readonly<Record<string, number>>, message?: string): void {
    const record = {
      kind,
      step: this.#step,
      epoch: this.epoch,
      values,
      ...(message !== undefined && { message }),
    }
    for (const logger of this.#options.loggers ?? []) logger.write(record)
  }
}
