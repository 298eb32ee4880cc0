/**
 * Float32Arrays of a host backend, recycled by size. Training allocates the same sizes step after step: reusing them saves
 * the zeroing and the page faults of fresh memory. A buffer is found again by its exact length.
 */
export class HostArena {
  readonly #free = new Map<number, Float32Array[]>()
  readonly #known = new WeakSet<Float32Array>()
  readonly #limit: number
  #kept = 0

  /** `limit`: most bytes kept for reuse; what comes back beyond it is left to the garbage collector. */
  constructor(limit = 2 ** 31) {
    this.#limit = limit
  }

  /** Contents unspecified. */
  alloc(length: number): Float32Array {
    const reused = this.#free.get(length)?.pop()
    if (reused !== undefined) {
      this.#kept -= reused.byteLength
      this.#known.add(reused)
      return reused
    }
    const fresh = new Float32Array(length)
    this.#known.add(fresh)
    return fresh
  }

  /** Arrays from elsewhere and arrays already given back are ignored. */
  free(buffer: Float32Array): void {
    if (!this.#known.delete(buffer) || this.#kept + buffer.byteLength > this.#limit) return
    this.#kept += buffer.byteLength
    const list = this.#free.get(buffer.length)
    if (list === undefined) this.#free.set(buffer.length, [buffer])
    else list.push(buffer)
  }

  /** Bytes waiting for reuse. */
  get kept(): number {
    return this.#kept
  }
}
