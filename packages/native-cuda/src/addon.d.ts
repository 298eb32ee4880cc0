/**
 * The typed edge: what the compiled addon (native/napi/addon.cpp) exports. Flat and 1:1; `@sonotext/core` is the friendly
 * library on top. Errors are plain `Error`s with `code` (an ErrorCode of core), and where it applies `op` and `argument`.
 */

import type { OpArgs, OpName } from './ops.js'

export type { OpArgs, OpName } from './ops.js'

/** A device; lives as long as the process. */
export interface DeviceHandle {
  readonly name: string
  /** Instruction set of its kernels, null where it has no meaning. */
  readonly isa: string | null
  /** What operands of matrix products are rounded to; 'fp32' is not at all. */
  readonly matmul: 'fp32' | 'tf32' | 'bf16'
  /** True: float arguments are Float32Arrays. False: they are buffers of {@link Addon.alloc}. */
  readonly hostMemory: boolean
}

/** What a CPU's kernels are compiled for. */
export interface InstructionSet {
  readonly name: string
  /** By this CPU and operating system. */
  readonly supported: boolean
  /** It has kernels of its own only for devices opened with matmul 'bf16', and is what these take. */
  readonly bf16Only: boolean
}

/** Memory of a device. Freed by {@link Addon.dispose}, or when it is collected. */
export interface BufferHandle {
  readonly device: string
  readonly length: number
}

/** Shared by any number of asynchronous calls. */
export interface CancelToken {
  readonly __cancelToken: never
}

type OptionalNames<A> = { [K in keyof A]: null extends A[K] ? K : never }[keyof A]

/** Arguments of an op by name: exactly those of {@link Addon.ops}; optional ones may be null or left out. */
export type NativeArgs<K extends OpName> = Readonly<
  Omit<OpArgs[K], OptionalNames<OpArgs[K]>> & Partial<Pick<OpArgs[K], OptionalNames<OpArgs[K]>>>
>

/** An argument of an op. */
export interface ArgInfo {
  readonly name: string
  readonly direction: 'in' | 'out' | 'inout'
  readonly type: 'float32' | 'int32' | 'uint8' | 'integer' | 'number'
  readonly optional: boolean
}

/** An op and its arguments. */
export interface OpInfo {
  readonly name: OpName
  /** Whether this build has a CUDA kernel for it. */
  readonly cuda: boolean
  readonly args: readonly ArgInfo[]
}

/** A device that the addon knows of. */
export interface DeviceSummary {
  readonly name: string
  readonly available: boolean
  /** What it is, or why it is not there. */
  readonly detail: string
}

/** Kernels that went to a CUDA device since it was opened, and how; zeros of other devices. */
export interface LaunchCounts {
  readonly alone: number
  /** In graphs, which are made where SONOTEXT_CUDA_GRAPHS=1. */
  readonly byGraph: number
  /** Graphs that are kept now: 64 at most. */
  readonly graphs: number
}

/** How the addon was built. */
export interface BuildInfo {
  readonly compiler: string
  /** Version of the CUDA toolkit it was compiled with (13000 for 13.0), 0 for a CPU-only build. */
  readonly cuda: number
  /** Physical cores this process may use; the pool's default size. */
  readonly physicalCores: number
}

/** NVIDIA's NCCL as it was found on this machine. */
export interface NcclSummary {
  /** Such as '2.27.3'; null where it cannot be used. */
  readonly version: string | null
  /** Its file, or why it cannot be used. */
  readonly detail: string
}

/**
 * Collectives over the GPUs of several processes, one GPU each, by NCCL, which is looked for when it is first asked for. A process has one
 * communicator at a time. Collectives are enqueued on the device whose buffers they move, as ops are; all processes must call the same ones in
 * the same order.
 */
export interface Nccl {
  summary(): NcclSummary
  /** Where the GPU of a buffer sits, such as '0000:65:00.0'. Processes of one machine must have different ones. */
  address(buffer: BufferHandle): string
  /** By which the processes find each other: one makes it, all join with it. */
  createId(): Uint8Array
  /** Joins the device of a buffer to those of the other processes; returns when all are there. Throws DEVICE_ERROR, and RANK_LOST when given up. */
  join(buffer: BufferHandle, id: Uint8Array, rank: number, size: number): void
  /** Replaces every value by its sum over the processes. */
  allReduce(buffers: readonly BufferHandle[]): void
  /** `whole` becomes the parts of all processes in their order, whose lengths may differ. */
  allGather(part: BufferHandle, whole: BufferHandle, lengths: readonly number[]): void
  /** What NCCL has found to be wrong by itself, or null. From any thread. */
  problem(): string | null
  /**
   * Ends what waits for the other processes: ops and downloads of the process's GPUs throw RANK_LOST with this message until {@link leave}. From
   * any thread, while another one waits; nothing where the process has not joined.
   */
  giveUp(reason: string): void
  /** Waits for what was enqueued, unless it was given up, and ends the communicator. */
  leave(): void
}

/** What the addon exports. */
export interface Addon {
  /** Runs an op of the device's table on the calling thread and the pool; returns when its outputs are written. */
  run<K extends OpName>(device: DeviceHandle, op: K, args: NativeArgs<K>): void
  /**
   * The same off the JavaScript thread. Arguments are checked, and integers copied, before it returns. Float arrays are used
   * where they lie: until the promise settles they must not be written or read, and never transferred (`postMessage` with a
   * transfer list, `structuredClone`, `transfer()`), which would take the memory from under the op. Arrays that can be
   * resized are refused by every call. A cancelled call rejects with code ABORTED, at once when it had not begun.
   */
  runAsync<K extends OpName>(
    device: DeviceHandle,
    op: K,
    args: NativeArgs<K>,
    cancel?: CancelToken | null,
  ): Promise<void>
  createCancelToken(): CancelToken
  cancel(token: CancelToken): void

  /**
   * Opens 'cpu', 'sealed', 'cuda' or 'cuda:N'; `isa` forces an instruction set, `matmul` says what operands of matrix products
   * are rounded to (default 'fp32', on CUDA SONOTEXT_MATMUL; on the CPU 'bf16' is for the forward of frame_score alone). Throws
   * BACKEND_UNAVAILABLE with the reason.
   */
  openDevice(name: string, isa?: string | null, matmul?: DeviceHandle['matmul'] | null): DeviceHandle
  /** Whether the device's table has an entry for the op. */
  supports(device: DeviceHandle, op: OpName): boolean
  /** Waits where an op runs on the device. */
  launches(device: DeviceHandle): LaunchCounts

  /** A Float32Array over zeroed memory that begins on a cache line (huge pages from 4 MiB), freed when collected. */
  hostArray(length: number): Float32Array<ArrayBuffer>
  /** Memory for `length` floats, whose contents are unspecified, on a device that has its own; the garbage collector is told of its size. */
  alloc(device: DeviceHandle, length: number): BufferHandle
  /** Gives the memory back now; false when that was done before. Running ops keep it alive until they end. */
  dispose(buffer: BufferHandle): boolean
  upload(source: Float32Array, target: BufferHandle): void
  download(source: BufferHandle, target: Float32Array): void
  fill(target: BufferHandle, value: number): void
  copy(source: BufferHandle, target: BufferHandle): void

  readonly nccl: Nccl

  devices(): readonly DeviceSummary[]
  /** Those compiled in, from the plainest to the widest. */
  instructionSets(): readonly InstructionSet[]
  /** The table as it was compiled. */
  ops(): readonly OpInfo[]
  threads(): number
  /** Sets the size of the process's thread pool (1 to 256) and returns it. Results do not depend on it. */
  setThreads(count: number): number
  /** Bytes of scratch memory that ops have left for the next ones. */
  kept(): number
  /** Gives them back to the system. */
  trim(): void
  buildInfo(): BuildInfo

  /**
   * Multiply-adds per second that `threads` threads of the pool reach on registers alone, in GFLOP/s, measured for
   * `milliseconds` (the fastest of many short bursts): what the speed of a kernel is a share of. The plain set has no
   * fused operation; its peak is a product and a sum of 128-bit vectors.
   */
  fmaPeak(isa: string, threads: number, milliseconds: number): number
  /** Time the calling thread has had on a core, in seconds; null where the system does not say. */
  threadSeconds(): number | null
  /** out[i] = name(x[i]) as the kernels of an instruction set compute it; for accuracy tests. */
  vectorMath(isa: string, name: 'exp' | 'log' | 'sigmoid' | 'tanh', x: Float32Array, out: Float32Array): void
}
