import type { Backend } from '@sonotext/core/backend'
import { Rng } from '@sonotext/core/base'
import { LossInput, tripletLoss } from '@sonotext/core/losses'
import { strategies } from '@sonotext/core/negatives'
import { Tape } from '@sonotext/core/nn'
import { frameWord } from '@sonotext/core/similarity'
import { itemsOf } from '@sonotext/core/testing'
import { summarise } from '../harness/statistics.js'
import { TrainingStep } from '../training/step.js'
import { margin } from './plan.js'

/** A batch as the losses get it: pairs, seconds of sound (50 frames each), and the length of a vector. */
export interface CostSize {
  readonly batch: number
  readonly seconds: number
  readonly dim: number
}

/** Milliseconds of a step with one strategy, medians over the rounds. */
export interface CostCell extends CostSize {
  readonly strategy: string
  /** Which number of the size was changed from that of the thesis; base for none. */
  readonly axis: 'base' | keyof CostSize
  /** Clip × caption scores, which every loss reads. */
  readonly scores: number
  /** What else the strategy reads. */
  readonly planes: number
  readonly choosing: number
  readonly lossAndBackward: number
  /** The encoder of the thesis forward and backward, and Adam. */
  readonly encoder: number
  readonly total: number
  /** Vectors, scores and planes with their gradients, without what the encoder keeps. */
  readonly bytes: number
  /** Not run: too large. Taken from the base by the number of operations. */
  readonly extrapolated: boolean
}

const base: CostSize = { batch: 32, seconds: 10, dim: 300 }
const framesPerSecond = 50
const words = 12
const limits = { bytes: 4 * 2 ** 30, ms: 20_000 }

export function costSizes(full: boolean): (CostSize & { readonly axis: CostCell['axis'] })[] {
  const axes = full
    ? { batch: [8, 16, 64, 128, 256, 512], seconds: [2, 5, 20, 30], dim: [64, 128, 512, 1024] }
    : { batch: [8, 128], seconds: [2, 30], dim: [64, 1024] }
  return [
    { ...base, axis: 'base' },
    ...Object.entries(axes).flatMap(([axis, values]) =>
      values.map((value) => ({ ...base, [axis]: value, axis: axis as keyof CostSize })),
    ),
  ]
}

/** What strategies of frame × word scores cost, in turns, round after round, so that whatever else the machine does hits all alike. */
export function measureCosts(
  backend: Backend,
  sizes: ReturnType<typeof costSizes>,
  rounds: number,
  onCell?: (cell: CostCell) => void,
): CostCell[] {
  // A queue is of single vectors, which cost next to nothing.
  const names = strategies.names.filter((name) => strategies.build(name).earlierPairs === undefined)
  const cells: CostCell[] = []
  const atBase = new Map<string, CostCell>()
  for (const { axis, ...size } of sizes) {
    const expectedMs = (name: string): number => {
      const from = atBase.get(name)
      return from === undefined ? 0 : predicted(from, size).total
    }
    const encoder =
      axis === 'dim' ? atBase.get('random')!.encoder : encoderMs(backend, size, atBase.get('random'))
    for (const name of names) {
      const bytes = bytesOf(name, size)
      const from = atBase.get(name)
      const tooLarge = bytes > limits.bytes || expectedMs(name) > limits.ms
      const parts = tooLarge ? predicted(from!, size) : measured(backend, name, size, rounds)
      const cell: CostCell = {
        ...{ strategy: name, axis, ...size, ...parts, encoder, bytes, extrapolated: tooLarge },
        total: parts.scores + parts.planes + parts.choosing + parts.lossAndBackward + encoder,
      }
      if (axis === 'base') atBase.set(name, cell)
      cells.push(cell)
      onCell?.(cell)
    }
  }
  return cells
}

type Parts = Pick<CostCell, 'scores' | 'planes' | 'choosing' | 'lossAndBackward'>

function measured(backend: Backend, name: string, size: CostSize, rounds: number): Parts {
  const all = Array.from({ length: rounds + 1 }, () => step(backend, name, size)).slice(1)
  const median = (key: keyof Parts): number => summarise(all.map((own) => own[key])).median
  return {
    scores: median('scores'),
    planes: median('planes'),
    choosing: median('choosing'),
    lossAndBackward: median('lossAndBackward'),
  }
}

/** By operations: scores and their gradients grow with pairs² × frames × words × dim, planes within sound with pairs² × frames² × dim. */
function predicted(from: CostCell, { batch, seconds, dim }: CostSize): Parts & { readonly total: number } {
  const pairs = (batch / from.batch) ** 2
  const [time, width] = [seconds / from.seconds, dim / from.dim]
  const scores = from.scores * pairs * time * width
  const planes = from.planes * pairs * time ** (readsSound(from.strategy) ? 2 : 0) * width
  const choosing = from.choosing * pairs
  const lossAndBackward = from.lossAndBackward * pairs * time * width
  return { scores, planes, choosing, lossAndBackward, total: scores + planes + choosing + lossAndBackward }
}

function readsSound(name: string): boolean {
  return strategies.build(name).needs.includes('audio-audio')
}

function bytesOf(name: string, { batch, seconds, dim }: CostSize): number {
  const vectors = batch * dim * (seconds * framesPerSecond + words)
  const planes = (2 + strategies.build(name).needs.length) * batch * batch
  return 4 * (2 * vectors + planes)
}

/** Forward, backward and Adam of the thesis CRNN over such a batch; by frames where it is too large. */
function encoderMs(backend: Backend, { batch, seconds }: CostSize, from: CostCell | undefined): number {
  const share = from === undefined ? 0 : (batch * seconds) / (from.batch * from.seconds)
  if (from !== undefined && from.encoder * share > limits.ms) return from.encoder * share
  const { device, threads } = backend.info
  const options = { device: device as 'cpu', ...(threads === null ? {} : { threads }) }
  using training = new TrainingStep({ batch, frames: seconds * framesPerSecond }, options, 0.3)
  training.run()
  return training.run().seconds * 1000
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

let lastVectors: { key: string; frames: Float32Array; words: Float32Array } | undefined

function vectorsOf({ batch, seconds, dim }: CostSize) {
  const key = `${batch} ${seconds} ${dim}`
  if (lastVectors?.key === key) return lastVectors
  const t = seconds * framesPerSecond
  return (lastVectors = {
    key,
    frames: unitVectors(batch * t, dim, new Rng(1, 'frames')),
    words: unitVectors(batch * words, dim, new Rng(1, 'words')),
  })
}

function step(backend: Backend, name: string, size: CostSize): Parts {
  const { batch: n, seconds, dim: d } = size
  const t = seconds * framesPerSecond
  const vectors = vectorsOf(size)
  const strategy = strategies.build(name)
  using tape = new Tape(backend, { training: true, rng: new Rng(3, 'dropout') })
  const audio = { values: tape.variable([n, t, d], vectors.frames), lengths: new Int32Array(n).fill(t) }
  const text = { values: tape.constant([n, words, d], vectors.words), lengths: new Int32Array(n).fill(words) }
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
  const loss = tripletLoss({ negatives: timed, margin }).build(backend)
  tape.backward(loss.compute(input, new Rng(5, 'loss')).loss)
  return { scores, planes, choosing, lossAndBackward: lap() - choosing }
}
