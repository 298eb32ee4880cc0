import { expected, SonotextError } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import { isHandle } from './buffers.js'
import { assertCall, assertOptions, takeArgs } from './edge.js'
import { BufferHolds, memoryOf } from './holds.js'
import { runTaken } from './lifetime.js'
import type { BufferRule, NumberRule } from './rules.js'
import { signatures } from './signatures.js'
import type { Backend, FloatBuffer, HostArray, OpArgs, OpName, OpOptions } from './port.js'

/** Options of {@link chainBackends}. */
export interface ChainOptions {
  /** Called once per op that the first backend does not take itself. Default: a Node warning (`SONOTEXT_FALLBACK`). */
  onFallback?: (message: string) => void
}

/** Two ops with a buffer between them whose layout is private to the backend that wrote it. */
interface Pair {
  readonly writer: OpName
  readonly reader: OpName
  readonly buffer: string
}

const pairs: readonly Pair[] = privateBuffers('out').flatMap(([writer, buffer]) =>
  privateBuffers('in').flatMap(([reader, name]) =>
    reader === `${writer}_backward` && name === buffer ? [{ writer, reader, buffer }] : [],
  ),
)

function privateBuffers(direction: 'in' | 'out'): [OpName, string][] {
  return (Object.entries(signatures) as [OpName, Record<string, BufferRule<never> | NumberRule>][]).flatMap(
    ([op, signature]) =>
      Object.entries(signature).flatMap(([name, rule]): [OpName, string][] =>
        rule.kind !== 'number' && rule.private && rule.direction === direction ? [[op, name]] : [],
      ),
  )
}

/**
 * The first backend, with the others standing in for what it does not take: ops it has no entry for, and single calls
 * that it turns down as UNSUPPORTED. For those, inputs are downloaded and outputs uploaded. Memory and info are the first
 * backend's; the others must compute on host memory. The chain owns its backends: they are trimmed and disposed with it.
 */
export function chainBackends(
  first: Backend,
  others: readonly Backend[],
  options: ChainOptions = {},
): Backend {
  checkOptions(options, 'chainBackends')
  if (!Array.isArray(others)) throw expected('a list of backends', 'others', others)
  const all = [first, ...others]
  const runFirst = runTaken(first)
  const { onFallback = (message) => process.emitWarning(message, { code: 'SONOTEXT_FALLBACK' }) } = options
  const able = new Map<OpName, readonly Backend[]>()
  const said = new Set<OpName>()
  const writers = new WriterLog()
  const holds = new BufferHolds((buffer) => first.memory.free(buffer))

  /** Those with an entry for an op and, where it is one of a pair, for the other too. */
  const ableTo = (op: OpName): readonly Backend[] => {
    let backends = able.get(op)
    if (backends === undefined) {
      const pair = pairOf(op)
      const needed = pair === undefined ? [op] : [pair.writer, pair.reader]
      backends = all.filter((backend) => needed.every((name) => backend.supports(name)))
      able.set(op, backends)
    }
    return backends
  }

  /** Who may take a call, in order; `last` is the one whose refusal stands. */
  function* takers<K extends OpName>(op: K, args: OpArgs[K]) {
    const writer = writers.writerOfRead(op, args)
    const backends = writer === undefined ? ableTo(op) : [writer]
    if (backends.length === 0) throw new SonotextError('UNSUPPORTED', `No backend in the chain has ${op}.`)
    for (const [i, backend] of backends.entries()) {
      if (backend !== first && !said.has(op)) {
        said.add(op)
        const [mine, theirs] = [first.info.device, backend.info.device]
        const lacks = !ableTo(op).includes(first)
        onFallback(
          lacks
            ? `${mine} has no ${op}: ${theirs} takes it`
            : `${mine} does not take every call of ${op}: ${theirs} takes the others`,
        )
      }
      yield { backend, last: i === backends.length - 1 }
    }
  }

  return {
    get info() {
      return first.info
    },
    memory: { ...first.memory, free: (buffer) => holds.free(buffer) },
    supports: (op) => first.supports(op),
    run(op, args) {
      assertCall(op, args)
      for (const { backend, last } of takers(op, args)) {
        try {
          if (backend === first) first.run(op, args)
          else {
            const stand = standIn(first, op, args)
            backend.run(op, stand.args)
            stand.writeBack()
          }
          return writers.ran(op, args, backend)
        } catch (error) {
          if (last || !turnedDown(error)) throw error
        }
      }
    },
    async runAsync<K extends OpName>(op: K, given: OpArgs[K], options: OpOptions = {}) {
      assertCall(op, given)
      assertOptions(options)
      const args = takeArgs(op, given)
      // Held over all tries: a backend that turns the call down lets go of its buffers before the next has begun.
      await holds.during(args, async () => {
        for (const { backend, last } of takers(op, args)) {
          try {
            if (backend === first) await runFirst(op, args, options)
            else {
              const stand = standIn(first, op, args)
              await backend.runAsync(op, stand.args, options)
              stand.writeBack()
            }
            return writers.ran(op, args, backend)
          } catch (error) {
            if (last || !turnedDown(error)) throw error
          }
        }
      })
    },
    trim() {
      for (const backend of all) backend.trim()
    },
    [Symbol.dispose]() {
      for (const backend of all) backend[Symbol.dispose]()
    },
  }
}

function turnedDown(error: unknown): boolean {
  return error instanceof SonotextError && error.code === 'UNSUPPORTED'
}

function pairOf(op: OpName): Pair | undefined {
  return pairs.find(({ writer, reader }) => op === writer || op === reader)
}

/** Which backend wrote the private buffer that lies in a piece of memory, by its offset there. */
class WriterLog {
  readonly #writers = new WeakMap<object, Map<number, Backend>>()

  /** The only backend that can read what a call reads; undefined when the call reads nothing private that is known. */
  writerOfRead<K extends OpName>(op: K, args: OpArgs[K]): Backend | undefined {
    const pair = pairOf(op)
    if (op !== pair?.reader) return undefined
    const buffer = privateBuffer(pair, args)
    return this.#writers.get(memoryOf(buffer))?.get(offsetOf(buffer))
  }

  ran<K extends OpName>(op: K, args: OpArgs[K], backend: Backend): void {
    const pair = pairOf(op)
    if (op !== pair?.writer) return
    const buffer = privateBuffer(pair, args)
    const memory = memoryOf(buffer)
    const writers = this.#writers.get(memory) ?? new Map<number, Backend>()
    this.#writers.set(memory, writers.set(offsetOf(buffer), backend))
  }
}

function privateBuffer(pair: Pair, args: object): FloatBuffer {
  return (args as Record<string, FloatBuffer>)[pair.buffer]!
}

function offsetOf(buffer: FloatBuffer): number {
  return ArrayBuffer.isView(buffer) ? buffer.byteOffset : 0
}

/** The arguments with host copies for what lives on `owner`'s device, and how to bring the outputs back. */
function standIn<K extends OpName>(owner: Backend, op: K, args: OpArgs[K]) {
  const copies: [HostArray, FloatBuffer][] = []
  const values = takeArgs(op, args) as unknown as Record<string, unknown>
  for (const [name, rule] of Object.entries<BufferRule<never> | NumberRule>(signatures[op])) {
    const buffer = values[name]
    // What is no buffer at all is for the other backend to refuse.
    if (rule.kind !== 'float' || !isHandle(buffer)) continue
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
