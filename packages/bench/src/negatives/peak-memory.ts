import type { Backend, FloatBuffer } from '@sonotext/core/backend'

/** A backend that counts the bytes of its buffers in use. */
export interface CountedBackend {
  readonly backend: Backend
  /** Most bytes in use at one time since the last call. */
  peak(): number
}

export function countedBackend(inner: Backend): CountedBackend {
  const held = new Map<FloatBuffer, number>()
  let [now, most] = [0, 0]
  const memory: Backend['memory'] = {
    alloc(length) {
      const buffer = inner.memory.alloc(length)
      held.set(buffer, 4 * length)
      now += 4 * length
      most = Math.max(most, now)
      return buffer
    },
    free(buffer) {
      now -= held.get(buffer) ?? 0
      held.delete(buffer)
      inner.memory.free(buffer)
    },
    upload: (source, target) => inner.memory.upload(source, target),
    download: (buffer) => inner.memory.download(buffer),
    fill: (buffer, value) => inner.memory.fill(buffer, value),
    copy: (source, target) => inner.memory.copy(source, target),
  }
  const peak = (): number => {
    const bytes = most
    most = now
    return bytes
  }
  return { backend: Object.create(inner, { memory: { value: memory } }) as Backend, peak }
}
