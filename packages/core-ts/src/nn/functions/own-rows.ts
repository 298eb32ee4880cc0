import type { FloatBuffer } from '../../backend/port.js'
import type { RowShare } from '../row-share.js'
import type { Tape } from '../tape.js'

/** A share's rows [count, width] of what holds those of the whole batch [total, width]; the caller's to free. */
export function ownRows(
  tape: Tape,
  whole: FloatBuffer,
  { first, count, total }: RowShare,
  width: number,
): FloatBuffer {
  const own = tape.alloc(count * width)
  const columns = { rows: 1, xCols: total * width, from: first * width, to: 0 }
  const taken = { outCols: count * width, width: count * width }
  tape.backend.run('copy_columns', { x: whole, out: own, ...columns, ...taken })
  return own
}
