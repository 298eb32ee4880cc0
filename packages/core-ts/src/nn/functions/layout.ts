import { expected } from '../../base/errors.js'
import type { Tape } from '../tape.js'
import { type Shape, sizeOf, type Tensor } from '../tensor.js'
import { show } from './shapes.js'

/** Axes `a` and `b` change places, counted from 0; negative ones from the end. A copy. */
export function swapAxes(tape: Tape, x: Tensor, a: number, b: number): Tensor {
  const [first, second] = [axisOf('swapAxes', x, a), axisOf('swapAxes', x, b)].sort((p, q) => p - q) as [
    number,
    number,
  ]
  const { shape } = x
  const sizes = {
    outer: sizeOf(shape.slice(0, first)),
    m: shape[first]!,
    between: sizeOf(shape.slice(first + 1, second)),
    n: first === second ? 1 : shape[second]!,
    inner: sizeOf(shape.slice(second + 1)),
  }
  if (first === second) return x
  const out = tape.result(swapped(shape, first, second), [x])
  tape.backend.run('transpose', { x: x.buffer, out: out.buffer, ...sizes })
  tape.record(out, (gradOut) => {
    const gradX = tape.alloc(x.size)
    tape.backend.run('transpose', { x: gradOut, out: gradX, ...sizes, m: sizes.n, n: sizes.m })
    tape.accumulate(x, gradX)
  })
  return out
}

/** Entries from … to - 1 along an axis (negative ones count from the end). A copy. */
export function slice(tape: Tape, x: Tensor, axis: number, from: number, to: number): Tensor {
  const at = axisOf('slice', x, axis)
  const extent = x.shape[at]!
  if (!(Number.isInteger(from) && Number.isInteger(to) && 0 <= from && from <= to && to <= extent)) {
    throw expected(`0 ≤ from ≤ to ≤ ${extent}`, 'from and to of slice', `${from} and ${to}`)
  }
  const out = tape.result(withExtent(x.shape, at, to - from), [x])
  const { rows, width } = columnsOf(x.shape, at)
  const wide = { rows, xCols: extent * width, from: from * width }
  const narrow = { outCols: (to - from) * width, to: 0, width: (to - from) * width }
  tape.backend.run('copy_columns', { x: x.buffer, out: out.buffer, ...wide, ...narrow })
  tape.record(out, (gradOut) => {
    const gradX = tape.alloc(x.size)
    tape.backend.memory.fill(gradX, 0)
    tape.backend.run('copy_columns', {
      ...{ x: gradOut, out: gradX, rows, xCols: narrow.outCols, outCols: wide.xCols },
      ...{ from: 0, to: wide.from, width: narrow.width },
    })
    tape.accumulate(x, gradX)
  })
  return out
}

/** Tensors one after the other along an axis (negative ones count from the end); their other extents are equal. */
export function concat(tape: Tape, parts: readonly Tensor[], axis: number): Tensor {
  const [head] = parts
  if (head === undefined) throw expected('at least one tensor', 'parts of concat', 'none')
  const at = axisOf('concat', head, axis)
  for (const part of parts) {
    const wanted = withExtent(head.shape, at, part.shape[at]!)
    if (part.shape.length !== wanted.length || wanted.some((extent, i) => extent !== part.shape[i]))
      throw expected(`shape ${show(head.shape)} but for axis ${at}`, 'a part of concat', show(part.shape))
  }
  const total = parts.reduce((sum, part) => sum + part.shape[at]!, 0)
  const out = tape.result(withExtent(head.shape, at, total), parts)
  const { rows, width } = columnsOf(head.shape, at)
  let to = 0
  const places = parts.map((part) => {
    const cols = part.shape[at]! * width
    to += cols
    return { cols, to: to - cols }
  })
  parts.forEach((part, i) => {
    const { cols, to } = places[i]!
    const own = { rows, xCols: cols, from: 0, outCols: total * width, to, width: cols }
    tape.backend.run('copy_columns', { x: part.buffer, out: out.buffer, ...own })
  })
  tape.record(out, (gradOut) => {
    parts.forEach((part, i) => {
      const { cols, to } = places[i]!
      const gradient = tape.gradientFor(part)
      if (gradient === null) return
      const own = { rows, xCols: total * width, from: to, outCols: cols, to: 0, width: cols }
      tape.backend.run('copy_columns', { x: gradOut, out: gradient, ...own })
      tape.accumulate(part, gradient)
    })
  })
  return out
}

function axisOf(name: string, { shape }: Tensor, axis: number): number {
  const at = axis < 0 ? shape.length + axis : axis
  if (Number.isInteger(at) && at >= 0 && at < shape.length) return at
  throw expected(`an axis of ${show(shape)}`, `axis of ${name}`, axis)
}

function withExtent(shape: Shape, axis: number, extent: number): number[] {
  return shape.map((own, i) => (i === axis ? extent : own))
}

function swapped(shape: Shape, a: number, b: number): number[] {
  return shape.map((own, i) => (i === a ? shape[b]! : i === b ? shape[a]! : own))
}

/** A shape as rows × columns in which one entry of the axis is `width` columns. */
function columnsOf(shape: Shape, axis: number): { rows: number; width: number } {
  return { rows: sizeOf(shape.slice(0, axis)), width: sizeOf(shape.slice(axis + 1)) }
}
