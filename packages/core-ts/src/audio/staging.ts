import type { Backend, FloatBuffer } from '../backend/port.js'

const hostBackends = new WeakMap<Backend, boolean>()

function livesOnHost(backend: Backend): boolean {
  let host = hostBackends.get(backend)
  if (host === undefined) {
    const probe = backend.memory.alloc(1)
    host = ArrayBuffer.isView(probe)
    backend.memory.free(probe)
    hostBackends.set(backend, host)
  }
  return host
}

/** Brings arrays to a backend for one op and its result back; on a host backend the arrays themselves are used. */
export class Staging implements Disposable {
  readonly #backend: Backend
  readonly #host: boolean
  readonly #held: FloatBuffer[] = []

  constructor(backend: Backend) {
    this.#backend = backend
    this.#host = livesOnHost(backend)
  }

  input(array: Float32Array): FloatBuffer {
    if (this.#host) return array
    const buffer = this.output(array.length)
    this.#backend.memory.upload(array, buffer)
    return buffer
  }

  /** Room for a result; on a host backend that is `into` itself, where it is given. */
  output(length: number, into?: Float32Array): FloatBuffer {
    if (this.#host) return into ?? new Float32Array(length)
    return this.scratch(length)
  }

  /** The samples behind `before` zeros. */
  padded(samples: Float32Array, before: number): FloatBuffer {
    const buffer = this.scratch(before + samples.length)
    const whole = this.#host ? (buffer as Float32Array) : new Float32Array(before + samples.length)
    whole.fill(0, 0, before)
    whole.set(samples, before)
    if (!this.#host) this.#backend.memory.upload(whole, buffer)
    return buffer
  }

  /** A buffer as two, where a backend has memory that can be: that of the host. Otherwise the whole alone. */
  split(buffer: FloatBuffer, at: number): readonly [FloatBuffer, FloatBuffer?] {
    if (!this.#host) return [buffer]
    const whole = buffer as Float32Array
    return [whole.subarray(0, at), whole.subarray(at)]
  }

  /** Room for what lies between two ops. */
  scratch(length: number): FloatBuffer {
    const buffer = this.#backend.memory.alloc(length)
    this.#held.push(buffer)
    return buffer
  }

  /** The result, as an array of its own or in `into`. */
  take(buffer: FloatBuffer, into?: Float32Array): Float32Array {
    if (this.#host) return buffer as Float32Array
    const values = this.#backend.memory.download(buffer)
    if (into === undefined) return Float32Array.from(values)
    into.set(values)
    return into
  }

  [Symbol.dispose](): void {
    for (const buffer of this.#held) this.#backend.memory.free(buffer)
  }
}
