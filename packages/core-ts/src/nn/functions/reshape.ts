import { expected } from '../../base/errors.js'
import type { Tape } from '../tape.js'
import { type Shape, sizeOf, type Tensor } from '../tensor.js'
import { show } from './shapes.js'

/** The same numbers under another shape of the same size; no copy is made. */
export function reshape(tape: Tape, x: Tensor, shape: Shape): Tensor {
  if (sizeOf(shape) !== x.size)
    throw expected(`a shape of ${x.size} elements like ${show(x.shape)}`, 'reshape', show(shape))
  const out = tape.view(x, shape)
  tape.record(out, (gradOut) => tape.accumulate(x, gradOut))
  return out
}
