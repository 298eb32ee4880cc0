import type { Backend, FloatBuffer, HostArray } from '../backend/port.js'
import { expected } from '../base/errors.js'
import type { Rng } from '../base/rng.js'
import type { Comm } from '../comm/index.js'
import type { PendingBuffers } from './pending-buffers.js'
import type { RowShare } from './row-share.js'
import { Parameter, type Shape, sizeOf, Tensor } from './tensor.js'

/** Options of {@link Tape}. */
export interface TapeOptions {
  /** Batch statistics and dropout on; gradients are recorded. Default false. */
  training?: boolean
  /** Stream for dropout; required when training with dropout, so that a resumed run draws the same masks. */
  rng?: Rng
  /** Takes what training makes of running statistics until the step is taken. Default: they change at once. */
  pending?: PendingBuffers
  /** The ranks that the batch of this step is divided among. Default: it is whole. */
  comm?: Comm
}

interface Entry {
  output: Tensor
  backward: (gradOut: FloatBuffer) => void
}

/**
 * Reverse-mode tape for one step. Every function calls one forward op and records one backward op. All memory that the
 * step allocates belongs to the tape and goes back to the arena on dispose (`using tape = new Tape(backend)`).
 *
 * Memory is bounded: while the tape runs backwards, a result is given back as soon as the entry that made it has run (all
 * its readers ran before), except the loss and what {@link keep} protects. A tensor given back throws when it is read.
 */
export class Tape {
  readonly backend: Backend
  readonly training: boolean
  /** The ranks that the batch is divided among: what depends on all of its rows asks them. Null: it is whole. */
  readonly comm: Comm | null
  /** Which rows of the batch the tensors of now are of, where it is divided and that is known. */
  share: RowShare | null = null
  readonly #rng: Rng | undefined
  readonly #pending: PendingBuffers | undefined
  readonly #entries: Entry[] = []
  readonly #owned = new Set<FloatBuffer>()
  readonly #grads = new Map<Tensor, FloatBuffer>()
  /** Tensors over each buffer of this tape: the first owns it, the others are views. */
  readonly #tensors = new Map<FloatBuffer, Tensor[]>()
  readonly #kept = new Set<FloatBuffer>()
  #seed: FloatBuffer | null = null
  /** Gradient whose entry is running, and whether a tensor has taken it over. */
  #running: FloatBuffer | null = null
  #taken = false

  constructor(backend: Backend, options: TapeOptions = {}) {
    this.backend = backend
    this.training = options.training ?? false
    this.comm = options.comm ?? null
    this.#rng = options.rng
    this.#pending = options.pending
  }

  /** The stream given to the constructor. Throws INVALID_ARGUMENT when there is none: masks must be reproducible. */
  get rng(): Rng {
    if (this.#rng === undefined)
      throw expected('a random stream (Rng) for dropout', 'rng of the tape', undefined)
    return this.#rng
  }

  /** Memory in which this step may change a buffer such as a running mean. */
  changing(tensor: Tensor): FloatBuffer {
    return this.#pending?.stage(tensor) ?? tensor.buffer
  }

  /** Memory of this step; contents unspecified. */
  alloc(length: number): FloatBuffer {
    const buffer = this.backend.memory.alloc(length)
    this.#owned.add(buffer)
    return buffer
  }

  /** Gives memory of this step back before its end; tensors over it can no longer be read. */
  release(buffer: FloatBuffer): void {
    if (!this.#owned.delete(buffer)) return
    for (const tensor of this.#tensors.get(buffer) ?? []) tensor.invalidate()
    this.#tensors.delete(buffer)
    this.backend.memory.free(buffer)
  }

  /** Protects a result from being given back during {@link backward}; it then lives as long as the tape. */
  keep(tensor: Tensor): Tensor {
    this.#kept.add(tensor.buffer)
    return tensor
  }

  /**
   * Says that no later function reads this result. Without training its memory goes back at once; with training the
   * backward pass still needs it and gives it back itself.
   */
  discard(tensor: Tensor): void {
    if (!this.training && !this.#kept.has(tensor.buffer)) this.release(tensor.buffer)
  }

  /** Host data as a constant tensor. */
  constant(shape: Shape, values: ArrayLike<number>): Tensor {
    return this.#upload(shape, values, false)
  }

  /** A tensor of this step whose gradient is wanted: for gradient checks and for feeding a loss by hand. */
  variable(shape: Shape, values: ArrayLike<number>): Tensor {
    return this.#upload(shape, values, true)
  }

  /** An uninitialised result tensor; it requires a gradient when one of its inputs does. */
  result(shape: Shape, inputs: readonly Tensor[]): Tensor {
    const wanted = this.#wanted(inputs)
    return this.#own(new Tensor(this.backend, shape, this.alloc(sizeOf(shape)), wanted))
  }

  /** The same numbers under another shape; memory is shared with `tensor`. */
  view(tensor: Tensor, shape: Shape): Tensor {
    const wanted = this.#wanted([tensor])
    return this.#own(new Tensor(this.backend, shape, tensor.buffer, wanted))
  }

  /** Records how to push the gradient of `output` to its inputs. Does nothing when nobody wants it. */
  record(output: Tensor, backward: (gradOut: FloatBuffer) => void): void {
    if (output.requiresGrad) this.#entries.push({ output, backward })
  }

  /** Memory for the gradient of a tensor, or null when it wants none. */
  gradientFor(tensor: Tensor): FloatBuffer | null {
    return tensor.requiresGrad ? this.alloc(tensor.size) : null
  }

  /**
   * Adds a gradient to a tensor; null, or a tensor that wants none, is ignored. Call it from a recorded backward with a
   * buffer from {@link alloc}, whose ownership passes to the tape, or with the incoming gradient itself, which may be
   * passed on to several inputs.
   */
  accumulate(tensor: Tensor, gradient: FloatBuffer | null): void {
    if (gradient === null) return
    const incoming = gradient === this.#running
    if (!tensor.requiresGrad) {
      if (!incoming) this.release(gradient)
      return
    }
    const previous = tensor instanceof Parameter ? tensor.grad : this.#grads.get(tensor)
    if (!previous) {
      const stored = incoming && this.#taken ? this.#copy(gradient) : gradient
      if (incoming) this.#taken = true
      this.#store(tensor, stored)
      return
    }
    // The running entry may still read its incoming gradient, so a sum with it goes elsewhere.
    const shared = previous === this.#running
    const out = shared ? this.alloc(tensor.size) : previous
    this.backend.run('add', { a: previous, b: gradient, out, alpha: 1, beta: 1 })
    if (!incoming) this.release(gradient)
    if (!shared) return
    this.#taken = false
    this.#owned.add(previous)
    this.#store(tensor, out)
  }

  /** True when an incoming gradient is the 1 that {@link backward} starts from: a loss need not scale by it. */
  isSeed(gradient: FloatBuffer): boolean {
    return gradient === this.#seed
  }

  /**
   * Runs the tape backwards, once, from a one-element tensor with gradient 1. Gradients of parameters end in
   * `parameter.grad`, added to what was there.
   */
  backward(loss: Tensor): void {
    if (loss.size !== 1) throw expected('one element', 'loss', `shape [${loss.shape}]`)
    if (!loss.requiresGrad) {
      throw expected(
        'a result of this training tape that depends on a parameter or variable',
        'loss',
        'a constant',
      )
    }
    if (this.#seed !== null)
      throw expected('a tape that has not run backward yet', 'tape', 'a second backward')
    this.keep(loss)
    this.#seed = this.alloc(1)
    this.backend.memory.fill(this.#seed, 1)
    this.#grads.set(loss, this.#seed)
    for (let entry = this.#entries.pop(); entry !== undefined; entry = this.#entries.pop()) {
      this.#runBackward(entry)
    }
  }

  /** Gradient of a {@link variable} after {@link backward}; null when the loss does not depend on it. */
  gradientOf(tensor: Tensor): HostArray | null {
    const gradient = tensor instanceof Parameter ? tensor.grad : this.#grads.get(tensor)
    return gradient ? this.backend.memory.download(gradient) : null
  }

  [Symbol.dispose](): void {
    for (const buffer of [...this.#owned]) this.release(buffer)
    this.#grads.clear()
    this.#entries.length = 0
  }

  #runBackward({ output, backward }: Entry): void {
    const gradient = this.#grads.get(output)
    if (gradient !== undefined) {
      this.#grads.delete(output)
      this.#running = gradient
      this.#taken = false
      try {
        backward(gradient)
      } finally {
        this.#running = null
      }
      if (!this.#taken) this.release(gradient)
    }
    const owner = this.#tensors.get(output.buffer)?.[0]
    if (owner === output && !this.#kept.has(output.buffer)) this.release(output.buffer)
  }

  #upload(shape: Shape, values: ArrayLike<number>, wanted: boolean): Tensor {
    if (values.length !== sizeOf(shape))
      throw expected(`${sizeOf(shape)} values for shape [${shape}]`, 'values', values)
    const buffer = this.alloc(sizeOf(shape))
    this.backend.memory.upload(values, buffer)
    return this.#own(new Tensor(this.backend, shape, buffer, wanted))
  }

  #own(tensor: Tensor): Tensor {
    if (!this.#owned.has(tensor.buffer)) return tensor
    const tensors = this.#tensors.get(tensor.buffer)
    if (tensors) tensors.push(tensor)
    else this.#tensors.set(tensor.buffer, [tensor])
    return tensor
  }

  #store(tensor: Tensor, gradient: FloatBuffer): void {
    if (tensor instanceof Parameter) {
      this.#owned.delete(gradient)
      tensor.grad = gradient
    } else {
      this.#grads.set(tensor, gradient)
    }
  }

  /** Whether a result of these inputs wants a gradient; refuses inputs that cannot be read here. */
  #wanted(inputs: readonly Tensor[]): boolean {
    for (const input of inputs) {
      input.assertAlive('input')
      if (input.backend !== this.backend) {
        const [here, there] = [this.backend.info.device, input.backend.info.device]
        throw expected(
          `a tensor of the tape's backend (${here})`,
          'input',
          `a tensor of another one (${there})`,
        )
      }
    }
    return this.training && inputs.some((input) => input.requiresGrad)
  }

  #copy(buffer: FloatBuffer): FloatBuffer {
    const copy = this.alloc(buffer.length)
    this.backend.memory.copy(buffer, copy)
    return copy
  }
}
