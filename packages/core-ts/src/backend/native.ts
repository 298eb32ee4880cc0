import {
  type Addon,
  AddonLoadError,
  type BufferHandle,
  type DeviceHandle,
  loadAddon,
  type NativeArgs,
} from '@sonotext/native-cuda'
import { abortedError, throwIfAborted } from '../base/abort.js'
import { type ErrorCode, expected, SonotextError } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import { HostArena } from './arena.js'
import { isHandle } from './buffers.js'
import { takeArgs } from './edge.js'
import { BufferHolds } from './holds.js'
import { hostMemory, isFloats } from './host-memory.js'
import { disposable } from './lifetime.js'
import type {
  Backend,
  FloatBuffer,
  HostArray,
  MatmulPrecision,
  Memory,
  OpArgs,
  OpName,
  OpOptions,
} from './port.js'
import { signatures } from './signatures.js'

/** Options of {@link nativeBackend}. */
export interface NativeOptions {
  /** 'cpu', 'sealed' (test device), 'cuda' or 'cuda:N'. Default 'cpu'. */
  device?: string
  /** Instruction set to force, for example 'avx2'. Default the widest this CPU has, or SONOTEXT_ISA. */
  isa?: string
  /** What operands of matrix products are rounded to: see {@link OpenBackendOptions.matmul}. Default 'fp32', on CUDA SONOTEXT_MATMUL. */
  matmul?: MatmulPrecision
  /** Why this backend was chosen, for {@link Backend.info}. */
  reason?: string
}

/**
 * One device of the native addon as a {@link Backend}.
 * @throws SonotextError BACKEND_UNAVAILABLE when the addon, the device or the instruction set is not there
 */
export function nativeBackend(options: NativeOptions = {}): Backend {
  checkOptions(options, 'nativeBackend')
  const { device: name = 'cpu', isa, matmul } = options
  const addon = load()
  const device = translated(() => addon.openDevice(name, isa ?? null, matmul ?? null))
  const reason = options.reason ?? `native addon, ${device.name} asked for by name`
  const arena = new HostArena((length) => translated(() => addon.hostArray(length)))
  // On a device with memory of its own the addon keeps a buffer until the ops that use it end.
  const holds = new BufferHolds((buffer) => {
    if (buffer instanceof Float32Array) arena.free(buffer)
  })
  const runTaken = async <K extends OpName>(op: K, args: OpArgs[K], { signal }: OpOptions = {}) => {
    throwIfAborted(signal) // a getter among the arguments may have done so
    const token = signal === undefined ? null : addon.createCancelToken()
    const onAbort = () => addon.cancel(token!)
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      await addon.runAsync(device, op, args as unknown as NativeArgs<K>, token)
    } catch (error) {
      const own = translate(error)
      throw own instanceof SonotextError && own.code === 'ABORTED' ? abortedError(signal) : own
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }
  return disposable({
    get info() {
      const { name, isa, matmul } = device
      return { device: name, isa, matmul, threads: addon.threads(), reason }
    },
    memory: device.hostMemory
      ? hostMemory({
          what: 'a Float32Array',
          isBuffer: isFloats,
          alloc: (length) => arena.alloc(length),
          free: (buffer) => holds.free(buffer),
        })
      : deviceMemory(addon, device),
    supports: (op) => translated(() => addon.supports(device, op)),
    run(op, args) {
      try {
        addon.run(device, op, args as unknown as NativeArgs<typeof op>)
      } catch (error) {
        throw translate(error)
      }
    },
    async runAsync(op, args, options) {
      // What is held while the op runs is what the addon is given.
      const own = takeArgs(op, args)
      const run = () => runTaken(op, own, options)
      await (device.hostMemory ? holds.during(own, run) : run())
    },
    runTaken,
    trim() {
      arena.trim()
      addon.trim()
    },
    close() {
      arena.close()
      addon.trim()
    },
  })
}

/** The addon for what is not tied to a device (threads, device list). Throws BACKEND_UNAVAILABLE. */
export function load(): Addon {
  try {
    const addon = loadAddon()
    if (addon !== known) assertSameOps(addon)
    known = addon
    return addon
  } catch (error) {
    if (error instanceof AddonLoadError) {
      throw new SonotextError('BACKEND_UNAVAILABLE', error.message, { cause: error })
    }
    throw error
  }
}

let known: Addon | undefined

/** Refuses an addon that was built from other sources than this code: its ops or their arguments would be others. */
function assertSameOps(addon: Addon): void {
  const stated = new Map(addon.ops().map(({ name, args }) => [name as string, args.map((arg) => arg.name)]))
  const ours = Object.entries(signatures).map(([op, args]) => [op, Object.keys(args)] as const)
  const others = ours.filter(([op, args]) => stated.get(op)?.toSorted().join() !== args.toSorted().join())
  const unknown = [...stated.keys()].filter((op) => !Object.hasOwn(signatures, op))
  const different = [...others.map(([op]) => op), ...unknown]
  if (different.length === 0) return
  const some = different.slice(0, 3).join(', ') + (different.length > 3 ? ', …' : '')
  throw new SonotextError(
    'BACKEND_UNAVAILABLE',
    `Expected a native addon with the ops of this version, got one that was built from other sources: ${different.length} differ (${some}).`,
    {
      remedy:
        'Build it again: npm run setup in a clone, npx sonotext-native build in a project; or unset SONOTEXT_ADDON.',
    },
  )
}

function deviceMemory(addon: Addon, device: DeviceHandle): Memory {
  const handle = (buffer: FloatBuffer, name: string): BufferHandle => {
    if (isHandle(buffer)) return buffer
    throw expected(`a buffer of device ${device.name}`, name, buffer)
  }
  return {
    alloc: (length) => translated(() => addon.alloc(device, length)),
    free(buffer) {
      if (isHandle(buffer) && buffer.device === device.name) translated(() => addon.dispose(buffer))
    },
    upload(source, target) {
      const own = handle(target, 'target')
      if (source.length !== own.length)
        throw expected(`a Float32Array of length ${own.length}`, 'source', source)
      const values = isFloats(source) ? source : Float32Array.from(source)
      translated(() => addon.upload(values, own))
    },
    download(buffer): HostArray {
      const source = handle(buffer, 'buffer')
      const values = new Float32Array(source.length)
      translated(() => addon.download(source, values))
      return values
    },
    fill: (buffer, value) => translated(() => addon.fill(handle(buffer, 'buffer'), value)),
    copy: (source, target) =>
      translated(() => addon.copy(handle(source, 'source'), handle(target, 'target'))),
  }
}

/** What a call gives, its errors as those of this library. */
export function translated<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw translate(error)
  }
}

/** The addon's errors carry a code of ours; anything else is passed on as it is. */
function translate(error: unknown): unknown {
  const code = (error as { code?: unknown } | null)?.code
  if (!(error instanceof Error) || error instanceof SonotextError || typeof code !== 'string') return error
  return new SonotextError(code as ErrorCode, error.message, { cause: error })
}
