import type { Comm } from '../../comm/index.js'
import { expected } from '../../base/errors.js'
import { type RowShare, rowShare } from '../row-share.js'
import type { Tape } from '../tape.js'
import { sizeOf, type Tensor } from '../tensor.js'
import { ownRows } from './own-rows.js'

/**
 * The rows of all ranks [total, …] from each rank's own [count, …]. Every rank goes on with the whole and computes the same from it, so the
 * gradient of its own rows is what comes back for them. Throws RANK_LOST.
 */
export function gatherRows(tape: Tape, x: Tensor, share: RowShare, comm: Comm, what: string): Tensor {
  const { count, total } = share
  const [rows, ...rest] = x.shape
  if (rows !== count) throw expected(`${count} rows`, 'x of gatherRows', rows)
  const width = sizeOf(rest)
  const name = `${what} [${rest.join(', ')}] of ${total}`
  const out = tape.result([total, ...rest], [x])
  if (comm.link === undefined) gatherThroughHost(x, out, comm, name)
  else {
    comm.barrier(name)
    const rowsOf = (rank: number): number => rowShare(total, rank, comm.size).count
    const lengths = Array.from({ length: comm.size }, (_, rank) => rowsOf(rank) * width)
    comm.link.allGather(x.buffer, out.buffer, lengths)
  }
  tape.record(out, (gradOut) => {
    tape.accumulate(x, ownRows(tape, gradOut, share, width))
  })
  return out
}

function gatherThroughHost(x: Tensor, out: Tensor, comm: Comm, name: string): void {
  const own = x.toArray()
  const parts = comm.allGather(new Uint8Array(own.buffer, own.byteOffset, own.byteLength), name)
  const all = own instanceof Float32Array ? new Float32Array(out.size) : new Float64Array(out.size)
  const bytes = new Uint8Array(all.buffer)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  out.backend.memory.upload(all, out.buffer)
}
