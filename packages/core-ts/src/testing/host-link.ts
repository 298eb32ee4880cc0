import { Buffer } from 'node:buffer'
import type { Backend } from '../backend/port.js'
import type { Comm, DeviceLink } from '../comm/index.js'

/** A link for tests of what goes over one, on any backend and without any library: a detour over the host. */
export function hostLink(comm: Comm, { memory }: Backend): DeviceLink {
  return {
    allReduce(buffers) {
      for (const buffer of buffers) {
        const values = Float32Array.from(memory.download(buffer))
        comm.allReduce(values, 'a sum over the link')
        memory.upload(values, buffer)
      }
    },
    allGather(part, whole, lengths) {
      const own = Float32Array.from(memory.download(part))
      const parts = comm.allGather(new Uint8Array(own.buffer), `parts of ${lengths.join(', ')} over the link`)
      memory.upload(new Float32Array(Uint8Array.from(Buffer.concat(parts)).buffer), whole)
    },
  }
}
