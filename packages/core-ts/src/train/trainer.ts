import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { abortedError, throwIfAborted } from '../base/abort.js'
import { errorFrom, expected, isSonotextError, plainError } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import { anyRank, type Comm, fromLead, singleComm } from '../comm/index.js'
import type { BatchesState } from '../data/index.js'
import { type DualEncoder, type StateDict, stateOf } from '../models/index.js'
import type { TrainableModel } from './batch-source.js'
import { checkpointFile, readCheckpoint } from './checkpoint.js'
import { describeRun } from './describe-run.js'
import type { RunningStopper } from './early-stopping.js'
import { Feed, type StepBatches } from './feed.js'
import { Learner } from './learner.js'
import { type Look, Looks } from './looks.js'
import { objectivesOf } from './objectives.js'
import type { EpochReport, StepReport, TrainerOptions, TrainingReport } from './options.js'
import { type Description, refuseOther } from './resume.js'
import { type BestModel, RunFiles } from './run-files.js'
import { RunLog } from './run-log.js'
import { constant, improvement, type RunningSchedule } from './schedules.js'
import type { CollapseState } from './watchdog.js'

/**
 * A training run that can be held: nothing happens but in the loop over {@link Trainer.steps}. Throws INVALID_ARGUMENT for
 * options that do not fit together.
 */
export function createTrainer<M extends TrainableModel = DualEncoder>(
  options: TrainerOptions<M>,
): Trainer<M> {
  checkOptions(options, 'createTrainer')
  return new Trainer(options)
}

/** Where a run stands, besides its learner. */
interface Progress {
  /** Epochs done. */
  epoch: number
  /** Steps done of the current epoch. */
  batch: number
  /** Of the current epoch: pairs whose losses were read, and the sum of them. */
  pairs: number
  lossSum: number
  /** Why the run stopped early. */
  stopped: string | null
  best: { readonly epoch: number; readonly metric: number } | null
}

/** What a checkpoint keeps of the loop. */
interface TrainerLoop extends Readonly<Progress> {
  readonly description: Description
  readonly sources: readonly BatchesState[]
  readonly schedule: Readonly<Record<string, number>>
  readonly stopper: readonly number[] | null
  readonly collapse: CollapseState | null
}

/** The loop around a {@link Learner}: epochs, validation, stopping, checkpoints and logs. */
export class Trainer<M extends TrainableModel = DualEncoder> implements AsyncDisposable {
  readonly model: M
  /** Steps and weights; the trainer is the loop around it. */
  readonly learner: Learner
  readonly #options: TrainerOptions<M>
  readonly #feed: Feed
  readonly #schedule: RunningSchedule
  readonly #stopper: RunningStopper | null
  readonly #looks: Looks<M> | null
  readonly #description: Description
  #at: Progress = { epoch: 0, batch: 0, pairs: 0, lossSum: 0, stopped: null, best: null }
  #bestState: StateDict | null = null
  readonly #log: RunLog
  #looping = false
  readonly #files: RunFiles
  readonly #comm: Comm
  /** Where checkpoints are kept: rank 0's. */
  readonly #directory: string | undefined

  constructor(options: TrainerOptions<M>) {
    const { model, optimizer, epochs, seed, mix = 'sum', guards = [], schedule = constant() } = options
    const { stopper, validation, collapse = {}, comm = singleComm() } = options
    if (!(Number.isInteger(epochs) && epochs >= 0))
      throw expected('an integer of 0 or more', 'epochs', epochs)
    for (const [name, value] of Object.entries({
      saveEvery: options.saveEvery ?? 1,
      'validation.every': validation?.every ?? 1,
    })) {
      if (!(Number.isInteger(value) && value >= 1)) throw expected('an integer above 0', name, value)
    }
    if (mix !== 'sum' && mix !== 'turns') throw expected("'sum' or 'turns'", 'mix', mix)
    const objectives = objectivesOf(options)
    this.#feed = new Feed(
      objectives.map(({ source }) => source),
      mix,
    )
    if (validation !== undefined && this.#feed.sources.includes(validation.data))
      throw expected('batches of its own', 'validation.data', 'the training batches')
    this.model = model
    this.#files = new RunFiles(model)
    this.#comm = comm
    const leads = comm.rank === 0
    this.#directory = leads ? options.directory : undefined
    this.#log = new RunLog(leads ? (options.loggers ?? []) : [], this)
    this.#options = options
    const { readEvery = 1, recordNegatives = false } = options
    const reading = { readEvery, recordNegatives }
    this.learner = new Learner({ model, objectives, optimizer, seed, guards, comm, ...reading })
    const objective = this.learner.objectives[0]!
    this.#looks = validation ? new Looks(model, validation, { objective, guards, seed, collapse }) : null
    const mode = this.#looks?.watch.mode ?? 'min'
    this.#schedule = schedule.start({ base: optimizer.lr, epochs, mode })
    this.#stopper = stopper?.start({ mode }) ?? null
    this.#description = describeRun(options, objectives, this.#feed, this.#looks)
  }

  /** Optimiser steps of the whole run, when nothing ends it early. */
  get totalSteps(): number {
    return this.#options.epochs * this.#feed.stepsPerEpoch
  }

  /** Optimiser steps done. */
  get step(): number {
    return this.learner.steps
  }

  /** Epochs done, with fraction. */
  get epoch(): number {
    return this.#at.epoch + this.#at.batch / this.#feed.stepsPerEpoch
  }

  get finished(): boolean {
    return this.#at.epoch >= this.#options.epochs || this.#at.stopped !== null
  }

  /** The best epoch so far and its monitored number; null before the first look at the validation batches. */
  get best(): { readonly epoch: number; readonly metric: number } | null {
    return this.#at.best
  }

  /**
   * Trains on from where the run stands to its end: a report for every step and every epoch. The event loop runs between
   * steps. Leaving the loop early keeps the position. When the signal fires, the step under way is finished, a checkpoint
   * is written to `directory` if there is one, and ABORTED is thrown. Throws NUMERIC, without taking the step, when the
   * loss or a gradient is not finite; the last checkpoint stays as it is. Throws INVALID_CONFIG when `directory` holds a
   * run that was not resumed. With several ranks all of them run the loop, and stop where the signal of one fires; RANK_LOST when one is gone.
   */
  async *steps({ signal }: { signal?: AbortSignal } = {}): AsyncGenerator<TrainingReport, void, undefined> {
    const { saveEvery, epochs, seed } = this.#options
    const directory = this.#directory
    if (this.#looping) throw expected('one loop at a time', 'steps()', 'a second one')
    if (directory !== undefined && this.step === 0) this.#files.refuseForeign(directory)
    this.#looping = true
    // Features are read to the end: all ranks stop between the same steps.
    const reading = this.#comm.size === 1 ? signal : undefined
    try {
      this.#agree(`the beginning at step ${this.step} with`)
      this.#log.open(seed)
      if (this.finished && directory !== undefined) {
        if (this.step === 0) await this.save(directory)
        else await this.#files.writeModel(directory, this.#best)
      }
      if (this.step === 0 && this.#at.best === null && this.#looks) yield await this.#endEpoch(signal)
      while (!this.finished) {
        this.#throwIfAborted(signal)
        for await (const batches of this.#feed.epoch(this.#at.batch, reading)) {
          yield await this.#train(batches)
          const due = saveEvery !== undefined && this.step % saveEvery === 0
          if (due && directory !== undefined) await this.save(directory)
          await new Promise((resolve) => setImmediate(resolve))
          this.#throwIfAborted(signal)
        }
        yield await this.#endEpoch(signal)
      }
    } catch (error) {
      const aborted = isSonotextError(error) && error.code === 'ABORTED'
      if (aborted && directory !== undefined) await this.save(directory)
      this.#log.write('end', {}, { message: error instanceof Error ? error.message : String(error) })
      throw error
    } finally {
      this.#looping = false
    }
    this.#log.write('end', {}, { message: this.#at.stopped ?? `all ${epochs} epochs done` })
  }

  /**
   * Writes everything needed to go on bit for bit to `checkpoint.safetensors`, and the best epoch's model to
   * `model.safetensors`, each atomically. Call it between steps. Ranks but the first write nothing. Throws WRITE_FAILED; what was there before
   * stays valid.
   */
  async save(directory: string): Promise<void> {
    if (this.#comm.rank > 0) return
    const loop: TrainerLoop = {
      ...this.#at,
      description: this.#description,
      sources: this.#feed.sources.map(({ state }) => state),
      schedule: this.#schedule.state(),
      stopper: this.#stopper?.state() ?? null,
      collapse: this.#looks?.collapse.state() ?? null,
    }
    const snapshot = { ...this.learner.snapshot(), loop }
    await this.#files.write(directory, snapshot, this.#best)
  }

  /**
   * Goes on from a checkpoint that {@link save} wrote, made by a trainer with the same options; only the number of epochs
   * may be another, and what changes no numbers. Throws MISSING_FILE, INVALID_FILE when it is cut short, INVALID_CONFIG naming
   * every option that differs, INVALID_DATA for other clips, captions or batches, to train on or to validate with.
   */
  async resume(directory: string): Promise<void> {
    const file = join(directory, checkpointFile)
    const { loop, best, ...snapshot } = await readCheckpoint<TrainerLoop>(directory)
    refuseOther(loop.description, this.#description, file)
    for (const [i, source] of this.#feed.sources.entries()) source.restore(loop.sources[i]!, file)
    this.learner.restore(snapshot, file)
    this.#schedule.restore(loop.schedule)
    if (loop.stopper !== null) this.#stopper?.restore(loop.stopper)
    if (loop.collapse !== null) this.#looks?.collapse.restore(loop.collapse)
    const { epoch, batch, pairs, lossSum, stopped } = loop
    this.#at = { epoch, batch, pairs, lossSum, stopped, best: loop.best }
    this.#bestState = loop.best === null ? null : (best as StateDict)
    this.#files.goOnIn(directory)
  }

  /** Puts the best epoch's weights into the model. Does nothing when no epoch has ended. */
  loadBest(): void {
    if (this.#bestState !== null) this.model.load(this.#bestState)
  }

  /** Gives back the memory of everything but the model, and closes the loggers. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.learner[Symbol.dispose]()
    this.#looks?.[Symbol.dispose]()
    this.#log.close()
  }

  async #train(batches: StepBatches): Promise<StepReport> {
    const started = performance.now()
    const { learner } = this
    const { epoch } = this
    const lr = this.#schedule.rate(epoch)
    let gradNorm: number
    let learned
    try {
      learned = learner.step(batches, { epoch })
      await this.#options.onGradients?.(learned, learner.parameters)
      gradNorm = learner.apply(lr)
    } catch (error) {
      learner.discard()
      throw this.#files.withLastGood(error)
    }
    const { step, loss, statistics, pairs, negatives } = learned
    this.#at.batch++
    if (loss !== null) {
      this.#at.pairs += pairs
      this.#at.lossSum += pairs * loss
    }
    const alone = [...batches.values()].some(({ items }) =>
      items.every(({ group }) => group === items[0]!.group),
    )
    const warnings = alone
      ? [`The batch of step ${step} holds pairs of one clip only: there was nothing to tell apart.`]
      : []
    const seconds = (performance.now() - started) / 1000
    const values = { ...statistics, ...(loss !== null && { loss }), lr, gradNorm, pairs, seconds }
    this.#log.write('step', values, negatives.length > 0 ? { negatives } : {})
    for (const message of warnings) this.#log.write('warning', {}, { message })
    const at = { step, epoch: this.epoch }
    return { kind: 'step', ...at, loss, lr, gradNorm, pairs, seconds, statistics, negatives, warnings }
  }

  /** Validation, schedule, stopper and checkpoint. Before the first step it only looks at the untrained model. */
  async #endEpoch(signal: AbortSignal | undefined): Promise<EpochReport> {
    const { validation, epochs } = this.#options
    const directory = this.#directory
    const { step } = this
    const trained = step > 0
    const epoch = this.#at.epoch + (trained ? 1 : 0)
    this.#agree(`the end of epoch ${epoch} with`)
    const trainLoss = trained && this.#at.pairs > 0 ? this.#at.lossSum / this.#at.pairs : null
    const due = epoch % (validation?.every ?? 1) === 0 || epoch >= epochs
    const looked = due ? await this.#look(epoch, signal) : null
    const monitored = this.#looks === null ? trainLoss : (looked?.monitored ?? null)
    const watched = this.#looks === null ? trainLoss : (looked?.watched ?? null)
    const improves = improvement(this.#looks?.monitor.mode ?? 'min')
    const best = monitored !== null && improves(monitored, this.#at.best?.metric ?? null)
    if (best) {
      this.#at.best = { epoch, metric: monitored }
      this.#bestState = this.model.state()
    }
    if (trained) {
      if (watched !== null) {
        this.#schedule.epochEnd(watched)
        this.#at.stopped = this.#stopper?.epochEnd(watched) ?? null
      }
      Object.assign(this.#at, { epoch, batch: 0, pairs: 0, lossSum: 0 })
      if (directory !== undefined) await this.save(directory)
    }
    const { values = {}, warnings = [] } = looked ?? {}
    const prefixed = Object.entries(values).map(([name, value]) => [`validation.${name}`, value] as const)
    this.#log.write('epoch', { ...(trainLoss !== null && { trainLoss }), ...Object.fromEntries(prefixed) })
    for (const message of warnings) this.#log.write('warning', {}, { message })
    const { stopped } = this.#at
    return { kind: 'epoch', step, epoch, trainLoss, validation: values, best, warnings, stopped }
  }

  /** Rank 0 looks; what it sees, an error too, all ranks are told. */
  async #look(epoch: number, signal: AbortSignal | undefined): Promise<Look | null> {
    if (this.#looks === null) return null
    let seen: { look: Look } | { error: unknown } | null = null
    if (this.#comm.rank === 0) {
      try {
        seen = { look: await this.#looks.look({ step: this.step, epoch, ...(signal && { signal }) }) }
      } catch (error) {
        seen = { error: this.#files.withLastGood(error) }
      }
    }
    const own = seen
    if (this.#comm.size > 1) {
      const plain = own !== null && 'error' in own ? { error: plainError(own.error) } : own
      const told = fromLead(this.#comm, plain, `validation at step ${this.step}`)!
      if (this.#comm.rank > 0) seen = 'error' in told ? { error: errorFrom(told.error) } : told
    }
    if ('error' in seen!) throw seen.error
    return seen!.look
  }

  /** All ranks have the same run, model and weights here. Throws RANK_LOST when they have not. */
  #agree(what: string): void {
    if (this.#comm.size === 1) return
    const hash = createHash('sha256').update(JSON.stringify(this.#description))
    for (const [name, { shape, data }] of stateOf(this.model)) hash.update(`${name}[${shape}]`).update(data)
    this.#comm.barrier(`${what} weights ${hash.digest('hex').slice(0, 16)}`)
  }

  /** Throws ABORTED on every rank when the signal of one has fired. */
  #throwIfAborted(signal: AbortSignal | undefined): void {
    if (this.#comm.size === 1) return throwIfAborted(signal)
    if (anyRank(this.#comm, signal?.aborted ?? false, `going on from step ${this.step}`))
      throw abortedError(signal)
  }

  get #best(): BestModel | null {
    const { best } = this.#at
    return best !== null && this.#bestState !== null ? { epoch: best.epoch, state: this.#bestState } : null
  }
}
