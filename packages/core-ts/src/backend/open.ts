import { expected, SonotextError } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import { chainBackends } from './chain.js'
import { load, nativeBackend } from './native.js'
import type { Backend, MatmulPrecision } from './port.js'
import { referenceBackend } from './reference/index.js'

/** Options of {@link openBackend}. */
export interface OpenBackendOptions {
  /**
   * 'auto' takes the native CPU, or the reference where the addon cannot be loaded: with a warning, and the reason in
   * `info.reason`. A name ('reference', 'cpu', 'sealed', 'cuda', 'cuda:N') is taken or refused, never replaced. The
   * environment variable SONOTEXT_REQUIRE_NATIVE=1 makes 'auto' refuse too. Default 'auto'.
   */
  device?: 'auto' | 'reference' | 'cpu' | 'sealed' | 'cuda' | `cuda:${number}`
  /**
   * Instruction set to force on a CPU device: 'scalar' everywhere, 'avx2', 'avx512' or (for `matmul: 'bf16'`) 'avx512bf16' on x86-64,
   * 'neon' on 64-bit Arm.
   */
  isa?: string
  /**
   * What operands of matrix products (and so of convolutions, losses over pairs and recurrences) are rounded to on a CUDA device, for its tensor
   * cores; sums, weights and what lies in memory stay float32, and bfloat16 has the range of float32, so
   * that training needs no loss scale. On the CPU and the reference 'bf16' is for frame × word scores and what negatives are
   * chosen by (the forward of `frame_score`), on every CPU the same up to roundings, and faster where it has AVX512_BF16; gradients and
   * all other products stay as they are. Elsewhere only 'fp32' is taken. Default 'fp32'.
   */
  matmul?: MatmulPrecision
  /** Size of the process's thread pool. Default the physical cores, or SONOTEXT_THREADS. Results do not depend on it. */
  threads?: number
  /** Told where 'auto' had to take the reference. Default a Node warning (code SONOTEXT_REFERENCE), once in a thread. */
  onFallback?: (message: string) => void
}

/**
 * Opens what the library computes on. Ops that a device has no entry for are taken by the next of
 * device → cpu → reference, which a Node warning says once per op.
 * @throws SonotextError BACKEND_UNAVAILABLE when a device named by the caller is not there, or the addon where
 *   SONOTEXT_REQUIRE_NATIVE=1 asks for it, with what to do
 */
export function openBackend(options: OpenBackendOptions = {}): Backend {
  checkOptions(options, 'openBackend')
  const { device = 'auto', isa, matmul, threads, onFallback = warnOnce, ...others } = options
  const [other] = Object.keys(others)
  if (other !== undefined) throw expected('device, isa, matmul, threads or onFallback', 'openBackend', other)
  if (device !== 'auto' && !/^(reference|cpu|sealed|cuda(:\d+)?)$/.test(device)) {
    throw expected("'auto', 'reference', 'cpu', 'sealed', 'cuda' or 'cuda:N'", 'device', device)
  }
  if (matmul !== undefined && !['fp32', 'tf32', 'bf16'].includes(matmul)) {
    throw expected("'fp32', 'tf32' or 'bf16'", 'matmul', matmul)
  }
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= 256)) {
    throw expected('an integer from 1 to 256', 'threads', threads)
  }
  if (device === 'reference') {
    if (isa !== undefined) throw expected('no instruction set for the reference', 'isa', isa)
    if (matmul === 'tf32') throw expected("'fp32' or 'bf16' for the reference", 'matmul', matmul)
    return referenceBackend(matmul === undefined ? {} : { matmul })
  }
  const native = (reason?: string) => {
    if (threads !== undefined) load().setThreads(threads)
    const chosen = { ...(isa === undefined ? {} : { isa }), ...(matmul === undefined ? {} : { matmul }) }
    const own = { ...chosen, ...(reason === undefined ? {} : { reason }) }
    const first = nativeBackend({ ...own, device: device === 'auto' ? 'cpu' : device })
    const others = first.info.device === 'cpu' ? [] : [nativeBackend()]
    return chainBackends(first, [...others, referenceBackend()])
  }
  if (device !== 'auto' || isa !== undefined || (matmul ?? 'fp32') !== 'fp32') return native()
  try {
    return native('native addon, chosen automatically')
  } catch (error) {
    if (!(error instanceof SonotextError) || error.code !== 'BACKEND_UNAVAILABLE') throw error
    if (!['', '0', 'false', undefined].includes(process.env['SONOTEXT_REQUIRE_NATIVE'])) throw error
    onFallback(
      `Computing on the plain TypeScript reference, tens of times slower than the native addon. ${error.message}`,
    )
    return referenceBackend({ reason: `the native addon is not available: ${error.message}` })
  }
}

let warned = false

function warnOnce(message: string) {
  if (warned) return
  warned = true
  process.emitWarning(message, { code: 'SONOTEXT_REFERENCE' })
}
