import type { Backend } from '@sonotext/core/backend'
import { Rng } from '@sonotext/core/base'
import { LossInput, tripletLoss } from '@sonotext/core/losses'
import { strategies } from '@sonotext/core/negatives'
import { Tape } from '@sonotext/core/nn'
import { frameWord } from '@sonotext/core/similarity'
import { itemsOf } from '@sonotext/core/testing'
import { summarise } from '../harness/statistics.js'
import { TrainingStep } from '../training/step.js'
import { countedBackend } from './peak-memory.js'
import { margin } from './plan.js'

/** A batch as the losses get it: pairs, seconds of sound (50 frames each), and the length of a vector. */
export interface CostSize {
  readonly batch: number
  readonly seconds: number
  readonly dim: number
}

/** Which number of a size was changed from that of the thesis; base for none. */
export type CostAxis = 'base' | keyof CostSize

/** What a step with one strategy costs: milliseconds, medians over the rounds, and memory. */
export interface CostCell extends CostSize {
  readonly device: string
  readonly strategy: string
  readonly axis: CostAxis
  /** Clip × caption scores, which every loss reads. */
  readonly scores: number
  /** What else the strategy reads. */
  readonly planes: number
  readonly choosing: number
  readonly lossAndBackward: number
  /** The encoder of the thesis forward and backward, and Adam. */
  readonly encoder: number
  readonly total: number
  /** Most bytes of buffers in use at a time, those of the encoder and of the loss together. */
  readonly bytes: number
  /** Not run: too large. Taken from the base by the number of operations. */
  readonly extrapolated: boolean
}

export interface CostOptions {
  readonly sizes: readonly (CostSize & { readonly axis: CostAxis })[]
  /** Each strategy has a turn in every round. */
  readonly rounds: number
  /** No further round of a size begins after so many milliseconds. */
  readonly patience: number
  /** Larger cells are extrapolated. Default 4 GiB and 20 s a step. */
  readonly limits?: { readonly bytes: number; readonly ms: number }
  /** Default: all that are registered. */
  readonly strategies?: readonly string[] | undefined
  readonly onCell?: (cell: CostCell) => void
}

/** The size of the thesis. */
const base: CostSize = { batch: 32, seconds: 10, dim: 300 }
const framesPerSecond = 50
const words = 12

export function costPlan(full: boolean): Pick<CostOptions, 'sizes' | 'rounds' | 'patience'> {
  const axes = full
    ? { batch: [8, 16, 64, 128, 256, 512], seconds: [2, 5, 20, 30], dim: [64, 128, 512, 1024] }
    : { batch: [8], seconds: [2], dim: [64] }
  const sizes = Object.entries(axes).flatMap(([axis, values]) =>
    values.map((value) => ({ ...base, [axis]: value, axis: axis as keyof CostSize })),
  )
  const howOften = full ? { rounds: 5, patience: 60_000 } : { rounds: 1, patience: 0 }
  return { sizes: [{ ...base, axis: 'base' }, ...sizes], ...howOften }
}

/**
 * What strategies of frame × word scores cost. They take turns, round after round, so that whatever else the machine does hits all alike. The
 * first size is what larger ones are extrapolated from.
 */
export function measureCosts(given: Backend, options: CostOptions): CostCell[] {
  const { sizes, limits = { bytes: 4 * 2 ** 30, ms: 20_000 }, onCell } = options
  // A queue is of single vectors, which cost next to nothing; other batches cost what the strategy costs that chooses from them.
  const names = (options.strategies ?? strategies.names).filter((name) => {
    if (!strategies.names.includes(name)) return false
    const { earlierPairs, batches } = strategies.build(name)
    return earlierPairs === undefined && batches === undefined
  })
  const { backend, peak } = countedBackend(given)
  const cells: CostCell[] = []
  const first = new Map<string, CostCell>()
  let firstEncoder: EncoderCost | undefined
  const isTooLarge = ({ bytes, total }: Predicted): boolean => bytes > limits.bytes || total > limits.ms
  for (const { axis, ...size } of sizes) {
    const encoder =
      firstEncoder === undefined || axis !== 'dim'
        ? encoderCost(backend, peak, size, firstEncoder, limits)
        : firstEncoder
    firstEncoder ??= encoder
    const run = names.filter(
      (name) => !first.has(name) || !isTooLarge(predicted(first.get(name)!, size, encoder)),
    )
    const rounds = roundsOf(run, backend, size, options)
    peak()
    for (const name of names) {
      const own = rounds.get(name)
      const from = first.get(name)
      const parts = own === undefined ? predicted(from!, size, encoder) : medians(own, encoder)
      const extrapolated = own === undefined || encoder.extrapolated
      const common = { device: given.info.device, strategy: name, axis, ...size, encoder: encoder.ms }
      const cell: CostCell = { ...common, ...parts, extrapolated }
      if (from === undefined) first.set(name, cell)
      cells.push(cell)
      onCell?.(cell)
    }
  }
  return cells

  function roundsOf(run: readonly string[], on: Backend, size: CostSize, { rounds, patience }: CostOptions) {
    const started = performance.now()
    const steps = new Map<string, Step[]>(run.map((name) => [name, []]))
    const vectors = vectorsOf(size)
    if (run.length > 0) step(on, run[0]!, size, vectors)
    for (let round = 0; round < rounds; round++) {
      if (round > 0 && performance.now() - started > patience) break
      for (const [name, all] of steps) {
        peak()
        const times = step(on, name, size, vectors)
        all.push({ ...times, bytes: peak() })
      }
    }
    return steps
  }
}

type Parts = Pick<CostCell, 'scores' | 'planes' | 'choosing' | 'lossAndBackward'>
type Predicted = Parts & Pick<CostCell, 'total' | 'bytes'>
type Step = Parts & Pick<CostCell, 'bytes'>

interface EncoderCost {
  readonly size: CostSize
  readonly ms: number
  readonly bytes: number
  readonly extrapolated: boolean
}

function totalOf({ scores, planes, choosing, lossAndBackward }: Parts, encoder: EncoderCost): number {
  return scores + planes + choosing + lossAndBackward + encoder.ms
}

function medians(steps: readonly Step[], encoder: EncoderCost): Predicted {
  const median = (key: keyof Step): number => summarise(steps.map((own) => own[key])).median
  const parts = {
    scores: median('scores'),
    planes: median('planes'),
    choosing: median('choosing'),
    lossAndBackward: median('lossAndBackward'),
  }
  return { ...parts, total: totalOf(parts, encoder), bytes: median('bytes') + encoder.bytes }
}

/**
 * By operations: scores and their gradients grow with pairs² × frames × words × dim, planes within sound with pairs² × frames² × dim; what is
 * kept grows with pairs × frames × dim.
 */
function predicted(from: CostCell, { batch, seconds, dim }: CostSize, encoder: EncoderCost): Predicted {
  const pairs = batch / from.batch
  const [time, width] = [seconds / from.seconds, dim / from.dim]
  const parts = {
    scores: from.scores * pairs ** 2 * time * width,
    planes: from.planes * pairs ** 2 * time ** (readsSound(from.strategy) ? 2 : 0) * width,
    choosing: from.choosing * pairs ** 2,
    lossAndBackward: from.lossAndBackward * pairs ** 2 * time * width,
  }
  const bytes = encoder.bytes + bytesOfLoss({ batch, seconds, dim })
  return { ...parts, total: totalOf(parts, encoder), bytes }
}

function readsSound(name: string): boolean {
  return strategies.build(name).needs.includes('audio-audio')
}

/** Vectors of both sides and scores, each with its gradient. */
function bytesOfLoss({ batch, seconds, dim }: CostSize): number {
  return 4 * (2 * batch * dim * (seconds * framesPerSecond + words) + 2 * batch * batch)
}

/** Forward, backward and Adam of the thesis CRNN over such a batch; by frames where it is too large. */
function encoderCost(
  backend: Backend,
  peak: () => number,
  size: CostSize,
  from: EncoderCost | undefined,
  limits: { readonly bytes: number; readonly ms: number },
): EncoderCost {
  if (from !== undefined) {
    const share = (size.batch * size.seconds) / (from.size.batch * from.size.seconds)
    const guess = { size, ms: from.ms * share, bytes: from.bytes * share, extrapolated: true }
    if (guess.ms > limits.ms || guess.bytes > limits.bytes) return guess
  }
  using training = new TrainingStep(
    { batch: size.batch, frames: size.seconds * framesPerSecond },
    backend,
    0.3,
  )
  training.run()
  peak()
  const ms = training.run().seconds * 1000
  return { size, ms, bytes: peak(), extrapolated: false }
}

interface Vectors {
  readonly frames: Float32Array
  readonly words: Float32Array
}

function vectorsOf({ batch, seconds, dim }: CostSize): Vectors {
  return {
    frames: unitVectors(batch * seconds * framesPerSecond, dim, new Rng(1, 'frames')),
    words: unitVectors(batch * words, dim, new Rng(1, 'words')),
  }
}

/** Unit vectors with a common direction, so that scores are as positive as those of a model in training. */
function unitVectors(count: number, d: number, rng: Rng): Float32Array {
  const values = Float32Array.from({ length: count * d }, () => rng.normal() + 0.3)
  for (let i = 0; i < count; i++) {
    const row = values.subarray(i * d, (i + 1) * d)
    let squares = 0
    for (const x of row) squares += x * x
    for (let j = 0; j < d; j++) row[j]! /= Math.sqrt(squares)
  }
  return values
}

function step(
  backend: Backend,
  name: string,
  { batch: n, seconds, dim: d }: CostSize,
  vectors: Vectors,
): Parts {
  const t = seconds * framesPerSecond
  const strategy = strategies.build(name)
  using tape = new Tape(backend, { training: true, rng: new Rng(3, 'dropout') })
  const audio = { values: tape.variable([n, t, d], vectors.frames), lengths: new Int32Array(n).fill(t) }
  const text = { values: tape.variable([n, words, d], vectors.words), lengths: new Int32Array(n).fill(words) }
  const items = itemsOf(Int32Array.from({ length: n }, (_, i) => i))
  let last = performance.now()
  const lap = (): number => {
    const now = performance.now()
    const passed = now - last
    last = now
    return passed
  }
  const input = new LossInput(tape, frameWord(), { audio, text, items })
  input.scores.toArray()
  const scores = lap()
  input.planes(strategy.needs)
  const planes = lap()
  let choosing = 0
  const timed = {
    ...strategy,
    select(...given: Parameters<typeof strategy.select>) {
      const before = performance.now()
      const picks = strategy.select(...given)
      choosing = performance.now() - before
      return picks
    },
  }
  const { loss } = tripletLoss({ negatives: timed, margin }).build(backend).compute(input, new Rng(5, 'loss'))
  tape.backward(loss)
  // On a device what was enqueued is done when something behind it is read.
  loss.item()
  return { scores, planes, choosing, lossAndBackward: lap() - choosing }
}
