import type { FloatBuffer } from './port.js'

type GiveBack = (buffer: FloatBuffer) => void

/** What running ops of all backends of this thread use: an op of one may use memory of another. */
const inUse = new Map<object, Held>()

interface Held {
  ops: number
  /** What was freed meanwhile; undefined while nothing was. */
  freed?: Map<FloatBuffer, GiveBack>
}

/**
 * Buffers that running ops use. One that is freed meanwhile is given back when the last of those ops has settled: until
 * then its memory must not become someone else's. Counts by memory, not by view, since an op may use a part of a buffer.
 */
export class BufferHolds {
  readonly #giveBack: GiveBack

  constructor(giveBack: GiveBack) {
    this.#giveBack = giveBack
  }

  free(buffer: FloatBuffer): void {
    const held = inUse.get(memoryOf(buffer))
    if (held === undefined) this.#giveBack(buffer)
    else (held.freed ??= new Map()).set(buffer, this.#giveBack)
  }

  /** Holds every buffer among the arguments of an op until `work` settles. */
  async during<T>(args: object, work: () => Promise<T>): Promise<T> {
    // Memory that several arguments share is counted as often.
    const memories: object[] = []
    for (const value of Object.values(args)) {
      if (typeof value === 'object' && value !== null) memories.push(memoryOf(value as FloatBuffer))
    }
    for (const memory of memories) {
      const held = inUse.get(memory)
      if (held === undefined) inUse.set(memory, { ops: 1 })
      else held.ops++
    }
    try {
      return await work()
    } finally {
      for (const memory of memories) release(memory)
    }
  }
}

function release(memory: object): void {
  const held = inUse.get(memory)!
  if (--held.ops > 0) return
  inUse.delete(memory)
  held.freed?.forEach((giveBack, buffer) => giveBack(buffer))
}

/** What a buffer's elements lie in: the same object for all views of one memory. */
export function memoryOf(buffer: FloatBuffer): object {
  return ArrayBuffer.isView(buffer) ? buffer.buffer : buffer
}
