import { throwIfAborted } from '../../base/abort.js'
import { expected } from '../../base/errors.js'
import { checkArgs } from '../check.js'
import { disposable } from '../lifetime.js'
import type { Backend, FloatBuffer, HostArray, Memory, OpArgs, OpName, OpOptions } from '../port.js'
import type { HostArgs } from './host.js'
import { table } from './table.js'

export interface ReferenceOptions {
  /** Type of the buffers `memory.alloc` makes; arithmetic is float64 either way. Default 'float32'. */
  precision?: 'float32' | 'float64'
  /** Why this backend was chosen, for {@link Backend.info}. */
  reason?: string
}

/** Every op as plain loops that accumulate in float64: slow, everywhere, and what the fast backends are tested against. */
export function referenceBackend(options: ReferenceOptions = {}): Backend {
  const { precision = 'float32', reason = 'plain TypeScript, asked for by name' } = options
  if (precision !== 'float32' && precision !== 'float64') {
    throw expected("'float32' or 'float64'", 'precision', precision)
  }
  const run = <K extends OpName>(op: K, args: OpArgs[K]): void => {
    if (!Object.hasOwn(table, op)) throw expected(`one of ${Object.keys(table).join(', ')}`, 'op', op)
    checkArgs(op, args, isHostArray)
    table[op](args as HostArgs<K>)
  }
  return disposable({
    info: { device: 'reference', isa: null, threads: 1, reason },
    memory: hostMemory(precision === 'float64' ? Float64Array : Float32Array),
    supports: (op) => Object.hasOwn(table, op),
    run,
    async runAsync(op, args, { signal }: OpOptions = {}) {
      throwIfAborted(signal)
      await new Promise(setImmediate)
      throwIfAborted(signal)
      run(op, args)
    },
    trim: () => {}, // it keeps nothing
    close: () => {},
  })
}

function hostMemory(Floats: Float32ArrayConstructor | Float64ArrayConstructor): Memory {
  return {
    alloc: (length) => new Floats(length),
    free: () => {},
    upload(source, target) {
      sameLength('source', source.length, target)
      host(target, 'target').set(source)
    },
    download: (buffer) => host(buffer, 'buffer'),
    fill: (buffer, value) => void host(buffer, 'buffer').fill(value),
    copy(source, target) {
      sameLength('source', source.length, target)
      host(target, 'target').set(host(source, 'source'))
    },
  }
}

function isHostArray(buffer: unknown): buffer is HostArray {
  return buffer instanceof Float32Array || buffer instanceof Float64Array
}

function host(buffer: FloatBuffer, name: string): HostArray {
  if (!isHostArray(buffer)) throw expected('a Float32Array or Float64Array', name, buffer)
  return buffer
}

function sameLength(name: string, length: number, target: FloatBuffer): void {
  if (length !== target.length) throw expected(`${target.length} elements like the target`, name, length)
}
