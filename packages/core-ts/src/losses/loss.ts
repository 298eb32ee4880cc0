import type { Backend } from '../backend/port.js'
import type { Matrix } from '../base/matrix.js'
import type { Rng } from '../base/rng.js'
import type { Module } from '../nn/module.js'
import type { Tape } from '../nn/tape.js'
import type { Tensor } from '../nn/tensor.js'
import type { EmbeddedBatch, Similarity } from '../similarity/index.js'

/** What a loss reads of a batch; nothing else is computed. */
export type LossNeed = 'scores' | 'factors' | 'text-text' | 'audio-audio'

/** A batch of n pairs as a loss sees it: pair i is clip i with caption i. */
export interface LossInput {
  readonly tape: Tape
  readonly n: number
  /** [n] clip ids: pairs of one clip are not each other's negatives. */
  readonly groups: Int32Array
  /** Stream for losses that draw. */
  readonly rng: Rng
  /** [n, n], clips × captions. */
  readonly scores?: Tensor
  /** Scores as audio·textᵀ, each [n, k]. */
  readonly factors?: { readonly audio: Tensor; readonly text: Tensor }
  /** n × n, without gradient. */
  readonly 'text-text'?: Matrix
  readonly 'audio-audio'?: Matrix
}

export interface LossOutput {
  /** [1] */
  readonly loss: Tensor
  /** Named numbers for the log, `loss` among them. Reads from the device; valid until the tape ends. */
  statistics(): Readonly<Record<string, number>>
}

/** A training objective. A plain description; {@link build} gives the part that may own parameters. */
export interface Loss {
  readonly name: string
  readonly needs: readonly LossNeed[]
  /** Value if all scores of n pairs of different clips were equal: a run that stays there has collapsed. */
  valueOfEqualScores(n: number): number
  build(backend: Backend): RunningLoss
}

export interface RunningLoss extends Module {
  compute(input: LossInput): LossOutput
}

/** Computes of a batch what a loss declared. */
export function lossInput(
  tape: Tape,
  needs: readonly LossNeed[],
  similarity: Similarity,
  batch: { audio: EmbeddedBatch; text: EmbeddedBatch; groups: Int32Array; rng: Rng },
): LossInput {
  const { audio, text, groups, rng } = batch
  return {
    tape,
    n: groups.length,
    groups,
    rng,
    ...(needs.includes('scores') && { scores: similarity.score(tape, audio, text) }),
    ...(needs.includes('factors') && { factors: similarity.factors(tape, audio, text) }),
    ...(needs.includes('text-text') && { 'text-text': similarity.within(text) }),
    ...(needs.includes('audio-audio') && { 'audio-audio': similarity.within(audio) }),
  }
}
