import { hostname } from 'node:os'
import {
  gpuAddress,
  joinNccl,
  leaveNccl,
  ncclAllGather,
  ncclAllReduce,
  ncclSummary,
  newNcclId,
} from '../backend/nccl.js'
import type { Backend } from '../backend/port.js'
import { isSonotextError, SonotextError } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import type { Comm } from './comm.js'

/** Options of {@link ncclComm}. */
export interface NcclCommOptions {
  /** Told on rank 0 why NCCL carries nothing, where some rank has a GPU. Default: a Node warning (code SONOTEXT_NCCL). */
  onFallback?: (message: string) => void
}

/** What a rank says of itself, so that all decide alike. */
interface Seat {
  readonly device: string
  readonly machine: string
  /** Where its GPU sits; null on the CPU. */
  readonly gpu: string | null
  readonly version: string | null
  /** Why it cannot use NCCL. */
  readonly problem: string | null
}

/**
 * The same ranks, with NCCL between their GPUs: what lies on a device then goes from GPU to GPU ({@link Comm.link}), while names, decisions, heartbeats
 * and what lies on the host go as before. Every rank calls it with the backend that it trains on. Where NCCL is not on every machine, a rank
 * computes on the CPU, or two ranks share a GPU, it is the given Comm, and rank 0 is told why. Close what this returns in place of the other.
 * @throws SonotextError DEVICE_ERROR where NCCL cannot begin, RANK_LOST
 */
export function ncclComm(comm: Comm, backend: Backend, options: NcclCommOptions = {}): Comm {
  const { onFallback = warn } = checkOptions(options, 'ncclComm')
  if (comm.size === 1 || comm.guardNccl === undefined) return comm
  const own = new TextEncoder().encode(JSON.stringify(seatOf(backend)))
  const seats = comm
    .allGather(own, 'the devices of the ranks')
    .map((part) => JSON.parse(new TextDecoder().decode(part)) as Seat)
  if (seats.every(({ gpu }) => gpu === null)) return comm
  const problem = problemOf(seats)
  if (problem !== null) {
    if (comm.rank === 0)
      onFallback(`NCCL is not used: ${problem}. What the GPUs exchange goes through the host.`)
    return comm
  }
  const id = comm.broadcast(comm.rank === 0 ? newNcclId() : null, 'the id of NCCL')
  comm.guardNccl()
  try {
    joinNccl(backend, id, comm.rank, comm.size)
  } catch (cause) {
    if (!isSonotextError(cause) || cause.code !== 'DEVICE_ERROR') throw cause
    throw new SonotextError('DEVICE_ERROR', `NCCL could not begin: ${cause.message}`, {
      remedy: 'NCCL_DEBUG=INFO makes it say more; SONOTEXT_NCCL=0 does without it.',
      cause,
    })
  }
  return {
    rank: comm.rank,
    size: comm.size,
    allGather: (part, what) => comm.allGather(part, what),
    allReduce: (values, what) => comm.allReduce(values, what),
    broadcast: (part, what) => comm.broadcast(part, what),
    barrier: (what) => comm.barrier(what),
    link: { allReduce: ncclAllReduce, allGather: ncclAllGather },
    async close(error) {
      leaveNccl(error === undefined ? null : error instanceof Error ? error.message : String(error))
      await comm.close(error)
    },
  }
}

function seatOf(backend: Backend): Seat {
  const { device } = backend.info
  const seat = { device, machine: hostname() }
  if (!device.startsWith('cuda'))
    return { ...seat, gpu: null, version: null, problem: `computes on ${device}` }
  const { version, detail } = ncclSummary()
  return {
    ...seat,
    gpu: gpuAddress(backend),
    version,
    problem: version === null ? `has none: ${detail}` : null,
  }
}

/** Why these ranks cannot use NCCL together, or null. */
function problemOf(seats: readonly Seat[]): string | null {
  for (const [rank, { problem, version, machine, gpu, device }] of seats.entries()) {
    if (problem !== null) return `rank ${rank} ${problem}`
    if (version !== seats[0]!.version)
      return `rank ${rank} has version ${version}, rank 0 version ${seats[0]!.version}`
    const first = seats.findIndex((seat) => seat.machine === machine && seat.gpu === gpu)
    if (first < rank) return `ranks ${first} and ${rank} share the GPU ${device}, and it takes one a rank`
  }
  return null
}

function warn(message: string): void {
  process.emitWarning(message, { code: 'SONOTEXT_NCCL' })
}
