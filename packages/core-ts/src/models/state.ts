import { SonotextError } from '../base/errors.js'
import type { Module } from '../nn/module.js'
import type { Tensor } from '../nn/tensor.js'

/** Numbers of a model by name; conventions of the library (convolutions [kh, kw, in, out]). */
export type StateDict = Map<string, { readonly shape: readonly number[]; readonly data: Float32Array }>

/** Copies of all parameters and buffers. */
export function stateOf(module: Module): StateDict {
  return new Map(
    [...tensorsOf(module)].map(([name, tensor]) => [
      name,
      { shape: tensor.shape, data: Float32Array.from(tensor.toArray()) },
    ]),
  )
}

/**
 * Sets every parameter and buffer. Throws INVALID_ARGUMENT, before anything is changed, naming what is missing, left over
 * or of another shape.
 */
export function loadState(module: Module, state: Readonly<StateDict>, file?: string): void {
  const tensors = tensorsOf(module)
  const problems: string[] = []
  for (const [name, { shape }] of tensors) {
    const given = state.get(name)
    if (given === undefined) problems.push(`${name} is missing`)
    else if (String(given.shape) !== String(shape))
      problems.push(`${name} is [${given.shape}] instead of [${shape}]`)
    else if (!(given.data instanceof Float32Array)) problems.push(`${name} has no 32-bit floats`)
  }
  for (const name of state.keys()) if (!tensors.has(name)) problems.push(`${name} has no place`)
  if (problems.length > 0) {
    const more = problems.length > 3 ? `, and ${problems.length - 3} more` : ''
    throw new SonotextError(
      'INVALID_ARGUMENT',
      `Expected the weights of this architecture, got others: ${problems.slice(0, 3).join(', ')}${more}.`,
      {
        ...(file !== undefined && { file }),
        remedy: 'Load them into the model they were saved from.',
      },
    )
  }
  for (const [name, tensor] of tensors) tensor.backend.memory.upload(state.get(name)!.data, tensor.buffer)
}

function tensorsOf(module: Module): Map<string, Tensor> {
  return new Map<string, Tensor>([...module.parameters(), ...module.buffers()])
}
