import type { BufferHandle, NcclSummary } from '@sonotext/native-cuda'
import { load, translated } from './native.js'
import type { Backend, FloatBuffer } from './port.js'

/** NCCL as the addon finds it. Throws BACKEND_UNAVAILABLE without the addon. */
export function ncclSummary(): NcclSummary {
  return translated(() => load().nccl.summary())
}

/** Where the GPU of a CUDA backend sits: two ranks of a machine must have different ones. */
export function gpuAddress(backend: Backend): string {
  return withBuffer(backend, (buffer) => load().nccl.address(buffer))
}

/** By which ranks find each other: one makes it, all join with it. */
export function newNcclId(): Uint8Array {
  return translated(() => load().nccl.createId())
}

/** Joins a backend's GPU to those of the other ranks; returns when all are there. Throws DEVICE_ERROR, and RANK_LOST when it was given up. */
export function joinNccl(backend: Backend, id: Uint8Array, rank: number, size: number): void {
  withBuffer(backend, (buffer) => load().nccl.join(buffer, id, rank, size))
}

/** Replaces every value by its sum over ranks. Enqueued; throws DEVICE_ERROR, RANK_LOST. */
export function ncclAllReduce(buffers: readonly FloatBuffer[]): void {
  translated(() => load().nccl.allReduce(buffers as readonly BufferHandle[]))
}

/** `whole` becomes the parts of all ranks. Enqueued; throws DEVICE_ERROR, RANK_LOST. */
export function ncclAllGather(part: FloatBuffer, whole: FloatBuffer, lengths: readonly number[]): void {
  translated(() => load().nccl.allGather(part as BufferHandle, whole as BufferHandle, lengths))
}

/** Ends the communicator: after what was enqueued, or with a reason at once. */
export function leaveNccl(reason: string | null): void {
  const { nccl } = load()
  if (reason !== null) nccl.giveUp(reason)
  nccl.leave()
}

/** A device is known to the addon by memory of its. */
function withBuffer<T>({ memory }: Backend, use: (buffer: BufferHandle) => T): T {
  const buffer = memory.alloc(1)
  try {
    return translated(() => use(buffer as BufferHandle))
  } finally {
    memory.free(buffer)
  }
}
