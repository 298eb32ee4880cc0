import type { Backend } from '../backend/port.js'
import type { Rng } from '../base/rng.js'
import type { BatchWishes, NegativeSet, PairItem } from '../negatives/index.js'
import type { Module } from '../nn/module.js'
import type { Tensor } from '../nn/tensor.js'
import { partOf } from '../registry/index.js'
import type { LossInput } from './loss-input.js'

/** What a loss gives for a batch. */
export interface LossOutput {
  /** [1] */
  readonly loss: Tensor
  /** Named numbers for the log, `loss` among them. Reads from the device; valid until the tape ends. */
  statistics(): Readonly<Record<string, number>>
  /** What was picked, for losses that pick. */
  readonly picks?: NegativeSet
  /** What the picks are numbers of. Default: the items of the batch; others may stand behind those. */
  readonly candidates?: readonly PairItem[]
}

/** A training objective. A plain description; {@link build} gives the part that may own parameters. */
export interface Loss {
  readonly name: string
  /** Options that matter when a run is resumed, as JSON. */
  readonly config?: object
  /**
   * Value if all scores of n pairs of different clips were equal: a run that stays there has collapsed. Null when a run
   * that does well may stay there too.
   */
  valueOfEqualScores(n: number): number | null
  /** What may be tried when training collapses, as "easier negatives (random)". */
  readonly easier?: string
  /** How batches are to be made for it. */
  readonly batches?: BatchWishes
  build(backend: Backend): RunningLoss
}

/** A loss on a backend, with the parameters that it owns. */
export interface RunningLoss extends Module {
  /** Only what it reads of the input is computed. `rng` is for losses that draw. */
  compute(input: LossInput, rng: Rng): LossOutput
  /** What a loss remembers besides parameters and buffers, as JSON; absent when it remembers nothing. */
  state?(): unknown
  restore?(state: unknown): void
}

/** For a loss's row in its family, next to its code. */
export const lossPart = partOf<Loss>()
