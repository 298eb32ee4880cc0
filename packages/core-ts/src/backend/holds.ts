import type { FloatBuffer } from './port.js'

type GiveBack = (buffer: FloatBuffer) => void

/** What running ops of all backends of this thread use: an op of one may use memory of another. */
const inUse = new Map<object, { ops: number; readonly freed: Map<FloatBuffer, GiveBack> }>()

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
    else held.freed.set(buffer, this.#giveBack)
  }

  /** Holds every buffer among the arguments of an op until `work` settles. */
  async during<T>(args: object, work: () => Promise<T>): Promise<T> {
    const buffers = Object.values(args).filter((value) => typeof value === 'object' && value !== null)
    const memories = new Set(buffers.map((buffer) => memoryOf(buffer as FloatBuffer)))
    for (const memory of memories) {
      const held = inUse.get(memory)
      if (held === undefined) inUse.set(memory, { ops: 1, freed: new Map() })
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
  for (const [buffer, giveBack] of held.freed) giveBack(buffer)
}

/** What a buffer's elements lie in: the same object for all views of one memory. */
export function memoryOf(buffer: FloatBuffer): object {
  return ArrayBuffer.isView(buffer) ? buffer.buffer : buffer
}
