import type { Backend, FloatBuffer, HostArray } from '../backend/port.js'
import { expected } from '../base/errors.js'

export type Shape = readonly number[]

export function sizeOf(shape: Shape): number {
  return shape.reduce((product, extent) => product * extent, 1)
}

/**
 * A dense row-major array of floats that knows where it lives: `buffer` belongs to `backend`, and only
 * {@link toArray} brings its numbers to JavaScript.
 */
export class Tensor {
  readonly backend: Backend
  readonly shape: Shape
  readonly buffer: FloatBuffer
  readonly requiresGrad: boolean

  constructor(backend: Backend, shape: Shape, buffer: FloatBuffer, requiresGrad = false) {
    if (buffer.length !== sizeOf(shape))
      throw expected(`${sizeOf(shape)} elements for shape [${shape}]`, 'buffer', buffer.length)
    this.backend = backend
    this.shape = shape
    this.buffer = buffer
    this.requiresGrad = requiresGrad
  }

  get size(): number {
    return this.buffer.length
  }

  /** The numbers on the host. On a host backend this is the memory itself: treat it as read-only. */
  toArray(): HostArray {
    return this.backend.memory.download(this.buffer)
  }

  /** The single number of a one-element tensor. */
  item(): number {
    if (this.size !== 1) throw expected('one element', 'tensor', `shape [${this.shape}]`)
    return this.toArray()[0]!
  }
}

/** A tensor that training changes. `grad` is null until a backward pass reached it. */
export class Parameter extends Tensor {
  grad: FloatBuffer | null = null

  static from(backend: Backend, shape: Shape, values: ArrayLike<number>): Parameter {
    const buffer = backend.memory.alloc(sizeOf(shape))
    backend.memory.upload(values, buffer)
    return new Parameter(backend, shape, buffer, true)
  }

  zeroGrad(): void {
    if (this.grad !== null) this.backend.memory.free(this.grad)
    this.grad = null
  }
}
