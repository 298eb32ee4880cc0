import type { Addon } from '@sonotext/native-cuda'

/** What one run of a scenario did, exactly: the same on every machine. */
export interface Counters {
  /** Calls of ops by name. */
  readonly ops: Readonly<Record<string, number>>
  /** Elements of the ops' buffers times their size. */
  readonly bytes: number
  /** Calls from JavaScript into the addon, of every kind. */
  readonly crossings: number
  /** Buffers taken from the addon, and typed arrays made in JavaScript. */
  readonly allocations: number
  readonly allocatedBytes: number
  /** Bytes copied from one array to another in JavaScript, and between buffers of a device. */
  readonly copiedBytes: number
  /** Transfers between host and device. */
  readonly uploads: number
  readonly uploadedBytes: number
  readonly downloads: number
  readonly downloadedBytes: number
}

const arrays = [
  'Float32Array',
  'Float64Array',
  'Int32Array',
  'Int16Array',
  'Uint8Array',
  'Uint16Array',
  'Uint32Array',
] as const

type AnyArray = InstanceType<(typeof globalThis)[(typeof arrays)[number]]>

/** Counts while `work` runs. Nothing else may run in this thread meanwhile. */
export async function counted(addon: Addon, work: () => unknown): Promise<Counters> {
  const counts = new Counting()
  const restore = [counts.watchAddon(addon), ...counts.watchArrays()]
  try {
    await work()
  } finally {
    for (const undo of restore) undo()
  }
  return counts.result()
}

class Counting {
  readonly #ops = new Map<string, number>()
  readonly #sums = {
    ...{ bytes: 0, crossings: 0, allocations: 0, allocatedBytes: 0, copiedBytes: 0 },
    ...{ uploads: 0, uploadedBytes: 0, downloads: 0, downloadedBytes: 0 },
  }

  result(): Counters {
    const ops = Object.fromEntries([...this.#ops].sort(([a], [b]) => (a < b ? -1 : 1)))
    return { ops, ...this.#sums }
  }

  /** Puts a counting function in the place of each of the addon's. */
  watchAddon(addon: Addon): () => void {
    const functions = addon as unknown as Record<string, (...args: never[]) => unknown>
    const originals = { ...functions }
    for (const [name, original] of Object.entries(originals)) {
      functions[name] = (...args: never[]) => {
        this.#cross(name, args)
        return original(...args)
      }
    }
    return () => void Object.assign(functions, originals)
  }

  #cross(name: string, args: readonly unknown[]): void {
    const sums = this.#sums
    sums.crossings++
    const length = (value: unknown): number => 4 * (value as { length: number }).length
    if (name === 'run' || name === 'runAsync') {
      const op = args[1] as string
      this.#ops.set(op, (this.#ops.get(op) ?? 0) + 1)
      for (const value of Object.values(args[2] as object)) {
        if (typeof value === 'object' && value !== null) sums.bytes += length(value)
      }
    } else if (name === 'hostArray' || name === 'alloc') {
      sums.allocations++
      sums.allocatedBytes += 4 * (args.at(-1) as number)
    } else if (name === 'upload') {
      sums.uploads++
      sums.uploadedBytes += length(args[0])
    } else if (name === 'download') {
      sums.downloads++
      sums.downloadedBytes += length(args[0])
    } else if (name === 'copy') sums.copiedBytes += length(args[0])
  }

  /**
   * A constructor that counts in the place of each typed array's. The engine makes the results of slice, map and `from` through
   * the constructor that the prototype names, so those are counted too.
   */
  watchArrays(): (() => void)[] {
    const sums = this.#sums
    const scope = globalThis as unknown as Record<string, { prototype: AnyArray }>
    const undo = arrays.map((name) => {
      const original = scope[name]! as unknown as new (...args: unknown[]) => AnyArray
      const watched = new Proxy(original, {
        construct(target, args: unknown[], asked) {
          const made = Reflect.construct(target, args, asked === watched ? target : asked) as AnyArray
          const view = args[0] instanceof ArrayBuffer || args[0] instanceof SharedArrayBuffer
          if (!view) {
            sums.allocations++
            sums.allocatedBytes += made.byteLength
            if (typeof args[0] === 'object') sums.copiedBytes += made.byteLength
          }
          return made
        },
      })
      scope[name] = watched as unknown as { prototype: AnyArray }
      original.prototype.constructor = watched
      return () => {
        scope[name] = original as unknown as { prototype: AnyArray }
        original.prototype.constructor = original
      }
    })
    return [...undo, ...watchCopies((bytes) => (sums.copiedBytes += bytes))]
  }
}

/** `set` and `slice` of every typed array: what they write is copied. */
function watchCopies(copied: (bytes: number) => void): (() => void)[] {
  const shared = Object.getPrototypeOf(Float32Array.prototype) as {
    set: (source: ArrayLike<number>, offset?: number) => void
    slice: (from?: number, to?: number) => AnyArray
  }
  const { set, slice } = shared
  shared.set = function (this: AnyArray, source, offset) {
    copied(source.length * this.BYTES_PER_ELEMENT)
    return set.call(this, source, offset)
  }
  shared.slice = function (this: AnyArray, from, to) {
    const part = slice.call(this, from, to)
    copied(part.byteLength)
    return part
  }
  return [() => void Object.assign(shared, { set, slice })]
}
