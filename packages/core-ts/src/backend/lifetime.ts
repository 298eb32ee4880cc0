import { SonotextError } from '../base/errors.js'
import { assertCall, assertLength, assertNumber, assertNumbers, assertOp, assertOptions } from './edge.js'
import type { Backend } from './port.js'

/**
 * A backend without an end, and what ends it: `close` gives its memory back for good. `runTaken` is `runAsync` for a call that was looked
 * at, taken and whose buffers are held already.
 */
export type OpenBackend = Omit<Backend, typeof Symbol.dispose> & {
  close(): void
  readonly runTaken?: Backend['runAsync']
}

const takers = new WeakMap<Backend, Backend['runAsync']>()

/** How a chain, which has looked at a call itself and holds its buffers, calls one of its backends. */
export function runTaken(backend: Backend): Backend['runAsync'] {
  return takers.get(backend) ?? ((op, args, options) => backend.runAsync(op, args, options))
}

/**
 * The same with an end: once it is disposed every use is an error. What a call is made with is looked at here, so that all
 * backends refuse alike what is no call at all.
 */
export function disposable(backend: OpenBackend): Backend {
  let open = true
  const used = (): OpenBackend => {
    if (open) return backend
    throw new SonotextError('BACKEND_UNAVAILABLE', `The backend ${backend.info.device} was disposed.`, {
      remedy: 'Dispose it after its last use, or open another with openBackend().',
    })
  }
  const own: Backend = {
    get info() {
      return backend.info
    },
    memory: {
      alloc(length) {
        const { memory } = used()
        assertLength(length)
        return memory.alloc(length)
      },
      // What cleans up after itself may come after the end: there is nothing left to give back then.
      free(buffer) {
        if (open) backend.memory.free(buffer)
      },
      upload(source, target) {
        const { memory } = used()
        assertNumbers(source)
        memory.upload(source, target)
      },
      download: (buffer) => used().memory.download(buffer),
      fill(buffer, value) {
        const { memory } = used()
        assertNumber(value)
        memory.fill(buffer, value)
      },
      copy: (source, target) => used().memory.copy(source, target),
    },
    supports(op) {
      const own = used()
      assertOp(op)
      return own.supports(op)
    },
    run(op, args) {
      const own = used()
      assertCall(op, args)
      own.run(op, args)
    },
    async runAsync(op, args, options = {}) {
      const own = used()
      assertCall(op, args)
      assertOptions(options)
      await own.runAsync(op, args, options)
    },
    trim: () => used().trim(),
    [Symbol.dispose]() {
      if (!open) return
      open = false
      backend.close()
    },
  }
  const { runTaken: taken } = backend
  if (taken !== undefined) {
    takers.set(own, (op, args, options) => {
      used()
      return taken(op, args, options)
    })
  }
  return own
}
