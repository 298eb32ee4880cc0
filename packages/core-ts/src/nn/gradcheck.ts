import type { Backend } from '../backend/port.js'
import { expected } from '../base/errors.js'
import { Rng } from '../base/rng.js'
import { matmul } from './functions/matmul.js'
import { reshape } from './functions/reshape.js'
import { Tape } from './tape.js'
import type { Parameter, Tensor } from './tensor.js'

/** Options of {@link gradcheck}. */
export interface GradcheckOptions {
  /** Random directions tried for each parameter. Default 3. */
  directions?: number
  /** Single elements tried for each parameter, drawn without replacement. Default 5. */
  elements?: number
  /** Step of the central difference. Default 1e-5. */
  step?: number
  /** Seed of directions, elements, the weights of the scalar, and dropout. Default 0. */
  seed?: number
}

/** One derivative, computed and by finite differences. */
export interface GradcheckEntry {
  /** Name of the parameter. */
  readonly parameter: string
  /** 'direction 0' or 'element 17'. */
  readonly along: string
  readonly analytic: number
  readonly numeric: number
  /** |analytic - numeric| relative to their size or, where they vanish, to the parameter's mean gradient. */
  readonly error: number
}

/** What {@link gradcheck} found. */
export interface GradcheckReport {
  readonly entries: readonly GradcheckEntry[]
  /** The entry with the largest error; null when there was nothing to check. */
  readonly worst: GradcheckEntry | null
}

/**
 * Compares the gradients that a tape computes with central finite differences. `forward` builds any tensor from the
 * parameters on the tape it is given; the scalar checked is its inner product with fixed random weights. The parameters
 * must live on a float64 reference backend (`referenceBackend({ precision: 'float64' })`): float32 cannot resolve the
 * differences. `forward` must be deterministic and smooth around the parameters' values.
 */
export function gradcheck(
  parameters: ReadonlyMap<string, Parameter>,
  forward: (tape: Tape) => Tensor,
  options: GradcheckOptions = {},
): GradcheckReport {
  const { directions = 3, elements = 5, step = 1e-5, seed = 0 } = options
  const values = new Map([...parameters].map(([name, parameter]) => [name, valuesOf(name, parameter)]))
  const gradients = analyticGradients(parameters, forward, seed)
  const entries: GradcheckEntry[] = []
  for (const [name, x] of values) {
    const gradient = gradients.get(name)!
    const typical = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0) / Math.max(gradient.length, 1))
    for (const { along, direction } of probes(x.length, directions, elements, new Rng(seed, name))) {
      const analytic = gradient.reduce((sum, g, i) => sum + g * direction[i]!, 0)
      const numeric = difference(x, direction, step, () => scalarOf(parameters, forward, seed))
      const size = Math.max(Math.abs(analytic), Math.abs(numeric), typical, 1e-12)
      entries.push({ parameter: name, along, analytic, numeric, error: Math.abs(analytic - numeric) / size })
    }
  }
  const worst = entries.reduce<GradcheckEntry | null>(
    (a, b) => (a === null || !(b.error <= a.error) ? b : a),
    null,
  )
  return { entries, worst }
}

function valuesOf(name: string, parameter: Parameter): Float64Array {
  const { buffer } = parameter
  if (!(buffer instanceof Float64Array)) {
    throw expected(
      'a parameter on a float64 reference backend',
      name,
      `one on ${parameter.backend.info.device}`,
    )
  }
  return buffer
}

interface Probe {
  along: string
  /** About unit length. */
  direction: Float64Array
}

function* probes(length: number, directions: number, elements: number, rng: Rng): Generator<Probe> {
  if (length === 0) return
  for (let k = 0; k < directions; k++) {
    const direction = Float64Array.from({ length }, () => rng.normal() / Math.sqrt(length))
    yield { along: `direction ${k}`, direction }
  }
  const order = rng.shuffle(Array.from({ length }, (_, i) => i))
  for (const index of order.slice(0, elements)) {
    const direction = new Float64Array(length)
    direction[index] = 1
    yield { along: `element ${index}`, direction }
  }
}

function difference(x: Float64Array, direction: Float64Array, step: number, evaluate: () => number): number {
  const before = x.slice()
  const at = (distance: number): number => {
    x.forEach((_, i) => (x[i] = before[i]! + distance * direction[i]!))
    return evaluate()
  }
  const numeric = (at(step) - at(-step)) / (2 * step)
  x.set(before)
  return numeric
}

function analyticGradients(
  parameters: ReadonlyMap<string, Parameter>,
  forward: (tape: Tape) => Tensor,
  seed: number,
): Map<string, Float64Array> {
  for (const parameter of parameters.values()) parameter.zeroGrad()
  const backend = backendOf(parameters)
  using tape = new Tape(backend, { training: true, rng: new Rng(seed, 'dropout') })
  const out = forward(tape)
  const weights = tape.constant([out.size, 1], scalarWeights(out.size, seed))
  tape.backward(matmul(tape, reshape(tape, out, [1, out.size]), weights))
  const gradients = new Map<string, Float64Array>()
  for (const [name, parameter] of parameters) {
    const gradient = tape.gradientOf(parameter)
    gradients.set(name, gradient === null ? new Float64Array(parameter.size) : Float64Array.from(gradient))
    parameter.zeroGrad()
  }
  return gradients
}

function scalarOf(
  parameters: ReadonlyMap<string, Parameter>,
  forward: (tape: Tape) => Tensor,
  seed: number,
): number {
  using tape = new Tape(backendOf(parameters), { training: true, rng: new Rng(seed, 'dropout') })
  const out = forward(tape).toArray()
  return scalarWeights(out.length, seed).reduce((sum, weight, i) => sum + weight * out[i]!, 0)
}

function scalarWeights(length: number, seed: number): Float64Array {
  const rng = new Rng(seed, 'weights')
  return Float64Array.from({ length }, () => rng.between(0.5, 1.5) * (rng.uniform() < 0.5 ? -1 : 1))
}

function backendOf(parameters: ReadonlyMap<string, Parameter>): Backend {
  for (const parameter of parameters.values()) return parameter.backend
  throw expected('one parameter or more', 'parameters of gradcheck', 'none')
}
