import { join } from 'node:path'
import { throwIfAborted } from '../base/abort.js'
import { expected, isSonotextError, SonotextError } from '../base/errors.js'
import { Rng } from '../base/rng.js'
import { checkOptions } from '../base/options.js'
import { LossInput, type LossOutput } from '../losses/index.js'
import type { DualEncoder } from '../models/index.js'
import type { Parameter } from '../nn/index.js'
import { Tape } from '../nn/tape.js'
import type { PairBatch } from './batch-source.js'
import { checkpointFile, modelFile, readCheckpoint, saveModel, writeCheckpoint } from './checkpoint.js'
import type { LogRecord } from './loggers.js'
import type { EpochReport, StepReport, TrainerOptions, TrainingReport, ValidationOptions } from './options.js'
import { type Progress, restoreSnapshot, type RunParts, startOfRun, takeSnapshot } from './run-parts.js'
import { constant, improvement } from './schedules.js'
import { validate } from './validation.js'
import { checkFinite, CollapseMonitor } from './watchdog.js'

/**
 * A training run that can be held: nothing happens but in the loop over {@link Trainer.steps}. Throws INVALID_ARGUMENT for
 * options that do not fit together.
 */
export function createTrainer(options: TrainerOptions): Trainer {
  checkOptions(options, 'createTrainer')
  return new Trainer(options)
}

export class Trainer implements AsyncDisposable {
  readonly model: DualEncoder
  readonly #options: TrainerOptions
  readonly #run: RunParts
  readonly #rng: Rng
  readonly #parameters: ReadonlyMap<string, Parameter>
  #at: Progress = startOfRun()
  #logging = false
  #looping = false
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
      stopper,
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
    const running = loss.build(model.backend)
    const ofLoss = [...running.parameters()].map(([name, parameter]) => [`loss.${name}`, parameter] as const)
    this.model = model
    this.#options = options
    this.#rng = new Rng(seed, 'train')
    this.#parameters = new Map([...model.parameters(), ...ofLoss])
    this.#run = {
      seed,
      model,
      data,
      loss: { spec: loss, running },
      optimizer: { spec: optimizer, running: optimizer.start(model.backend, this.#parameters) },
      schedule: { spec: schedule, running: schedule.start({ base: optimizer.lr, epochs }) },
      stopper: stopper === undefined ? null : { spec: stopper, running: stopper.start() },
      collapse: new CollapseMonitor(options.collapse),
    }
  }

  /** Optimiser steps of the whole run, when nothing ends it early. */
  get totalSteps(): number {
    return this.#options.epochs * this.#options.data.batchesPerEpoch
  }

  /** Optimiser steps done. */
  get step(): number {
    return this.#at.step
  }

  /** Epochs done, with fraction. */
  get epoch(): number {
    return this.#at.epoch + this.#at.batch / this.#options.data.batchesPerEpoch
  }

  get finished(): boolean {
    return this.#at.epoch >= this.#options.epochs || this.#at.stopped !== null
  }

  /** The best epoch so far and its monitored number; null before the first look at the validation batches. */
  get best(): { readonly epoch: number; readonly metric: number } | null {
    return this.#at.best && { epoch: this.#at.best.epoch, metric: this.#at.best.metric }
  }

  /**
   * Trains on from where the run stands to its end: a report for every step and every epoch. The event loop runs between
   * steps. Leaving the loop early keeps the position. When the signal fires, the step under way is finished, a checkpoint
   * is written to `directory` if there is one, and ABORTED is thrown. Throws NUMERIC, without taking the step, when the
   * loss or a gradient is not finite; the last checkpoint stays as it is.
   */
  async *steps({ signal }: { signal?: AbortSignal } = {}): AsyncGenerator<TrainingReport, void, undefined> {
    const { data, directory, saveEvery, validation, epochs } = this.#options
    if (this.#looping) throw expected('one loop at a time', 'steps()', 'a second one')
    this.#looping = true
    this.#openLogs()
    try {
      if (this.#at.step === 0 && this.#at.best === null && validation) yield await this.#endEpoch(signal)
      while (!this.finished) {
        throwIfAborted(signal)
        if (this.#at.batch < data.batchesPerEpoch) {
          for await (const batch of data.epoch({ ...(signal && { signal }) })) {
            yield this.#train(batch)
            const due = saveEvery !== undefined && this.#at.step % saveEvery === 0
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
    } finally {
      this.#looping = false
    }
    this.#log('end', {}, this.#at.stopped ?? `all ${epochs} epochs done`)
  }

  /**
   * Writes everything needed to go on bit for bit to `checkpoint.safetensors`, and the best epoch's model to
   * `model.safetensors`, each atomically. Call it between steps. Throws WRITE_FAILED; what was there before stays valid.
   */
  async save(directory: string): Promise<void> {
    const { best } = this.#at
    await writeCheckpoint(directory, takeSnapshot(this.#run, this.#at))
    const written = this.#saved?.directory === directory ? this.#saved.bestEpoch : null
    if (best === null || best.epoch !== written) {
      await saveModel(this.model, join(directory, modelFile), best?.state)
    }
    this.#saved = { directory, bestEpoch: best?.epoch ?? null }
  }

  /**
   * Goes on from a checkpoint that {@link save} wrote, made by a trainer with the same options. Throws MISSING_FILE,
   * INVALID_FILE when it is cut short, INVALID_CONFIG when it belongs to another architecture, loss, optimiser, schedule,
   * stopper or seed, INVALID_DATA when to other data.
   */
  async resume(directory: string): Promise<void> {
    const checkpoint = await readCheckpoint(directory)
    this.#at = restoreSnapshot(this.#run, checkpoint, join(directory, checkpointFile))
    this.#saved = { directory, bestEpoch: null }
  }

  /** Puts the best epoch's weights into the model. Does nothing when no epoch has ended. */
  loadBest(): void {
    if (this.#at.best) this.model.load(this.#at.best.state)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#run.optimizer.running[Symbol.dispose]()
    for (const logger of this.#options.loggers ?? []) logger.close()
    this.#logging = false
  }

  /** One step. Everything random in it follows from the seed and the step's number alone. */
  #train(batch: PairBatch): StepReport {
    const started = performance.now()
    const { optimizer, schedule } = this.#run
    const at = { step: this.#at.step + 1, epoch: this.epoch }
    const lastGood = this.#saved?.directory ?? null
    const rng = this.#rng.fork(at.step)
    const lr = schedule.running.rate(this.epoch)
    using tape = new Tape(this.model.backend, { training: true, rng: rng.fork('dropout') })
    const { loss: value, statistics: read } = this.#computeLoss(tape, batch, rng.fork('loss'), at.step)
    const statistics = read()
    const loss = value.item()
    checkFinite('loss', loss, at, lastGood)
    let gradNorm: number
    try {
      if (value.requiresGrad) tape.backward(value)
      gradNorm = optimizer.running.gradientNorm()
      checkFinite('gradient', gradNorm, at, lastGood)
      optimizer.running.step(lr, gradNorm)
    } finally {
      for (const parameter of this.#parameters.values()) parameter.zeroGrad()
    }

    const { items } = batch
    const pairs = items.length
    this.#at.step++
    this.#at.batch++
    this.#at.pairs += pairs
    this.#at.lossSum += pairs * loss
    const warnings = items.every(({ group }) => group === items[0]!.group)
      ? [`The batch of step ${at.step} holds pairs of one clip only: there was nothing to tell apart.`]
      : []
    const seconds = (performance.now() - started) / 1000
    this.#log('step', { ...statistics, loss, lr, gradNorm, pairs, seconds })
    for (const warning of warnings) this.#log('warning', {}, warning)
    const { epoch } = this
    return { kind: 'step', step: at.step, epoch, loss, lr, gradNorm, pairs, seconds, statistics, warnings }
  }

  #computeLoss(tape: Tape, batch: PairBatch, rng: Rng, step: number): LossOutput {
    const { model, loss } = this.#run
    try {
      const pairs = { ...model.forward(tape, batch), items: batch.items, step, epoch: this.epoch }
      return loss.running.compute(new LossInput(tape, model.similarity, pairs), rng)
    } catch (cause) {
      if (!isSonotextError(cause) || cause.code !== 'NUMERIC') throw cause
      throw new SonotextError('NUMERIC', `at step ${step}: ${cause.message}`, { cause })
    }
  }

  /** Validation, schedule, stopper and checkpoint. Before the first step it only looks at the untrained model. */
  async #endEpoch(signal: AbortSignal | undefined): Promise<EpochReport> {
    const { validation, directory } = this.#options
    const { schedule, stopper, model } = this.#run
    const trained = this.#at.step > 0
    const epoch = this.#at.epoch + (trained ? 1 : 0)
    const trainLoss = trained ? this.#at.lossSum / this.#at.pairs : null
    const looked = validation && (await this.#validate(validation, epoch, signal))
    const metric = looked?.metric ?? trainLoss!
    const best = improvement(validation?.mode ?? 'min')(metric, this.#at.best?.metric ?? null)
    if (best) this.#at.best = { epoch, metric, state: model.state() }
    const numbers = looked?.values ?? {}
    const warnings = looked?.warnings ?? []
    if (trained) {
      const watched = looked?.loss ?? trainLoss!
      schedule.running.epochEnd(watched)
      this.#at.stopped = stopper?.running.epochEnd(watched) ?? null
      Object.assign(this.#at, { epoch, batch: 0, pairs: 0, lossSum: 0 })
      if (directory !== undefined) await this.save(directory)
    }
    const prefixed = Object.entries(numbers).map(([name, value]) => [`validation.${name}`, value] as const)
    this.#log('epoch', { ...(trainLoss !== null && { trainLoss }), ...Object.fromEntries(prefixed) })
    for (const warning of warnings) this.#log('warning', {}, warning)
    const { step, stopped } = this.#at
    return { kind: 'epoch', step, epoch, trainLoss, validation: numbers, best, warnings, stopped }
  }

  async #validate(validation: ValidationOptions, epoch: number, signal: AbortSignal | undefined) {
    const { model, loss, seed, collapse } = this.#run
    const losses = { main: loss, yardsticks: new Map(Object.entries(validation.yardsticks ?? {})) }
    const options = { ...(signal && { signal }) }
    const result = await validate(model, validation.data, losses, { seed, ...options })
    checkFinite(
      'validation loss',
      result.loss,
      { step: this.#at.step, epoch },
      this.#saved?.directory ?? null,
    )
    const measured = (await validation.measure?.(model, options)) ?? {}
    // The untrained model may look collapsed; only what training makes of it counts.
    const signs = epoch === 0 ? null : collapse.epochEnd(result.signs)
    const values: Record<string, number> = {
      loss: result.loss,
      ...result.yardsticks,
      ...measured,
      ...signs?.values,
    }
    const { monitor = 'loss' } = validation
    const metric = values[monitor]
    if (metric === undefined)
      throw expected(`one of ${Object.keys(values).join(', ')}`, 'validation.monitor', monitor)
    return { loss: result.loss, metric, values, warnings: signs?.warnings ?? [] }
  }

  #openLogs(): void {
    if (this.#logging) return
    this.#logging = true
    const { step } = this.#at
    for (const logger of this.#options.loggers ?? []) logger.open(step)
    this.#log('start', {}, `${step === 0 ? 'new run' : `resumed at step ${step}`}, seed ${this.#run.seed}`)
  }

  #log(kind: LogRecord['kind'], values: Readonly<Record<string, number>>, message?: string): void {
    const record = {
      kind,
      step: this.#at.step,
      epoch: this.epoch,
      values,
      ...(message !== undefined && { message }),
    }
    for (const logger of this.#options.loggers ?? []) logger.write(record)
  }
}
