import { expected } from '../base/errors.js'
import { assertFixed } from './edge.js'
import type { FloatBuffer, HostArray, Memory } from './port.js'

/** Whether it is a Float32Array, of this realm or another (a test runner's, an iframe's). */
export function isFloats(value: unknown): value is Float32Array {
  return ArrayBuffer.isView(value) && (value as Float32Array)[Symbol.toStringTag] === 'Float32Array'
}

export interface HostMemoryOptions<T extends HostArray> {
  /** What its buffers are, for messages. */
  readonly what: string
  readonly isBuffer: (buffer: unknown) => buffer is T
  alloc(length: number): T
  free(buffer: FloatBuffer): void
}

/** Memory whose buffers are arrays: downloads are the buffers themselves. */
export function hostMemory<T extends HostArray>({
  what,
  isBuffer,
  alloc,
  free,
}: HostMemoryOptions<T>): Memory {
  const array = (buffer: FloatBuffer, name: string): T => {
    if (!isBuffer(buffer)) throw expected(what, name, buffer)
    assertFixed(buffer, name)
    return buffer
  }
  const target = (buffer: FloatBuffer, length: number): T => {
    const own = array(buffer, 'target')
    if (own.length !== length) throw expected(`${length} elements like the source`, 'target', own)
    return own
  }
  return {
    alloc,
    free,
    upload: (source, buffer) => target(buffer, source.length).set(source),
    download: (buffer) => array(buffer, 'buffer'),
    fill: (buffer, value) => void array(buffer, 'buffer').fill(value),
    copy(source, buffer) {
      const values = array(source, 'source')
      target(buffer, values.length).set(values)
    },
  }
}
