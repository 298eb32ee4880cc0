import type { FloatBuffer, HostArray } from '../../backend/port.js'
import type { Comm, DeviceLink } from '../../comm/index.js'
import type { Tape } from '../tape.js'

/** Number of rows, and buffers with their means and unbiased variances; of one row the variance is 0. */
export interface OwnMoments {
  readonly rows: number
  readonly mean: FloatBuffer
  readonly variance: FloatBuffer
}

/** Of the rows of all ranks: their number. Their means have taken the place of a rank's own. */
export interface Moments {
  readonly rows: number
  /** Writes into `variance`: the sums of squared distances from the mean over a number. */
  varianceOver(count: number): void
}

/** Of the rows of all ranks, over their link where they have one. Throws RANK_LOST. */
export function momentsOfAll(tape: Tape, comm: Comm, own: OwnMoments): Moments {
  return comm.link === undefined
    ? momentsThroughHost(tape, comm, own)
    : momentsOnDevices(tape, comm, comm.link, own)
}

/** Writes slope and level from the sums of all ranks. Throws RANK_LOST. */
export function factorsOfAll(tape: Tape, comm: Comm, factors: Factors): void {
  if (comm.link === undefined) factorsThroughHost(tape, comm, factors)
  else factorsOnDevices(tape, comm, comm.link, factors)
}

const gradientsName = 'gradients through batch norm'
const momentsName = (c: number): string => `moments of ${c} channels`

function momentsThroughHost({ backend }: Tape, comm: Comm, { rows, mean, variance }: OwnMoments): Moments {
  const { memory } = backend
  const all = hostMomentsOfAll(comm, rows, memory.download(mean), memory.download(variance))
  memory.upload(all.mean, mean)
  return {
    rows: all.rows,
    varianceOver(count) {
      memory.upload(
        all.squares.map((square) => square / count),
        variance,
      )
    },
  }
}

/** The same from two sums over ranks: of the means, then of the squares around the mean of all, in float32. */
function momentsOnDevices(
  tape: Tape,
  comm: Comm,
  link: DeviceLink,
  { rows, mean, variance }: OwnMoments,
): Moments {
  const { backend } = tape
  const c = mean.length
  const counts = comm.allGather(new Uint8Array(Float64Array.of(rows).buffer), momentsName(c))
  const total = counts.reduce((sum, part) => sum + new Float64Array(part.slice().buffer)[0]!, 0)
  const [squares, ofAll] = [tape.alloc(c), tape.alloc(c)]
  backend.run('scale', { x: mean, out: ofAll, factor: rows / total })
  link.allReduce([ofAll])
  backend.run('add', { a: mean, b: ofAll, out: squares, alpha: 1, beta: -1 })
  backend.run('multiply', { a: squares, b: squares, out: squares })
  backend.run('add', { a: squares, b: variance, out: squares, alpha: rows, beta: Math.max(0, rows - 1) })
  link.allReduce([squares])
  backend.memory.copy(ofAll, mean)
  tape.release(ofAll)
  return {
    rows: total,
    varianceOver: (count) => backend.run('scale', { x: squares, out: variance, factor: 1 / count }),
  }
}

/** What the way back through the statistics is made of: the sums that a rank has, and where the factors γ/σ·sum/rows go. */
export interface Factors {
  readonly gradGamma: FloatBuffer
  readonly gradBeta: FloatBuffer
  readonly slope: FloatBuffer
  readonly level: FloatBuffer
  readonly gamma: FloatBuffer
  readonly savedInvStd: FloatBuffer
  /** Of all ranks. */
  readonly rows: number
}

function factorsThroughHost({ backend }: Tape, comm: Comm, factors: Factors): void {
  const { memory } = backend
  const { gradGamma, gradBeta, slope, level, gamma, savedInvStd, rows } = factors
  const sums = Float64Array.of(...memory.download(gradGamma), ...memory.download(gradBeta))
  comm.allReduce(sums, gradientsName)
  const [gammas, invStd] = [memory.download(gamma), memory.download(savedInvStd)]
  const scaled = (offset: number) =>
    Float64Array.from(
      { length: slope.length },
      (_, j) => (gammas[j]! * invStd[j]! * sums[offset + j]!) / rows,
    )
  memory.upload(scaled(0), slope)
  memory.upload(scaled(slope.length), level)
}

function factorsOnDevices(tape: Tape, comm: Comm, link: DeviceLink, factors: Factors): void {
  const { backend } = tape
  const { gradGamma, gradBeta, slope, level, gamma, savedInvStd, rows } = factors
  comm.barrier(`${gradientsName} of ${slope.length} channels`)
  backend.memory.copy(gradGamma, slope)
  backend.memory.copy(gradBeta, level)
  link.allReduce([slope, level])
  const scales = tape.alloc(slope.length)
  backend.run('multiply', { a: gamma, b: savedInvStd, out: scales })
  for (const factor of [slope, level]) {
    backend.run('multiply', { a: factor, b: scales, out: factor })
    backend.run('scale', { x: factor, out: factor, factor: 1 / rows })
  }
  tape.release(scales)
}

/** Of some rows: their number, means, and sums of squared distances from the mean. */
interface HostMoments {
  readonly rows: number
  readonly mean: Float64Array
  readonly squares: Float64Array
}

/** Two sets put together at a time (Chan, Golub and LeVeque, 1983), in rank order. `variance` is unbiased; of one row it is 0. */
function hostMomentsOfAll(comm: Comm, rows: number, mean: HostArray, variance: HostArray): HostMoments {
  const own = Float64Array.of(rows, ...mean, ...variance)
  const parts = comm.allGather(new Uint8Array(own.buffer), momentsName(mean.length))
  const c = mean.length
  return parts
    .map((part): HostMoments => {
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
