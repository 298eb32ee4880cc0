import type { FloatBuffer } from './port.js'

/**
 * Buffers that running ops use. One that is freed meanwhile is given back when the last of those ops has settled: until
 * then its memory must not become someone else's. Counts by memory, not by view, since an op may use a part of a buffer.
 */
export class BufferHolds {
  readonly #giveBack: (buffer: FloatBuffer) => void
  readonly #held = new Map<object, { ops: number; readonly freed: Set<FloatBuffer> }>()

  constructor(giveBack: (buffer: FloatBuffer) => void) {
    this.#giveBack = giveBack
  }

  free(buffer: FloatBuffer): void {
    const held = this.#held.get(memoryOf(buffer))
    if (held === undefined) this.#giveBack(buffer)
    else held.freed.add(buffer)
  }

  /** Holds every buffer among the arguments of an op until `work` settles. */
  async during<T>(args: object, work: () => Promise<T>): Promise<T> {
    const buffers = Object.values(args).filter((value) => typeof value === 'object' && value !== null)
    const memories = new Set(buffers.map((buffer) => memoryOf(buffer as FloatBuffer)))
    for (const memory of memories) {
      const held = this.#held.get(memory)
      if (held === undefined) this.#held.set(memory, { ops: 1, freed: new Set() })
      else held.ops++
    }
    try {
      return await work()
    } finally {
      for (const memory of memories) this.#release(memory)
    }
  }

  #release(memory: object): void {
    const held = this.#held.get(memory)!
    if (--held.ops > 0) return
    this.#held.delete(memory)
    for (const buffer of held.freed) this.#giveBack(buffer)
  }
}

/** What a buffer's elements lie in: the same object for all views of one memory. */
export function memoryOf(buffer: FloatBuffer): object {
  return ArrayBuffer.isView(buffer) ? buffer.buffer : buffer
}
