import { expected } from '../../base/errors.js'
import type { Shape, Tensor } from '../tensor.js'

/**
 * Extents of a tensor that must have one axis per label: `axes('conv2d x', x, 'n', 'h', 'w', 'cin')`.
 * Throws INVALID_ARGUMENT with the labels when the rank differs.
 */
export function axes<L extends readonly string[]>(
  name: string,
  tensor: Tensor,
  ...labels: L
): { [K in keyof L]: number } {
  if (tensor.shape.length !== labels.length)
    throw expected(`shape [${labels.join(', ')}]`, name, show(tensor.shape))
  return [...tensor.shape] as unknown as { [K in keyof L]: number }
}

/** Throws INVALID_ARGUMENT when the tensor does not have exactly this shape. */
export function assertShape(name: string, tensor: Tensor, shape: Shape): void {
  const same = tensor.shape.length === shape.length && tensor.shape.every((extent, i) => extent === shape[i])
  if (!same) throw expected(`shape ${show(shape)}`, name, show(tensor.shape))
}

/** Splits off the last axis: rows × cols, whatever stands before. Throws INVALID_ARGUMENT for a scalar. */
export function rowsOf(name: string, tensor: Tensor): { rows: number; cols: number; leading: Shape } {
  const cols = tensor.shape.at(-1)
  if (cols === undefined) throw expected('at least one axis', name, show(tensor.shape))
  const leading = tensor.shape.slice(0, -1)
  return { rows: leading.reduce((product, extent) => product * extent, 1), cols, leading }
}

/** Lengths of ragged rows: one per row, each in [0, max]. */
export function assertLengths(name: string, lengths: Int32Array, rows: number, max: number): void {
  if (!(lengths instanceof Int32Array) || lengths.length !== rows) {
    throw expected(`an Int32Array of ${rows} lengths`, name, lengths)
  }
  const at = lengths.findIndex((length) => length < 0 || length > max)
  if (at >= 0) throw expected(`a length in [0, ${max}]`, `${name}[${at}]`, lengths[at])
}

export function show(shape: Shape): string {
  return `[${shape.join(', ')}]`
}
