import { SonotextError } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import { type BufferRule, type NumberRule, signatures } from './signatures.js'
import type { Backend, FloatBuffer, HostArray, OpArgs, OpName, RunOptions } from './port.js'

export interface ChainOptions {
  /** Called once per op that the first backend does not take itself. Default: a Node warning (`SONOTEXT_FALLBACK`). */
  onFallback?: (message: string) => void
}

/** Ops that read a buffer whose layout is private to the backend that wrote it: they go where the named op went. */
const follows: { readonly [K in OpName]?: OpName } = { gru_backward: 'gru' }

/**
 * The first backend, with the others standing in for ops it has no entry for: inputs are downloaded, outputs uploaded.
 * Memory and info are the first backend's. The others must compute on host memory.
 */
export function chainBackends(
  first: Backend,
  others: readonly Backend[],
  options: ChainOptions = {},
): Backend {
  checkOptions(options, 'chainBackends')
  const all = [first, ...others]
  const { onFallback = (message) => process.emitWarning(message, { code: 'SONOTEXT_FALLBACK' }) } = options
  /** Index of the backend that takes an op; grows when a backend turns out not to take it after all. */
  const takers = new Map<OpName, number>()
  const said = new Set<OpName>()

  const takerOf = (op: OpName): number => {
    const followed = follows[op]
    if (followed !== undefined) return takerOf(followed)
    let index = takers.get(op)
    if (index === undefined) {
      const pair = (Object.keys(follows) as OpName[]).filter((other) => follows[other] === op)
      index = all.findIndex((backend) => [op, ...pair].every((name) => backend.supports(name)))
      takers.set(op, index)
    }
    return index
  }

  const taken = (op: OpName): Backend => {
    const index = takerOf(op)
    const backend = all[index]
    if (backend === undefined) throw new SonotextError('UNSUPPORTED', `No backend in the chain has ${op}.`)
    if (index > 0 && !said.has(op)) {
      said.add(op)
      onFallback(`${first.info.device} has no ${op}: ${backend.info.device} takes it`)
    }
    return backend
  }

  /** Whether another backend may be tried after this error. */
  const passedOn = (op: OpName, error: unknown): boolean => {
    if (!(error instanceof SonotextError) || error.code !== 'UNSUPPORTED' || follows[op] !== undefined)
      return false
    const next = all.findIndex((backend, index) => index > takerOf(op) && backend.supports(op))
    if (next >= 0) takers.set(op, next)
    return next >= 0
  }

  return {
    get info() {
      return first.info
    },
    memory: first.memory,
    supports: (op) => first.supports(op),
    run(op, args) {
      for (;;) {
        const backend = taken(op)
        try {
          if (backend === first) return first.run(op, args)
          const stand = standIn(first, op, args)
          backend.run(op, stand.args)
          return stand.writeBack()
        } catch (error) {
          if (!passedOn(op, error)) throw error
        }
      }
    },
    async runAsync<K extends OpName>(op: K, args: OpArgs[K], options?: RunOptions) {
      for (;;) {
        const backend = taken(op)
        try {
          if (backend === first) return await first.runAsync(op, args, options)
          const stand = standIn(first, op, args)
          await backend.runAsync(op, stand.args, options)
          return stand.writeBack()
        } catch (error) {
          if (!passedOn(op, error)) throw error
        }
      }
    },
  }
}

/** The arguments with host copies for what lives on `owner`'s device, and how to bring the outputs back. */
function standIn<K extends OpName>(owner: Backend, op: K, args: OpArgs[K]) {
  const copies: [HostArray, FloatBuffer][] = []
  const values: Record<string, unknown> = { ...args }
  for (const [name, rule] of Object.entries<BufferRule<never> | NumberRule>(signatures[op])) {
    const buffer = values[name] as FloatBuffer | null
    if (rule.kind !== 'float' || buffer === null || ArrayBuffer.isView(buffer)) continue
    const host = rule.direction === 'out' ? new Float32Array(buffer.length) : owner.memory.download(buffer)
    values[name] = host
    if (rule.direction !== 'in') copies.push([host, buffer])
  }
  return {
    args: values as unknown as OpArgs[K],
    writeBack() {
      for (const [host, buffer] of copies) owner.memory.upload(host, buffer)
    },
  }
}
