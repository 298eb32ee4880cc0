import type { HostArray } from '../../backend/port.js'
import type { Comm } from '../../comm/index.js'
import { expected } from '../../base/errors.js'
import type { Tape } from '../tape.js'
import type { Tensor } from '../tensor.js'
import type { BatchNormOptions, BatchNormState } from './batch-norm-state.js'

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
  const all = momentsOfAll(comm, rows, memory.download(mean), memory.download(variance))
  if (all.rows < 2) throw expected('2 or more rows to take statistics over', 'x of batchNorm', all.rows)
  memory.upload(all.mean, mean)
  memory.upload(
    all.squares.map((square) => square / (all.rows - 1)),
    variance,
  )
  for (const [running, now] of [
    [runningMean, mean],
    [runningVar, variance],
  ] as const) {
    const kept = tape.changing(running)
    backend.run('add', { a: kept, b: now, out: kept, alpha: 1 - momentum, beta: momentum })
  }
  memory.upload(
    all.squares.map((square) => square / all.rows),
    variance,
  )
  backend.run('batch_norm', { ...given, ...affine, training: 0, momentum: 0 })
  tape.record(out, (gradOut) => {
    const gradX = tape.gradientFor(x)
    const [gradGamma, gradBeta] = [tape.alloc(c), tape.alloc(c)]
    const saved = { x: x.buffer, gamma: gamma.buffer, savedMean, savedInvStd, gradOut }
    backend.run('batch_norm_backward', { ...saved, gradX, gradGamma, gradBeta, rows, c, training: 0 })
    if (gradX !== null) {
      const sums = Float64Array.of(...memory.download(gradGamma), ...memory.download(gradBeta))
      comm.allReduce(sums, 'gradients through batch norm')
      const [gammas, invStd] = [memory.download(gamma.buffer), memory.download(savedInvStd)]
      const through = (offset: number) =>
        Float64Array.from({ length: c }, (_, j) => (gammas[j]! * invStd[j]! * sums[offset + j]!) / all.rows)
      const [slope, level, part] = [tape.alloc(c), tape.alloc(c), tape.alloc(x.size)]
      memory.upload(through(0), slope)
      memory.upload(through(c), level)
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

/** Of the rows of all ranks: their number, means, and sums of squared distances from the mean. */
interface Moments {
  readonly rows: number
  readonly mean: Float64Array
  readonly squares: Float64Array
}

/** Two sets put together at a time (Chan, Golub and LeVeque, 1983), in rank order. `variance` is unbiased; of one row it is 0. */
function momentsOfAll(comm: Comm, rows: number, mean: HostArray, variance: HostArray): Moments {
  const own = Float64Array.of(rows, ...mean, ...variance)
  const parts = comm.allGather(new Uint8Array(own.buffer), `moments of ${mean.length} channels`)
  const c = mean.length
  return parts
    .map((part): Moments => {
      const numbers = new Float64Array(part.slice().buffer)
      const [count, rest] = [numbers[0]!, numbers.subarray(1)]
      const squares = rest.subarray(c).map((value) => value * Math.max(0, count - 1))
      return { rows: count, mean: rest.subarray(0, c), squares }
    })
    .reduce((a, b) => {
      const both = a.rows + b.rows
      const apart = b.mean.map((value, j) => value - a.mean[j]!)
      return {
        rows: both,
        mean: a.mean.map((value, j) => value + (apart[j]! * b.rows) / both),
        squares: a.squares.map(
          (value, j) => value + b.squares[j]! + (apart[j]! ** 2 * a.rows * b.rows) / both,
        ),
      }
    })
}
