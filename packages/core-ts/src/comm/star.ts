import { expected, SonotextError } from '../base/errors.js'
import type { Comm, CommNumbers } from './comm.js'

/** A part of a rank, and what it says it is for. */
export interface NamedPart {
  readonly what: string
  readonly part: Uint8Array
}

/** What carries bytes between rank 0 and each of the others. Calls block the thread and throw RANK_LOST. */
export interface Spokes {
  readonly rank: number
  readonly size: number
  /** On rank 0: a part of each other rank, from rank 1 on. */
  gather(): readonly NamedPart[]
  /** On rank 0: the same bytes for all others. */
  answer(part: Uint8Array): void
  /** On the others: gives a part and waits for the answer. */
  ask(named: NamedPart): Uint8Array
  /** Has whoever sees that a rank is lost give up what NCCL waits for. */
  guardNccl(): void
  close(error?: unknown): Promise<void>
}

/**
 * Collectives over a star: every rank gives its part to rank 0, which makes one answer of all parts for everyone. Sums are made in one place and in
 * rank order, so that all ranks have the same bits; rank 0 moves size - 1 times the bytes of the others.
 */
export class StarComm implements Comm {
  readonly rank: number
  readonly size: number
  readonly #spokes: Spokes

  constructor(spokes: Spokes) {
    this.rank = spokes.rank
    this.size = spokes.size
    this.#spokes = spokes
  }

  allGather(part: Uint8Array, what: string): readonly Uint8Array[] {
    return unpacked(this.#collect(part, what, packed))
  }

  allReduce(values: CommNumbers, what: string): void {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    // Float32 and Float64 of one length must not be taken for each other.
    const name = `${what} (${values.length} ${values.constructor.name})`
    bytes.set(this.#collect(bytes, name, (parts) => summed(parts, values)))
  }

  broadcast(part: Uint8Array | null, what: string): Uint8Array {
    const given = this.rank === 0 ? part : new Uint8Array()
    if (given === null) throw expected('the bytes of rank 0', 'broadcast', part)
    return this.#collect(given, what, ([first]) => first!)
  }

  barrier(what: string): void {
    const nothing = new Uint8Array()
    this.#collect(nothing, what, () => nothing)
  }

  guardNccl(): void {
    this.#spokes.guardNccl()
  }

  close(error?: unknown): Promise<void> {
    return this.#spokes.close(error)
  }

  /** The one primitive: `answer` is made on rank 0. */
  #collect(part: Uint8Array, what: string, answer: (parts: readonly Uint8Array[]) => Uint8Array): Uint8Array {
    if (this.rank > 0) return this.#spokes.ask({ what, part })
    const others = this.#spokes.gather()
    const apart = others.findIndex((other) => other.what !== what)
    if (apart >= 0) {
      throw new SonotextError(
        'RANK_LOST',
        `the ranks have gone apart: rank ${apart + 1} came with "${others[apart]!.what}", rank 0 with "${what}".`,
        { remedy: 'Start every rank with the same configuration, data, options and version.' },
      )
    }
    const made = answer([part, ...others.map((other) => other.part)])
    this.#spokes.answer(made)
    return made
  }
}

/** Sums in float64, in the order of the parts. */
function summed(parts: readonly Uint8Array[], like: CommNumbers): Uint8Array {
  const sums = new Float64Array(like.length)
  for (const part of parts) {
    // A copy begins at a multiple of the element size; a part need not.
    const { buffer } = part.slice()
    const numbers = like instanceof Float32Array ? new Float32Array(buffer) : new Float64Array(buffer)
    for (let i = 0; i < sums.length; i++) sums[i]! += numbers[i]!
  }
  return new Uint8Array(like instanceof Float32Array ? Float32Array.from(sums).buffer : sums.buffer)
}

/** Number of parts, their lengths, their bytes: float64 counts, since parts may be of gigabytes. */
function packed(parts: readonly Uint8Array[]): Uint8Array {
  const head = Float64Array.of(parts.length, ...parts.map(({ length }) => length))
  const all = new Uint8Array(head.byteLength + parts.reduce((sum, { length }) => sum + length, 0))
  all.set(new Uint8Array(head.buffer))
  let at = head.byteLength
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

function unpacked(all: Uint8Array): Uint8Array[] {
  const view = new DataView(all.buffer, all.byteOffset)
  const count = view.getFloat64(0, true)
  let at = 8 * (count + 1)
  return Array.from({ length: count }, (_, i) => {
    const length = view.getFloat64(8 * (i + 1), true)
    at += length
    return all.slice(at - length, at)
  })
}
