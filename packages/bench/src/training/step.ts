import type { Backend, OpName } from '@sonotext/core/backend'
import { Rng } from '@sonotext/core/base'
import { infoNceLoss, LossInput } from '@sonotext/core/losses'
import { crnn, loadState } from '@sonotext/core/models'
import { Tape } from '@sonotext/core/nn'
import { pooled } from '@sonotext/core/similarity'
import { crnnGolden, goldenInput, goldenWeights, itemsOf } from '@sonotext/core/testing'
import { adam } from '@sonotext/core/train'

export interface StepTimes {
  readonly seconds: number
  readonly forward: number
  readonly backward: number
  readonly optimizer: number
  readonly loss: number
}

export interface StepSize {
  readonly batch: number
  readonly frames: number
}

/** One op of a profiled step: what it is, on which shape, and how long it took. */
export interface OpTime {
  readonly op: OpName
  readonly shape: string
  readonly seconds: number
}

const objective = infoNceLoss({ temperature: 0.07 })

/** Floating-point operations of one step: three products of the forward's size in every convolution and in the GRU. */
export function stepFlops({ batch, frames }: StepSize): number {
  const convolution = (pixels: number, from: number, to: number): number => 2 * 9 * from * to * pixels
  const half = Math.floor(frames / 2)
  const quarter = Math.floor(half / 2)
  const forward =
    convolution(frames * 64, 1, 32) +
    convolution(half * 16, 32, 128) +
    convolution(half * 16, 128, 128) +
    2 * convolution(quarter * 4, 128, 128) +
    2 * quarter * 2 * 450 * (128 + 150)
  return 3 * batch * forward
}

/** The thesis CRNN against frozen captions with pooled InfoNCE, from the weights and batch both sides of the comparison share. */
export class TrainingStep implements Disposable {
  readonly backend: Backend
  readonly #size: StepSize
  readonly #encoder
  readonly #optimizer
  readonly #loss
  readonly #input: Float32Array
  readonly #words: Float32Array
  readonly #rng = new Rng(0, 'dropout')
  #profile: OpTime[] | null = null

  constructor(size: StepSize, backend: Backend, dropout: number) {
    this.#size = size
    this.backend = this.#timed(backend)
    this.#encoder = crnn({ dropout }).build(this.backend, new Rng(0))
    loadState(this.#encoder, goldenWeights(crnnGolden()))
    this.#optimizer = adam({ lr: 1e-3 }).start(this.backend, this.#encoder.parameters())
    this.#loss = objective.build(this.backend)
    this.#input = goldenInput(11, size.batch * size.frames * this.#encoder.bands)
    this.#words = goldenInput(12, size.batch * this.#encoder.dim)
    for (let i = 0; i < size.batch; i++) {
      const vector = this.#words.subarray(i * this.#encoder.dim, (i + 1) * this.#encoder.dim)
      const norm = Math.hypot(...vector)
      for (const [j, value] of vector.entries()) vector[j] = value / norm
    }
  }

  /** The parts of a step on a device are when their ops had been enqueued; its end is when they were done. */
  run(): StepTimes {
    const start = performance.now()
    using tape = new Tape(this.backend, { training: true, rng: this.#rng })
    const loss = this.#lossOf(tape)
    const forward = performance.now()
    for (const parameter of this.#encoder.parameters().values()) parameter.zeroGrad()
    tape.backward(loss)
    const backward = performance.now()
    this.#optimizer.step(1e-3, this.#optimizer.gradientNorm())
    const [smallest] = [...this.#encoder.parameters().values()].sort((a, b) => a.size - b.size)
    smallest!.toArray()
    const end = performance.now()
    const second = (from: number, to: number): number => (to - from) / 1000
    return {
      seconds: second(start, end),
      forward: second(start, forward),
      backward: second(forward, backward),
      optimizer: second(backward, end),
      loss: loss.item(),
    }
  }

  /** The loss from the start weights; dropout must be 0. */
  loss(): number {
    using tape = new Tape(this.backend, { training: true, rng: this.#rng })
    return this.#lossOf(tape).item()
  }

  /** One more step with the time of every op in it. */
  profile(): OpTime[] {
    const times: OpTime[] = []
    this.#profile = times
    this.run()
    this.#profile = null
    return times
  }

  [Symbol.dispose](): void {
    this.#optimizer[Symbol.dispose]()
  }

  #lossOf(tape: Tape) {
    const { batch, frames } = this.#size
    const lengths = new Int32Array(batch).fill(frames)
    const features = tape.constant([batch, frames, this.#encoder.bands], this.#input)
    const audio = this.#encoder.forward(tape, features, lengths)
    const text = {
      values: tape.constant([batch, 1, this.#encoder.dim], this.#words),
      lengths: new Int32Array(batch).fill(1),
    }
    const items = itemsOf(Int32Array.from({ length: batch }, (_, i) => i))
    const input = new LossInput(tape, pooled(), { audio, text, items })
    return this.#loss.compute(input, this.#rng).loss
  }

  /** The same backend, which writes down the time of every op while a profile is taken. */
  #timed(backend: Backend): Backend {
    const run: Backend['run'] = (op, args) => {
      if (this.#profile === null) return backend.run(op, args)
      const start = performance.now()
      backend.run(op, args)
      this.#profile.push({ op, shape: shapeOf(args), seconds: (performance.now() - start) / 1000 })
    }
    return Object.create(backend, { run: { value: run } }) as Backend
  }
}

/** The whole numbers of an op's arguments, which are its shape. */
function shapeOf(args: object): string {
  const named = Object.entries(args).filter(([name, value]) => {
    return (
      Number.isInteger(value) &&
      !/^(seed|offset|slope|training|step|decoupled|momentum|beta|alpha)/.test(name)
    )
  })
  return named.map(([name, value]) => `${name} ${value}`).join(', ')
}
