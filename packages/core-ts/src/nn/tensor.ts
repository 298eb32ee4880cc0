import type { Backend, FloatBuffer, HostArray } from '../backend/port.js'
import { expected } from '../base/errors.js'
import { countWeights } from './weight-limit.js'

/** Extents of a tensor, the slowest axis first. */
export type Shape = readonly number[]

/** Number of elements of a shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, extent) => product * extent, 1)
}

/** Values of a tensor, or a function that is called when it is known that they may be had. */
export type Values = ArrayLike<number> | (() => ArrayLike<number>)

/**
 * A dense row-major array of floats that knows where it lives: `buffer` belongs to `backend`, and only
 * {@link toArray} brings its numbers to JavaScript.
 */
export class Tensor {
  readonly backend: Backend
  readonly shape: Shape
  readonly buffer: FloatBuffer
  readonly requiresGrad: boolean
  #released = false

  constructor(backend: Backend, shape: Shape, buffer: FloatBuffer, requiresGrad = false) {
    if (buffer.length !== sizeOf(shape)) {
      throw expected(`${sizeOf(shape)} elements for shape [${shape}]`, 'buffer', buffer.length)
    }
    this.backend = backend
    this.shape = shape
    this.buffer = buffer
    this.requiresGrad = requiresGrad
  }

  /** New memory on the backend with these values; the caller owns it. */
  static from(backend: Backend, shape: Shape, values: Values): Tensor {
    return new Tensor(backend, shape, filled(backend, shape, values))
  }

  get size(): number {
    return this.buffer.length
  }

  /** True once the tape gave the memory back; the numbers are gone. */
  get released(): boolean {
    return this.#released
  }

  /** Called by the owner of the memory when it is given back. */
  invalidate(): void {
    this.#released = true
  }

  /**
   * The numbers on the host. On a host backend this is the memory itself: treat it as read-only, and copy what must
   * outlive the tape.
   */
  toArray(): HostArray {
    this.assertAlive('tensor')
    return this.backend.memory.download(this.buffer)
  }

  /** The single number of a one-element tensor. */
  item(): number {
    if (this.size !== 1) throw expected('one element', 'tensor', `shape [${this.shape}]`)
    return this.toArray()[0]!
  }

  /** Throws INVALID_ARGUMENT when the memory has been given back. */
  assertAlive(name: string): void {
    if (!this.#released) return
    throw expected('a tensor whose tape still holds it', name, `shape [${this.shape}] already released`, {
      remedy:
        'Read a result before backward() and before the tape ends, or protect it with tape.keep(tensor).',
    })
  }
}

/** A tensor that training changes. `grad` is null until a backward pass reached it. */
export class Parameter extends Tensor {
  grad: FloatBuffer | null = null

  static override from(backend: Backend, shape: Shape, values: Values): Parameter {
    return new Parameter(backend, shape, filled(backend, shape, values), true)
  }

  zeroGrad(): void {
    if (this.grad !== null) this.backend.memory.free(this.grad)
    this.grad = null
  }
}

function filled(backend: Backend, shape: Shape, values: Values): FloatBuffer {
  const size = sizeOf(shape)
  countWeights(size)
  const given = typeof values === 'function' ? values() : values
  if (given.length !== size) throw expected(`${size} values for shape [${shape}]`, 'values', given)
  const buffer = backend.memory.alloc(given.length)
  backend.memory.upload(given, buffer)
  return buffer
}
