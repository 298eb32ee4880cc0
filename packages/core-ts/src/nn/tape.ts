import type { Backend, FloatBuffer, HostArray } from '../backend/port.js'
import { expected } from '../base/errors.js'
import { Rng } from '../base/rng.js'
import { Parameter, type Shape, sizeOf, Tensor } from './tensor.js'

export interface TapeOptions {
  /** Batch statistics and dropout on; gradients are recorded. Default false. */
  training?: boolean
  /** Stream for dropout; required when training with dropout, so that a resumed run draws the same masks. */
  rng?: Rng
}

interface Entry {
  output: Tensor
  backward: (gradOut: FloatBuffer) => void
}

/**
 * Reverse-mode tape for one step. Every function calls one forward op and records one backward op. All memory that the
 * step allocates belongs to the tape and goes back to the arena on dispose (`using tape = new Tape(backend)`).
 */
export class Tape {
  readonly backend: Backend
  readonly training: boolean
  readonly rng: Rng
  readonly #entries: Entry[] = []
  readonly #owned = new Set<FloatBuffer>()
  readonly #grads = new Map<Tensor, FloatBuffer>()

  constructor(backend: Backend, options: TapeOptions = {}) {
    this.backend = backend
    this.training = options.training ?? false
    this.rng = options.rng ?? new Rng(0, 'tape')
  }

  /** Memory of this step; contents unspecified. */
  alloc(length: number): FloatBuffer {
    const buffer = this.backend.memory.alloc(length)
    this.#owned.add(buffer)
    return buffer
  }

  /** Gives memory of this step back before its end. */
  release(buffer: FloatBuffer): void {
    if (this.#owned.delete(buffer)) this.backend.memory.free(buffer)
  }

  /** Host data as a constant tensor. */
  constant(shape: Shape, values: ArrayLike<number>): Tensor {
    const buffer = this.alloc(sizeOf(shape))
    this.backend.memory.upload(values, buffer)
    return new Tensor(this.backend, shape, buffer)
  }

  /** A tensor of this step whose gradient is wanted: for gradient checks and for feeding a loss by hand. */
  variable(shape: Shape, values: ArrayLike<number>): Tensor {
    const constant = this.constant(shape, values)
    return new Tensor(this.backend, shape, constant.buffer, true)
  }

  /** An uninitialised result tensor; it requires a gradient when one of its inputs does. */
  result(shape: Shape, inputs: readonly Tensor[]): Tensor {
    const wanted = this.training && inputs.some((input) => input.requiresGrad)
    return new Tensor(this.backend, shape, this.alloc(sizeOf(shape)), wanted)
  }

  /** Records how to push the gradient of `output` to its inputs. Does nothing when nobody wants it. */
  record(output: Tensor, backward: (gradOut: FloatBuffer) => void): void {
    if (output.requiresGrad) this.#entries.push({ output, backward })
  }

  /**
   * Adds a gradient (a buffer from {@link alloc}, whose ownership passes to the tape) to a tensor. Call it from a
   * recorded backward; tensors that want no gradient ignore it.
   */
  accumulate(tensor: Tensor, gradient: FloatBuffer): void {
    if (!tensor.requiresGrad) return this.release(gradient)
    const previous = tensor instanceof Parameter ? tensor.grad : this.#grads.get(tensor)
    if (previous) {
      this.backend.run('add', { a: previous, b: gradient, out: previous, alpha: 1, beta: 1 })
      this.release(gradient)
    } else if (tensor instanceof Parameter) {
      this.#owned.delete(gradient)
      tensor.grad = gradient
    } else {
      this.#grads.set(tensor, gradient)
    }
  }

  /** Runs the tape backwards from a one-element tensor with gradient 1. Gradients of parameters end in `parameter.grad`. */
  backward(loss: Tensor): void {
    if (loss.size !== 1) throw expected('one element', 'loss', `shape [${loss.shape}]`)
    const seed = this.alloc(1)
    this.backend.memory.fill(seed, 1)
    this.accumulate(loss, seed)
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      const { output, backward } = this.#entries[i]!
      const gradient = this.#grads.get(output)
      if (gradient === undefined) continue
      backward(gradient)
      this.#grads.delete(output)
      this.release(gradient)
    }
  }

  /** Gradient of a {@link variable} after {@link backward}; null when the loss does not depend on it. */
  gradientOf(tensor: Tensor): HostArray | null {
    const gradient = tensor instanceof Parameter ? tensor.grad : this.#grads.get(tensor)
    return gradient ? this.backend.memory.download(gradient) : null
  }

  [Symbol.dispose](): void {
    for (const buffer of this.#owned) this.backend.memory.free(buffer)
    this.#owned.clear()
    this.#grads.clear()
    this.#entries.length = 0
  }
}
