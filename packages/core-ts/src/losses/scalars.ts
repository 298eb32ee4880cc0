import type { Backend } from '../backend/port.js'
import { expected } from '../base/errors.js'
import type { Module } from '../nn/module.js'
import { Parameter, Tensor } from '../nn/tensor.js'

/** A number [1] that a loss keeps beside the model: a parameter when it is to be trained. */
export function lossScalar(backend: Backend, start: number, learnable: boolean): Tensor {
  const parameter = Parameter.from(backend, [1], [start])
  return learnable ? parameter : new Tensor(backend, [1], parameter.buffer)
}

/** Numbers of a loss under their names: those that are trained are parameters, the others buffers. */
export function moduleOf(scalars: Readonly<Record<string, Tensor>>): Module {
  const entries = Object.entries(scalars)
  const isTrained = (entry: [string, Tensor]): entry is [string, Parameter] => entry[1] instanceof Parameter
  return {
    parameters: () => new Map(entries.filter(isTrained)),
    buffers: () => new Map(entries.filter((entry) => !isTrained(entry))),
  }
}

/** Throws INVALID_ARGUMENT for a temperature that scores cannot be divided by. */
export function checkTemperature(temperature: number): void {
  if (!(temperature > 0 && Number.isFinite(temperature)))
    throw expected('a number above 0', 'temperature', temperature)
}

/** What every loss with a temperature takes in a configuration. */
export const temperatureSchema = {
  type: 'number',
  exclusiveMinimum: 0,
  description: 'What scores are divided by.',
} as const

export const learnableSchema = {
  type: 'boolean',
  default: false,
  description: 'Train the temperature too.',
} as const

export const positivesSchema = {
  enum: ['own-pair', 'same-clip'],
  default: 'own-pair',
  description: 'What other pairs of the same clip are: left out, or positives that share the mass.',
} as const
