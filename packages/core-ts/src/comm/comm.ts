import type { FloatBuffer } from '../backend/port.js'

/** Numbers that are summed over ranks. */
export type CommNumbers = Float32Array | Float64Array

/**
 * Collectives over what lies on the devices of the ranks, without the host. They are enqueued, as ops are, and have no names: a collective of the
 * {@link Comm} comes before them, with a name for what follows, because ranks that went apart would add unlike numbers here, or wait for ever.
 */
export interface DeviceLink {
  /** Replaces every value by its sum over ranks, added in float32 in an order of the link's: the same bits on every rank. Throws DEVICE_ERROR, RANK_LOST. */
  allReduce(buffers: readonly FloatBuffer[]): void
  /** `whole` becomes the parts of all ranks in their order; `lengths` are theirs. Throws DEVICE_ERROR, RANK_LOST. */
  allGather(part: FloatBuffer, whole: FloatBuffer, lengths: readonly number[]): void
}

/**
 * The processes of one data-parallel run. Every rank calls the same collectives in the same order, each with a name (`what`) that says what it
 * is for: ranks that come with different names have gone apart, and all of them are told so. Collectives block the thread, because a training
 * step is synchronous; an error of one rank reaches all of them.
 *
 * Anything that implements this can carry a run.
 */
export interface Comm {
  /** 0 … size - 1; rank 0 leads: it writes the files. */
  readonly rank: number
  readonly size: number
  /** The parts of all ranks, in their order; lengths may differ. Throws RANK_LOST. */
  allGather(part: Uint8Array, what: string): readonly Uint8Array[]
  /** Replaces values by their sum over ranks, added in rank order in float64: the same bits on every rank. Throws RANK_LOST. */
  allReduce(values: CommNumbers, what: string): void
  /** What rank 0 gives; the other ranks give null. Throws RANK_LOST. */
  broadcast(part: Uint8Array | null, what: string): Uint8Array
  /** Returns when all ranks have come here. Throws RANK_LOST. */
  barrier(what: string): void
  /** For what lies on devices, where the ranks have such a way: see {@link ncclComm}. Without one it goes through the host. */
  readonly link?: DeviceLink
  /** From now on whoever sees that a rank is lost gives up what NCCL waits for. A Comm without it carries everything itself. */
  guardNccl?(): void
  /** Leaves. With an error the other ranks end with an error that quotes it. */
  close(error?: unknown): Promise<void>
}

/** A run of one process. */
export function singleComm(): Comm {
  return {
    rank: 0,
    size: 1,
    allGather: (part) => [part],
    allReduce: () => {},
    broadcast: (part) => part!,
    barrier: () => {},
    close: async () => {},
  }
}

/** What rank 0 gives, as JSON; the other ranks' value is ignored. Throws RANK_LOST. */
export function fromLead<T>(comm: Comm, value: T, what: string): T {
  if (comm.size === 1) return value
  const given = comm.rank === 0 ? new TextEncoder().encode(JSON.stringify(value)) : null
  return JSON.parse(new TextDecoder().decode(comm.broadcast(given, what))) as T
}

/** Rank 0 works first and the others after it, so that they find in caches what it kept there. Throws what the work throws, and RANK_LOST. */
export async function leadFirst<T>(comm: Comm, what: string, work: () => Promise<T>): Promise<T> {
  if (comm.rank > 0) comm.barrier(what)
  const result = await work()
  if (comm.rank === 0) comm.barrier(what)
  return result
}

/** Whether any rank says so. Throws RANK_LOST. */
export function anyRank(comm: Comm, says: boolean, what: string): boolean {
  if (comm.size === 1) return says
  const votes = new Float64Array([says ? 1 : 0])
  comm.allReduce(votes, what)
  return votes[0]! > 0
}
