import type { Comm } from '../../comm/index.js'
import { expected } from '../../base/errors.js'
import type { RowShare } from '../row-share.js'
import type { Tape } from '../tape.js'
import { sizeOf, type Tensor } from '../tensor.js'

/**
 * The rows of all ranks [total, …] from each rank's own [count, …]. Every rank goes on with the whole and computes the same from it, so the
 * gradient of its own rows is what comes back for them. Throws RANK_LOST.
 */
export function gatherRows(
  tape: Tape,
  x: Tensor,
  { first, count, total }: RowShare,
  comm: Comm,
  what: string,
): Tensor {
  const [rows, ...rest] = x.shape
  if (rows !== count) throw expected(`${count} rows`, 'x of gatherRows', rows)
  const { memory } = tape.backend
  const own = x.toArray()
  const parts = comm.allGather(
    new Uint8Array(own.buffer, own.byteOffset, own.byteLength),
    `${what} [${rest.join(', ')}] of ${total}`,
  )
  const width = sizeOf(rest)
  const all = own instanceof Float32Array ? new Float32Array(total * width) : new Float64Array(total * width)
  const bytes = new Uint8Array(all.buffer)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  const out = tape.result([total, ...rest], [x])
  memory.upload(all, out.buffer)
  tape.record(out, (gradOut) => {
    const gradX = tape.alloc(x.size)
    const columns = {
      rows: 1,
      xCols: total * width,
      from: first * width,
      outCols: x.size,
      to: 0,
      width: x.size,
    }
    tape.backend.run('copy_columns', { x: gradOut, out: gradX, ...columns })
    tape.accumulate(x, gradX)
  })
  return out
}
