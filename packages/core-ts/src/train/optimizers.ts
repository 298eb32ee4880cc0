import type { Backend, FloatBuffer } from '../backend/port.js'
import { expected, SonotextError } from '../base/errors.js'
import type { Parameter } from '../nn/tensor.js'
import type { NamedTensor } from '../base/safetensors.js'
import { checkOptions } from '../base/options.js'
import { checkGroups, type ParameterGroup, type Treatment, treatments } from './parameter-groups.js'

/** How gradients change parameters. A plain description; {@link start} gives the part that has state. */
export interface Optimizer {
  readonly name: string
  /** Learning rate before any schedule. */
  readonly lr: number
  /** Options that matter when a run is resumed, as JSON. */
  readonly config?: object
  start(backend: Backend, parameters: ReadonlyMap<string, Parameter>): RunningOptimizer
}

/** An optimiser within a run, with its state for every parameter. */
export interface RunningOptimizer extends Disposable {
  /** Steps taken so far. */
  readonly steps: number
  /**
   * ‖gradient‖₂ over all parameters, NaN or infinite when any gradient is. Parameters that no gradient reached count as
   * zero.
   */
  gradientNorm(): number
  /** Changes the parameters. `norm` is {@link gradientNorm} of these gradients, for clipping. */
  step(lr: number, norm: number): void
  /** Moments under `<parameter>.m` and `<parameter>.v`; copies. */
  state(): Map<string, NamedTensor>
  /** Throws INVALID_ARGUMENT when a moment is missing or has another shape. */
  restore(steps: number, state: ReadonlyMap<string, NamedTensor>): void
}

/** Options of {@link adam}. */
export interface AdamOptions {
  /** Default 1e-3. */
  lr?: number
  /** Default [0.9, 0.999]. */
  betas?: readonly [number, number]
  /** Default 1e-8. */
  eps?: number
  /** Default 0, with `adamw` 0.01. Norms, biases and temperatures are spared unless a group gives them one. */
  weightDecay?: number
  /** Gradients are scaled down to this joint norm; null: never. Default null. */
  clip?: number | null
  /** Parameters with a rate or decay of their own; the first group that names one counts. */
  groups?: readonly ParameterGroup[]
}

/** Adam (Kingma and Ba, 2015); weight decay is added to the gradient. With `groups: [{ names: '*', weightDecay }]` it is that of PyTorch. */
export function adam(options: AdamOptions = {}): Optimizer {
  checkOptions(options, 'adam')
  return adamLike('adam', options, 0)
}

/**
 * AdamW: weight decay acts on the parameter itself (Loshchilov and Hutter, 2019). Default decay 0.01.
 */
export function adamw(options: AdamOptions = {}): Optimizer {
  checkOptions(options, 'adamw')
  return adamLike('adamw', { weightDecay: 0.01, ...options }, 1)
}

interface Slot {
  readonly name: string
  readonly parameter: Parameter
  readonly m: FloatBuffer
  readonly v: FloatBuffer
  readonly treatment: Treatment
}

function adamLike(name: string, options: AdamOptions, decoupled: number): Optimizer {
  const { lr = 1e-3, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0, clip = null, groups = [] } = options
  if (!(lr > 0)) throw expected('a rate above 0', 'lr', lr)
  for (const beta of betas) if (!(beta >= 0 && beta < 1)) throw expected('numbers in [0, 1)', 'betas', beta)
  if (!(eps > 0)) throw expected('a number above 0', 'eps', eps)
  if (!(weightDecay >= 0)) throw expected('a number ≥ 0', 'weightDecay', weightDecay)
  if (clip !== null && !(clip > 0)) throw expected('a norm above 0 or null', 'clip', clip)
  checkGroups(groups)
  return {
    name,
    lr,
    config: { lr, betas, eps, weightDecay, clip, groups },
    start(backend, parameters) {
      const treated = treatments(parameters, groups, weightDecay)
      const { memory } = backend
      const zeros = (length: number): FloatBuffer => {
        const buffer = memory.alloc(length)
        memory.fill(buffer, 0)
        return buffer
      }
      const slots: Slot[] = [...parameters].map(([name, parameter]) => ({
        name,
        parameter,
        m: zeros(parameter.size),
        v: zeros(parameter.size),
        treatment: treated.get(name)!,
      }))
      const squares = zeros(slots.length) // ‖gradient‖² of every parameter: one download a step
      let steps = 0
      return {
        get steps() {
          return steps
        },
        gradientNorm() {
          memory.fill(squares, 0)
          for (const [slot, { parameter }] of slots.entries())
            if (parameter.grad !== null) backend.run('grad_norm', { x: parameter.grad, out: squares, slot })
          let sum = 0
          for (const square of memory.download(squares)) sum += square
          return Math.sqrt(sum)
        },
        step(rate, norm) {
          steps++
          const factor = clip === null || norm <= clip ? 1 : clip / norm
          for (const { parameter, m, v, treatment } of slots) {
            const grad = parameter.grad
            if (grad === null) continue
            if (factor !== 1) backend.run('scale', { x: grad, out: grad, factor })
            const [beta1, beta2] = betas
            const param = parameter.buffer
            backend.run('adam', {
              param,
              grad,
              m,
              v,
              step: steps,
              decoupled,
              lr: rate * treatment.rate,
              beta1,
              beta2,
              eps,
              weightDecay: treatment.weightDecay,
            })
          }
        },
        state() {
          const copy = (buffer: FloatBuffer): Float32Array => Float32Array.from(memory.download(buffer))
          return new Map(
            slots.flatMap(({ name, parameter: { shape }, m, v }): [string, NamedTensor][] => [
              [`${name}.m`, { shape, data: copy(m) }],
              [`${name}.v`, { shape, data: copy(v) }],
            ]),
          )
        },
        restore(done, state) {
          for (const { name, m, v } of slots) {
            for (const [key, buffer] of [
              [`${name}.m`, m],
              [`${name}.v`, v],
            ] as const) {
              const moment = state.get(key)?.data
              if (!(moment instanceof Float32Array) || moment.length !== buffer.length) {
                throw new SonotextError(
                  'INVALID_ARGUMENT',
                  `Expected ${buffer.length} numbers for optimiser state ${key}, got ${moment?.length ?? 'none'}.`,
                )
              }
              memory.upload(moment, buffer)
            }
          }
          steps = done
        },
        [Symbol.dispose]() {
          for (const { m, v } of slots) for (const buffer of [m, v]) memory.free(buffer)
          memory.free(squares)
        },
      }
    },
  }
}
