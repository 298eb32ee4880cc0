import { expected } from '../base/errors.js'

/**
 * Float32Arrays of a host backend, recycled by size. Training allocates much the same sizes step after step: reusing them
 * saves the zeroing and the page faults of fresh memory. Sizes fall into buckets an eighth of an octave wide, so that
 * batches of different lengths share memory too and at most an eighth of it is idle. A large array that its bucket has not is taken from
 * the next larger one that has, up to twice as long: the last batch of an epoch, which is shorter, lives in the memory of the others.
 */
export class HostArena {
  readonly #make: (length: number) => Float32Array<ArrayBuffer>
  #limit: number
  /** Whole bucket-sized arrays waiting for reuse, by their length. */
  readonly #free = new Map<number, Float32Array<ArrayBuffer>[]>()
  /** Arrays handed out, with the bucket-sized array each lies in. */
  readonly #whole = new WeakMap<Float32Array, Float32Array<ArrayBuffer>>()
  #kept = 0

  /**
   * `make` allocates; `limit` is the most bytes kept for reuse (what comes back beyond it is left to the garbage
   * collector).
   */
  constructor(make = (length: number) => new Float32Array(length), limit = 2 ** 31) {
    this.#make = make
    this.#limit = limit
  }

  /** Contents unspecified. */
  alloc(length: number): Float32Array {
    if (!(Number.isSafeInteger(length) && length >= 0))
      throw expected('a number of elements', 'length', length)
    const size = bucket(length)
    const whole = this.#reused(size) ?? this.#make(size)
    const view = new Float32Array(whole.buffer, whole.byteOffset, length)
    this.#whole.set(view, whole)
    return view
  }

  /** Arrays from elsewhere and arrays already given back are ignored. */
  free(buffer: Float32Array): void {
    const whole = this.#whole.get(buffer)
    if (whole === undefined) return
    this.#whole.delete(buffer)
    if (this.#kept + whole.byteLength > this.#limit) return
    this.#kept += whole.byteLength
    const list = this.#free.get(whole.length)
    if (list === undefined) this.#free.set(whole.length, [whole])
    else list.push(whole)
  }

  /** A waiting array of this size, or the shortest larger one that is not too large for it. */
  #reused(size: number): Float32Array<ArrayBuffer> | undefined {
    const longest = size < LARGE ? size : 2 * size
    for (let own = size; own <= longest; own = bucket(own + 1)) {
      const list = this.#free.get(own)
      const reused = list?.pop()
      if (reused === undefined) continue
      if (list!.length === 0) this.#free.delete(own)
      this.#kept -= reused.byteLength
      return reused
    }
    return undefined
  }

  /** Leaves what waits for reuse to the garbage collector. */
  trim(): void {
    this.#free.clear()
    this.#kept = 0
  }

  /** The same for good: what comes back later is not kept either. */
  close(): void {
    this.trim()
    this.#limit = 0
  }

  /** Bytes waiting for reuse. */
  get kept(): number {
    return this.#kept
  }
}

/** From here on (1 MiB) the memory that larger arrays save is worth what they leave idle. */
const LARGE = 2 ** 18

/** The smallest m·2^e with m from 8 to 15 that is not below `length`, at least a cache line. */
function bucket(length: number): number {
  if (length <= 16) return 16
  const step = 2 ** (Math.floor(Math.log2(length)) - 3)
  return Math.ceil(length / step) * step
}
