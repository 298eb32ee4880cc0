import type { Addon } from '@sonotext/native-cuda'
import { watchArrays } from './counters-arrays.js'

/** Numbers by the name of what they were counted of. */
export type Counts = Readonly<Record<string, number>>

/** What one run of a scenario did, exactly: the same on every machine. */
export interface Counters {
  /** Calls of ops. */
  readonly ops: Counts
  /** Elements of the ops' buffers times their size, by op. */
  readonly opBytes: Counts
  /** Calls from JavaScript into the addon, by function. */
  readonly crossings: Counts
  /** Buffers taken from the addon, by function, and arrays made in JavaScript, by class: see {@link watchArrays}. */
  readonly allocations: Counts
  readonly allocatedBytes: Counts
  /** Bytes copied from one array to another in JavaScript and between buffers of a device, by what copied. */
  readonly copiedBytes: Counts
  /** Between host and device: `upload` and `download`. How often is said by the crossings. */
  readonly transferredBytes: Counts
}

/** Counts while `work` runs. Nothing else may run in this thread meanwhile. */
export async function counted(addon: Addon, work: () => unknown): Promise<Counters> {
  const counts = new Counting()
  const restore = [counts.watchAddon(addon), watchArrays(counts)]
  try {
    await work()
  } finally {
    for (const undo of restore) undo()
  }
  return counts.result()
}

class Tally {
  readonly #counts = new Map<string, number>()

  add(name: string, count = 1): void {
    if (count > 0) this.#counts.set(name, (this.#counts.get(name) ?? 0) + count)
  }

  sorted(): Counts {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}

class Counting {
  readonly #tallies: Readonly<Record<keyof Counters, Tally>> = {
    ops: new Tally(),
    opBytes: new Tally(),
    crossings: new Tally(),
    allocations: new Tally(),
    allocatedBytes: new Tally(),
    copiedBytes: new Tally(),
    transferredBytes: new Tally(),
  }

  result(): Counters {
    const sorted = Object.entries(this.#tallies).map(([name, tally]) => [name, tally.sorted()] as const)
    return Object.fromEntries(sorted) as Record<keyof Counters, Counts>
  }

  made(kind: string, bytes: number): void {
    this.#tallies.allocations.add(kind)
    this.#tallies.allocatedBytes.add(kind, bytes)
  }

  copied(how: string, bytes: number): void {
    this.#tallies.copiedBytes.add(how, bytes)
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
    const { ops, opBytes, crossings, transferredBytes } = this.#tallies
    crossings.add(name)
    const length = (value: unknown): number => 4 * (value as { length: number }).length
    if (name === 'run' || name === 'runAsync') {
      const op = args[1] as string
      ops.add(op)
      for (const value of Object.values(args[2] as object)) {
        if (typeof value === 'object' && value !== null) opBytes.add(op, length(value))
      }
    } else if (name === 'hostArray' || name === 'alloc') this.made(name, 4 * (args.at(-1) as number))
    else if (name === 'upload' || name === 'download') transferredBytes.add(name, length(args[0]))
    else if (name === 'copy') this.copied('device', length(args[0]))
  }
}
