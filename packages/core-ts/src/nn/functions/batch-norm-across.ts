import type { Comm } from '../../comm/index.js'
import { expected } from '../../base/errors.js'
import type { Tape } from '../tape.js'
import type { Tensor } from '../tensor.js'
import type { BatchNormOptions, BatchNormState } from './batch-norm-state.js'
import { factorsOfAll, momentsOfAll } from './batch-norm-sums.js'

/** Sizes of x [rows × c] on this rank, and how to normalise. */
export interface BatchNormAcross extends Required<Pick<BatchNormOptions, 'eps' | 'momentum'>> {
  readonly rows: number
  readonly c: number
}

/**
 * Batch normalisation in training whose statistics are those of the rows of all ranks. A pass of the op over the own rows gives their moments; with
 * the moments of all it is the op with given statistics, and so is the way back: what a value changes through the statistics,
 * γ/σ·(Σg + x̂·Σg·x̂)/rows, is an affine map of x for each channel. Throws RANK_LOST, and INVALID_ARGUMENT for a single row in all.
 */
export function batchNormAcross(
  tape: Tape,
  comm: Comm,
  x: Tensor,
  { gamma, beta, runningMean, runningVar }: BatchNormState,
  { rows, c, eps, momentum }: BatchNormAcross,
): Tensor {
  const { backend } = tape
  const { memory } = backend
  const [mean, variance, savedMean, savedInvStd] = [
    tape.alloc(c),
    tape.alloc(c),
    tape.alloc(c),
    tape.alloc(c),
  ]
  const out = tape.result(x.shape, [x, gamma, beta])
  const sizes = { rows, c, eps }
  const given = { x: x.buffer, runningMean: mean, runningVar: variance, savedMean, savedInvStd, ...sizes }
  // Running statistics that forget all but this batch are its moments.
  for (const moment of [mean, variance]) memory.fill(moment, 0)
  const affine = { gamma: gamma.buffer, beta: beta.buffer, out: out.buffer }
  backend.run('batch_norm', { ...given, ...affine, training: 1, momentum: 1 })
  const all = momentsOfAll(tape, comm, { rows, mean, variance })
  if (all.rows < 2) throw expected('2 or more rows to take statistics over', 'x of batchNorm', all.rows)
  all.varianceOver(all.rows - 1)
  for (const [running, now] of [
    [runningMean, mean],
    [runningVar, variance],
  ] as const) {
    const kept = tape.changing(running)
    backend.run('add', { a: kept, b: now, out: kept, alpha: 1 - momentum, beta: momentum })
  }
  all.varianceOver(all.rows)
  backend.run('batch_norm', { ...given, ...affine, training: 0, momentum: 0 })
  tape.record(out, (gradOut) => {
    const gradX = tape.gradientFor(x)
    const [gradGamma, gradBeta] = [tape.alloc(c), tape.alloc(c)]
    const saved = { x: x.buffer, gamma: gamma.buffer, savedMean, savedInvStd, gradOut }
    backend.run('batch_norm_backward', { ...saved, gradX, gradGamma, gradBeta, rows, c, training: 0 })
    if (gradX !== null) {
      const [slope, level, part] = [tape.alloc(c), tape.alloc(c), tape.alloc(x.size)]
      const sums = { gradGamma, gradBeta, gamma: gamma.buffer, savedInvStd, rows: all.rows }
      factorsOfAll(tape, comm, { ...sums, slope, level })
      backend.run('batch_norm', { ...given, gamma: slope, beta: level, out: part, training: 0, momentum: 0 })
      backend.run('add', { a: gradX, b: part, out: gradX, alpha: 1, beta: -1 })
      for (const buffer of [slope, level, part]) tape.release(buffer)
    }
    for (const buffer of [mean, variance, savedMean, savedInvStd]) tape.release(buffer)
    tape.accumulate(x, gradX)
    tape.accumulate(gamma, gradGamma)
    tape.accumulate(beta, gradBeta)
  })
  return out
}
