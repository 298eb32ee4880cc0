import { expected } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import type { Parameter } from '../nn/tensor.js'

/** Parameters that are to be trained in another way than the rest. */
export interface ParameterGroup {
  /** Names of parameters; `*` stands for anything: 'text.*', '*.gamma'. */
  names: string | readonly string[]
  /** Factor on the learning rate; 0 leaves them as they are. Default 1. */
  rate?: number
  /** In place of the optimiser's, norms, biases and temperatures included. */
  weightDecay?: number
}

/** How one parameter is trained. */
export interface Treatment {
  readonly rate: number
  readonly weightDecay: number
}

/**
 * How each parameter is trained: by the first group that names it, otherwise with `weightDecay`, which spares norms, biases and
 * temperatures. Throws INVALID_ARGUMENT for a group that names no parameter.
 */
export function treatments(
  parameters: ReadonlyMap<string, Parameter>,
  groups: readonly ParameterGroup[],
  weightDecay: number,
): Map<string, Treatment> {
  const patterns = groups.map((group) => ({ ...group, matches: matcher(group.names), used: false }))
  const all = new Map<string, Treatment>()
  for (const [name, parameter] of parameters) {
    const usual = isNormOrBias(name, parameter) ? 0 : weightDecay
    const group = patterns.find(({ matches }) => matches(name))
    if (group !== undefined) group.used = true
    all.set(name, { rate: group?.rate ?? 1, weightDecay: group?.weightDecay ?? usual })
  }
  for (const { used, names } of patterns) {
    if (used) continue
    throw expected('a group that names a parameter no earlier group names', 'groups', names, {
      remedy: `There are ${[...parameters.keys()].join(', ')}.`,
    })
  }
  return all
}

/** Throws INVALID_ARGUMENT for numbers that make no sense. */
export function checkGroups(groups: readonly ParameterGroup[]): void {
  for (const group of groups) {
    const { rate = 1, weightDecay = 0 } = checkOptions(group, 'a parameter group')
    if (!(rate >= 0 && Number.isFinite(rate))) throw expected('a factor of 0 or more', 'rate', rate)
    if (!(weightDecay >= 0)) throw expected('a number ≥ 0', 'weightDecay', weightDecay)
  }
}

/** Vectors and single numbers; the bias of a recurrent layer has an axis of directions too. */
function isNormOrBias(name: string, { shape }: Parameter): boolean {
  return shape.length < 2 || /(^|\.)(bias|bIh|bHh)$/.test(name)
}

function matcher(names: string | readonly string[]): (name: string) => boolean {
  const expressions = [names].flat().map((pattern) => {
    const parts = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`))
    return new RegExp(`^${parts.join('.*')}$`)
  })
  return (name) => expressions.some((expression) => expression.test(name))
}
