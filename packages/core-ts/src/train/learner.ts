import { expected, isSonotextError, SonotextError } from '../base/errors.js'
import { Rng } from '../base/rng.js'
import { type Comm, singleComm } from '../comm/index.js'
import type { NamedTensor } from '../base/safetensors.js'
import { LossInput, type LossOutput } from '../losses/index.js'
import { loadState, type StateDict, stateOf } from '../models/index.js'
import type { Guard } from '../negatives/index.js'
import { add, freeModule, type Parameter, PendingBuffers, scale, Tape, type Tensor } from '../nn/index.js'
import type { PairBatch, TrainableModel } from './batch-source.js'
import { gatherPairs, nameOfBatch, ownRows, sumGradients } from './divided-batch.js'
import type { StepBatches } from './feed.js'
import {
  lossParameters,
  type Objective,
  prefixOf,
  type RunningObjective,
  startObjectives,
} from './objectives.js'
import type { Optimizer, RunningOptimizer } from './optimizers.js'
import { type PickedNegatives, pickedNegatives } from './picked-negatives.js'
import { checkFinite } from './watchdog.js'

/** Options of {@link Learner}. */
export interface LearnerOptions {
  model: TrainableModel
  objectives: readonly Objective[]
  optimizer: Optimizer
  /** Seed of everything drawn while training: dropout, negatives. */
  seed: number
  /** Pairs that must not be negatives, besides those of one group. */
  guards?: readonly Guard[]
  /** Steps between readings of loss and statistics; on a device every reading waits for the step. Default 1. */
  readEvery?: number
  /** Whether steps say which negatives were picked. Default false. */
  recordNegatives?: boolean
  /**
   * The processes that share every batch, each with the same options and batches: weights and losses are those of one process, up to the order of
   * sums. Default: one.
   */
  comm?: Comm
}

/** A step whose gradients lie in the parameters. */
export interface LearnedStep {
  /** Its number, from 1. */
  readonly step: number
  /** Pairs in its batches. */
  readonly pairs: number
  /** The weighted sum over the objectives; null where it is not read. */
  readonly loss: number | null
  /** Numbers of the losses; empty where they are not read. */
  readonly statistics: Readonly<Record<string, number>>
  /** Only when asked for. */
  readonly negatives: readonly PickedNegatives[]
}

/** What going on needs of a learner that is not a tensor. */
export interface LearnerState {
  readonly seed: number
  /** Steps applied. */
  readonly steps: number
  readonly optimizerSteps: number
  /** By objective: what its loss remembers, or null. */
  readonly losses: Readonly<Record<string, unknown>>
}

/** Copies of everything that going on needs; later steps do not change them. */
export interface LearnerSnapshot {
  readonly model: object
  readonly learner: LearnerState
  readonly parts: {
    readonly model: Map<string, NamedTensor>
    readonly loss: Map<string, NamedTensor>
    readonly optimizer: Map<string, NamedTensor>
  }
}

/**
 * Steps without a loop: {@link step} goes forward and backward, {@link apply} changes the model. Between the two the gradients
 * lie in the parameters and may be changed. Throws INVALID_ARGUMENT for options that do not fit together.
 */
export class Learner implements Disposable {
  readonly model: TrainableModel
  readonly objectives: readonly RunningObjective[]
  /** All that is trained, by name: the model's parameters and `loss.…`. */
  readonly parameters: ReadonlyMap<string, Parameter>
  readonly #options: LearnerOptions
  readonly #optimizer: RunningOptimizer
  readonly #pending: PendingBuffers
  readonly #comm: Comm
  /** Names of the parameters that losses own. */
  readonly #ofLosses: ReadonlySet<string>
  readonly #rng: Rng
  #steps = 0
  #underWay: { readonly step: number; readonly epoch: number } | null = null

  constructor(options: LearnerOptions) {
    const { model, objectives, optimizer, seed, readEvery = 1, comm = singleComm() } = options
    if (!Number.isSafeInteger(seed) || seed < 0) throw expected('a whole number', 'seed', seed)
    if (!(Number.isInteger(readEvery) && readEvery >= 1))
      throw expected('an integer above 0', 'readEvery', readEvery)
    this.model = model
    this.#options = options
    this.#comm = comm
    this.#rng = new Rng(seed, 'train')
    this.#pending = new PendingBuffers(model.backend)
    this.objectives = startObjectives(objectives, model.backend)
    const ofLosses = lossParameters(this.objectives)
    this.#ofLosses = new Set(ofLosses.keys())
    this.parameters = new Map([...model.parameters(), ...ofLosses])
    this.#optimizer = optimizer.start(model.backend, this.parameters)
  }

  /** Steps applied. */
  get steps(): number {
    return this.#steps
  }

  /**
   * Forward and backward over a batch, or over one of each source. Everything random follows from the seed and the step's
   * number alone. `epoch` (with fraction) is what strategies see. Gradients of a step that was not applied are forgotten.
   * With several ranks each gives the same batches. Throws NUMERIC when a loss is not finite; then the step leaves nothing behind. Throws
   * RANK_LOST.
   */
  step(batches: PairBatch | StepBatches, { epoch = 0 }: { epoch?: number } = {}): LearnedStep {
    this.discard()
    const step = this.#steps + 1
    const { readEvery = 1 } = this.#options
    const rng = this.#rng.fork(step)
    const read = step % readEvery === 0
    let pairs = 0
    let loss = 0
    const statistics: Record<string, number> = {}
    const negatives: PickedNegatives[] = []
    try {
      const bySource = this.#bySource(batches)
      for (const [index, [batch, objectives]] of bySource.entries()) {
        const fork = (name: string, i: number): Rng => rng.fork(i === 0 ? name : `${name} ${i}`)
        const own = this.#comm.size === 1 ? null : ownRows(batch, this.#comm)
        using tape = new Tape(this.model.backend, {
          training: true,
          rng: fork('dropout', index),
          pending: this.#pending,
          ...(own && { comm: this.#comm }),
        })
        const input = this.#embed(tape, batch, own, step, epoch)
        let total: Tensor | null = null
        for (const objective of objectives) {
          const output = this.#compute(objective, input, fork('loss', this.objectives.indexOf(objective)))
          if (read) {
            const values = output.statistics()
            const value = values['loss'] ?? output.loss.item()
            const prefix = prefixOf(objective, this.objectives)
            for (const [name, number] of Object.entries(values)) statistics[prefix + name] = number
            loss += objective.weight * value
          }
          if (this.#options.recordNegatives === true && output.picks !== undefined)
            negatives.push(...pickedNegatives(output.picks, batch.items, output.candidates))
          total = weighted(tape, total, output.loss, objective.weight)
        }
        pairs += batch.items.length
        if (read) checkFinite('loss', loss, { step, epoch })
        // Of a batch that was not divided every rank has the same gradients: they count once.
        const counts = own !== null || this.#comm.rank === 0
        if (total!.requiresGrad && counts) tape.backward(total!)
      }
      if (this.#comm.size > 1) {
        sumGradients(this.#comm, this.parameters, this.#ofLosses, `gradients of step ${step}`)
      }
    } catch (error) {
      this.discard()
      throw error
    }
    this.#underWay = { step, epoch }
    return { step, pairs, loss: read ? loss : null, statistics, negatives }
  }

  /**
   * Takes the step: optimiser and running statistics. Returns the norm of the gradients. Throws NUMERIC when it is not finite;
   * then the step leaves nothing behind, as one that is never applied.
   */
  apply(lr: number): number {
    const at = this.#underWay
    if (at === null) throw expected('a step to apply', 'apply()', 'none: call step() first')
    try {
      const norm = this.#optimizer.gradientNorm()
      checkFinite('gradient', norm, at)
      this.#optimizer.step(lr, norm)
      this.#pending.commit()
      this.#steps = at.step
      return norm
    } finally {
      this.discard()
    }
  }

  /** Forgets a step that is not to be applied. */
  discard(): void {
    this.#underWay = null
    this.#pending.drop()
    for (const parameter of this.parameters.values()) parameter.zeroGrad()
  }

  snapshot(): LearnerSnapshot {
    const losses = this.objectives.map(({ name, running }) => [name, running.state?.() ?? null] as const)
    return {
      model: this.model.config,
      learner: {
        seed: this.#options.seed,
        steps: this.#steps,
        optimizerSteps: this.#optimizer.steps,
        losses: structuredClone(Object.fromEntries(losses)),
      },
      parts: {
        model: this.model.state(),
        loss: new Map(this.#lossTensors()),
        optimizer: this.#optimizer.state(),
      },
    }
  }

  /** Goes on from a snapshot of a learner made with the same options; `file` is named in messages. */
  restore({ learner, parts }: LearnerSnapshot, file?: string): void {
    this.discard()
    this.model.load(parts.model as StateDict, file)
    for (const objective of this.objectives) {
      const prefix = prefixOf(objective, this.objectives)
      const own = [...parts.loss].flatMap(([name, tensor]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), tensor] as const] : [],
      )
      loadState(objective.running, new Map(own) as StateDict, file)
      if (objective.running.restore) objective.running.restore(learner.losses[objective.name])
    }
    this.#optimizer.restore(learner.optimizerSteps, parts.optimizer)
    this.#steps = learner.steps
  }

  /** Gives back the memory of optimiser and losses. The model stays. */
  [Symbol.dispose](): void {
    this.discard()
    this.#optimizer[Symbol.dispose]()
    for (const { running } of this.objectives) freeModule(running)
  }

  /** Batches with the objectives that are for them. */
  #bySource(batches: PairBatch | StepBatches): (readonly [PairBatch, readonly RunningObjective[]])[] {
    if (!(batches instanceof Map)) return [[batches as PairBatch, this.objectives]]
    return [...(batches as StepBatches)].map(([source, batch]) => {
      const objectives = this.objectives.filter((objective) => objective.source === source)
      if (objectives.length === 0) throw expected('batches of the objectives', 'step()', 'another source')
      return [batch, objectives] as const
    })
  }

  /** The whole batch embedded, of which this rank computes its own rows where there are some. */
  #embed(
    tape: Tape,
    batch: PairBatch,
    own: Pick<PairBatch, 'audio' | 'text'> | null,
    step: number,
    epoch: number,
  ): LossInput {
    const { guards = [] } = this.#options
    const { items, written = [] } = batch
    const { similarity } = this.model
    const embedded = this.model.forward(tape, own ?? batch)
    const what = `step ${step} of batch ${nameOfBatch(batch)}`
    const all = own === null ? embedded : gatherPairs(tape, this.#comm, similarity, own, embedded, what)
    return new LossInput(tape, similarity, { ...all, items, written, guards, step, epoch })
  }

  #compute({ running, loss }: RunningObjective, input: LossInput, rng: Rng): LossOutput {
    try {
      return checked(running.compute(input, rng), loss.name)
    } catch (cause) {
      if (!isSonotextError(cause))
        throw new Error(`the loss ${loss.name} failed at step ${input.step}: ${(cause as Error).message}`, {
          cause,
        })
      if (cause.code !== 'NUMERIC') throw cause
      throw new SonotextError('NUMERIC', `at step ${input.step}: ${cause.message}`, { cause })
    }
  }

  *#lossTensors(): Generator<[string, NamedTensor]> {
    for (const objective of this.objectives)
      for (const [name, tensor] of stateOf(objective.running))
        yield [prefixOf(objective, this.objectives) + name, tensor]
  }
}

/** total + weight·loss */
function weighted(tape: Tape, total: Tensor | null, loss: Tensor, weight: number): Tensor {
  if (total !== null) return add(tape, total, loss, { beta: weight })
  return weight === 1 ? loss : scale(tape, loss, weight)
}

/** Throws INVALID_ARGUMENT for what is no output of a loss, naming it: losses of somebody else are not type-checked. */
function checked(output: LossOutput, name: string): LossOutput {
  const { loss, statistics } = output as Partial<LossOutput>
  if (loss?.size === 1 && typeof statistics === 'function') return output
  const given =
    loss?.size === undefined
      ? 'no tensor'
      : loss.size === 1
        ? 'no statistics'
        : `a loss of shape [${loss.shape.join(', ')}]`
  throw expected('{ loss: a tensor [1], statistics() }', `what compute of the loss ${name} gives`, given)
}
