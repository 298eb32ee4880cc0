import { type AnyOpCase, aroundWidths, type OpCase } from './op-case.js'

/** Longer than one chunk of any thread pool's work. */
const long = 100_003

interface AdamShape {
  size: number
  step?: number
  decoupled?: 0 | 1
  weightDecay?: number
  gradient?: number
  /** Size of the first moment. */
  moment?: number
  beta1?: number
}

function adam(
  what: string,
  {
    size,
    step = 3,
    decoupled = 0,
    weightDecay = 0,
    gradient = 1,
    moment = 0.1 * gradient,
    beta1 = 0.9,
  }: AdamShape,
): OpCase<'adam'> {
  return {
    op: 'adam',
    name: `${size} values, step ${step}, decoupled ${decoupled}, decay ${weightDecay} ${what}`,
    args: (draw) => ({
      param: draw.normal(size),
      grad: draw.normal(size, gradient),
      m: step === 1 ? new Float64Array(size) : draw.normal(size, moment),
      v: step === 1 ? new Float64Array(size) : draw.uniform(size, 0, 0.1 * gradient ** 2),
      ...{ step, decoupled, weightDecay, lr: 1e-3, beta1, beta2: 0.999, eps: 1e-8 },
    }),
  }
}

function gradNorm(
  what: string,
  length: number,
  factor = 1,
  special: readonly number[] = [],
  [slot, slots] = [0, 1],
): OpCase<'grad_norm'> {
  return {
    op: 'grad_norm',
    name: `${length} values ${what}`,
    args: (draw) => ({
      x: Float64Array.of(...draw.normal(length, factor), ...special),
      out: draw.normal(slots),
      slot,
    }),
  }
}

export const optimiserCases: readonly AnyOpCase[] = [
  ...aroundWidths.flatMap((size) => [
    adam('', { size }),
    adam('', { size, decoupled: 1, weightDecay: 0.01 }),
    gradNorm('', size),
  ]),
  adam('beyond one chunk', { size: long }),
  adam('first step', { size: 50, step: 1 }),
  adam('late step', { size: 50, step: 1_000_000 }),
  adam('decay in the gradient', { size: 50, weightDecay: 0.1 }),
  adam('no gradient', { size: 50, step: 1, gradient: 0 }),
  adam('large gradients', { size: 50, gradient: 1e15 }),
  adam('small gradients', { size: 50, gradient: 1e-12 }),
  adam('a small gradient after large ones', { size: 50, gradient: 1e-5, moment: 1, beta1: 0 }),
  adam('moments that fade', { size: 50, gradient: 1e-36 }),
  gradNorm('beyond one chunk', long),
  gradNorm('one is not a number', 40, 1, [Number.NaN]),
  gradNorm('one is infinite', 40, 1, [-Infinity]),
  gradNorm('large', 40, 1e15),
  gradNorm('into the last slot', 40, 1, [], [8, 9]),
  gradNorm('between other slots', long, 1, [], [2, 5]),
]
