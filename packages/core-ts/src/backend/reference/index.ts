import { throwIfAborted } from '../../base/abort.js'
import { expected, SonotextError } from '../../base/errors.js'
import { checkOptions } from '../../base/options.js'
import { checkArgs } from '../check.js'
import { takeArgs } from '../edge.js'
import { hostMemory } from '../host-memory.js'
import { disposable } from '../lifetime.js'
import type { Backend, HostArray, OpArgs, OpName, OpOptions } from '../port.js'
import { withRoundedOperands } from './bfloat16.js'
import type { HostArgs } from './host.js'
import { table } from './table.js'

/** Options of {@link referenceBackend}. */
export interface ReferenceOptions {
  /** Type of the buffers `memory.alloc` makes; arithmetic is float64 either way. Default 'float32'. */
  precision?: 'float32' | 'float64'
  /** 'bf16' rounds what CPU devices opened so round: frames and words of `frame_score`, to bfloat16. Default 'fp32'. */
  matmul?: 'fp32' | 'bf16'
  /** Why this backend was chosen, for {@link Backend.info}. */
  reason?: string
}

/** Every op as plain loops that accumulate in float64: slow, everywhere, and what the fast backends are tested against. */
export function referenceBackend(options: ReferenceOptions = {}): Backend {
  checkOptions(options, 'referenceBackend')
  const { precision = 'float32', matmul = 'fp32', reason = 'plain TypeScript, asked for by name' } = options
  if (precision !== 'float32' && precision !== 'float64') {
    throw expected("'float32' or 'float64'", 'precision', precision)
  }
  if (matmul !== 'fp32' && matmul !== 'bf16') throw expected("'fp32' or 'bf16'", 'matmul', matmul)
  const run = <K extends OpName>(op: K, args: OpArgs[K]): void => {
    const own = takeArgs(op, args)
    checkArgs(op, own, isHostArray)
    table[op]((matmul === 'bf16' ? withRoundedOperands(op, own) : own) as HostArgs<K>)
  }
  const Floats = precision === 'float64' ? Float64Array : Float32Array
  return disposable({
    info: { device: 'reference', isa: null, matmul, threads: 1, reason },
    memory: hostMemory({
      what: 'a Float32Array or Float64Array',
      isBuffer: isHostArray,
      alloc: (length) => allocated(Floats, length),
      free: () => {},
    }),
    supports: () => true,
    run,
    async runAsync(op, args, { signal }: OpOptions = {}) {
      const own = takeArgs(op, args)
      await new Promise(setImmediate)
      throwIfAborted(signal)
      run(op, own)
    },
    trim: () => {}, // it keeps nothing
    close: () => {},
  })
}

function allocated(Floats: Float32ArrayConstructor | Float64ArrayConstructor, length: number): HostArray {
  try {
    return new Floats(length)
  } catch (cause) {
    throw new SonotextError('OUT_OF_MEMORY', `Not enough memory for a buffer of ${length} elements.`, {
      cause,
    })
  }
}

function isHostArray(buffer: unknown): buffer is HostArray {
  return buffer instanceof Float32Array || buffer instanceof Float64Array
}
