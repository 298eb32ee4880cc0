import { SonotextError } from '../base/errors.js'
import type { Backend } from './port.js'

/** A backend without an end, and what ends it: `close` gives its memory back for good. */
export type OpenBackend = Omit<Backend, typeof Symbol.dispose> & { close(): void }

/** The same with an end: once it is disposed every use is an error. */
export function disposable(backend: OpenBackend): Backend {
  let open = true
  const used = (): OpenBackend => {
    if (open) return backend
    throw new SonotextError('BACKEND_UNAVAILABLE', `The backend ${backend.info.device} was disposed.`, {
      remedy: 'Dispose it after its last use, or open another with openBackend().',
    })
  }
  return {
    get info() {
      return backend.info
    },
    memory: {
      alloc: (length) => used().memory.alloc(length),
      // What cleans up after itself may come after the end: there is nothing left to give back then.
      free(buffer) {
        if (open) backend.memory.free(buffer)
      },
      upload: (source, target) => used().memory.upload(source, target),
      download: (buffer) => used().memory.download(buffer),
      fill: (buffer, value) => used().memory.fill(buffer, value),
      copy: (source, target) => used().memory.copy(source, target),
    },
    supports: (op) => used().supports(op),
    run: (op, args) => used().run(op, args),
    runAsync: async (op, args, options) => used().runAsync(op, args, options),
    trim: () => used().trim(),
    [Symbol.dispose]() {
      if (!open) return
      open = false
      backend.close()
    },
  }
}
