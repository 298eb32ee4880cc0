import type { FloatBuffer, HostArray } from './buffers.js'
import type { OpArgs, OpName } from './ops.js'

/**
 * The Backend port: what the library needs from a numeric engine. The native addon (every instruction set and device) and
 * the plain-TypeScript reference both implement it. The ops with their arguments are in ops.ts, which is written from the
 * one statement of every op (native-cuda/native/core/ops.def).
 *
 * Conventions: matrices are row-major and dense, images channels-last; float buffers live on the backend's device, integer
 * arrays (lengths, tokens, picked indices) always on the host; outputs are given by the caller and overwritten.
 */

export type * from './buffers.js'
export type * from './ops.js'

/** Memory of one device. */
export interface Memory {
  /** Buffer of `length` elements, new or recycled: its contents are unspecified. */
  alloc(length: number): FloatBuffer
  /**
   * Gives a buffer back for reuse; the caller must not use it again. Ops of {@link Backend.runAsync} that were started
   * before keep it until they settle, on every device: only then can its memory become another buffer's. Buffers from
   * elsewhere and buffers given back before are ignored.
   */
  free(buffer: FloatBuffer): void
  /** Host → device, lengths must be equal. */
  upload(source: ArrayLike<number>, target: FloatBuffer): void
  /** Device → host: a copy, except that a host backend may return the buffer itself. Treat it as read-only. */
  download(buffer: FloatBuffer): HostArray
  fill(buffer: FloatBuffer, value: number): void
  copy(source: FloatBuffer, target: FloatBuffer): void
}

/** Options of {@link Backend.runAsync}. */
export interface OpOptions {
  signal?: AbortSignal
}

/** float32; 10 bits of mantissa; bfloat16. */
export type MatmulPrecision = 'fp32' | 'tf32' | 'bf16'

/** What a backend computes on. */
export interface BackendInfo {
  /** 'reference', 'cpu', 'sealed' (test device) or 'cuda:0'. */
  readonly device: string
  /** Instruction set in use, for example 'avx512'; null where it has no meaning. */
  readonly isa: string | null
  /**
   * What operands of matrix products are rounded to; 'fp32' is not at all. Sums and what lies in memory are float32. On the CPU and the
   * reference 'bf16' is for the forward of `frame_score` alone.
   */
  readonly matmul: MatmulPrecision
  readonly threads: number
  /** One sentence on why this backend was chosen. */
  readonly reason: string
}

/** A numeric engine: every op of the library, and the memory it works on. */
export interface Backend {
  readonly info: BackendInfo
  readonly memory: Memory
  /** False: this backend has no entry of its own for the op and {@link run} takes the next in the chain. */
  supports(op: OpName): boolean
  /** Runs an op and returns when its outputs are written. Throws a SonotextError on invalid arguments. */
  run<K extends OpName>(op: K, args: OpArgs[K]): void
  /**
   * The same off the main thread. Until the promise settles nobody may write the buffers or read the outputs; they may be
   * given back ({@link Memory.free}). Once the signal fires no further piece of the work begins and the promise rejects
   * with ABORTED, unless all of it had begun; outputs and in-out arguments of an aborted op hold anything.
   */
  runAsync<K extends OpName>(op: K, args: OpArgs[K], options?: OpOptions): Promise<void>
  /** Gives memory that is kept for later ops and buffers back to the system. Buffers in use stay as they are. */
  trim(): void
  /**
   * Ends the backend: what it keeps is given back, and every later use but reading {@link info} is an error
   * (BACKEND_UNAVAILABLE); {@link Memory.free} then does nothing. Ops that run go on. A second call does nothing.
   */
  [Symbol.dispose](): void
}
