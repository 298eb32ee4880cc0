import type { Parameter, Tensor } from './tensor.js'

/**
 * A part of a model: it owns parameters (changed by the optimiser) and buffers (state such as running statistics, saved
 * with the model but not optimised), each under a stable name; a parent prefixes its children's names with `child.`.
 */
export interface Module {
  parameters(): Map<string, Parameter>
  buffers(): Map<string, Tensor>
}

/** Collects children under prefixes: `collect('parameters', { conv1, bn1 })` → `conv1.weight`, `bn1.gamma`, … */
export function collect<K extends 'parameters' | 'buffers'>(
  kind: K,
  children: Readonly<Record<string, Module>>,
): ReturnType<Module[K]> {
  const all = new Map<string, Tensor>()
  for (const [prefix, child] of Object.entries(children)) {
    for (const [name, tensor] of child[kind]()) all.set(`${prefix}.${name}`, tensor)
  }
  return all as ReturnType<Module[K]>
}

/** Gives back the memory of all parameters, their gradients and all buffers; the module cannot be used afterwards. */
export function freeModule(module: Module): void {
  for (const parameter of module.parameters().values()) parameter.zeroGrad()
  for (const tensor of new Set([...module.parameters().values(), ...module.buffers().values()])) {
    if (tensor.released) continue
    tensor.invalidate()
    tensor.backend.memory.free(tensor.buffer)
  }
}
