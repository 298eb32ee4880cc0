import type { BufferRule, NumberRule } from '../backend/rules.js'
import { signatures } from '../backend/signatures.js'
import type { HostArray, OpArgs, OpName } from '../backend/port.js'
import { Rng } from '../base/rng.js'
import { type AnyOpCase, type OpCase, oracle } from './cases/op-case.js'
import { argsOf } from './check-case.js'

type Rule = BufferRule<never> | NumberRule
type Values = Record<string, HostArray | Int32Array | number | null>

const losses: ReadonlySet<OpName> = new Set(['triplet', 'info_nce', 'sigmoid_pair'])

/** Whether {@link gradientProblems} can judge the case: its op has a backward, is its own, or gives gradients itself. */
export function isDifferentiable({ op, smooth = true }: AnyOpCase): boolean {
  return smooth && (`${op}_backward` in signatures || losses.has(op) || op === 'dropout')
}

/**
 * Compares the reference's backward op with central finite differences of its forward op in float64, along one random
 * direction of each input that gets a gradient. Returns what is wrong.
 */
export function gradientProblems(testCase: AnyOpCase): string[] {
  const { op, name } = testCase
  const rng = new Rng(1, `gradient of ${op}/${name}`)
  const forward = (change?: { input: string; direction: Float64Array; distance: number }): Values => {
    const args = argsOf(testCase as OpCase) as unknown as Values
    if (change) {
      const values = args[change.input] as Float64Array
      values.forEach((value, i) => (values[i] = value + change.distance * change.direction[i]!))
    }
    oracle.run(op, args as unknown as OpArgs[typeof op])
    return args
  }
  const args = forward()
  const isLoss = losses.has(op)
  const weights = isLoss ? Float64Array.of(1) : random((args['out'] as HostArray).length, rng)
  const scalar = (values: Values): number =>
    inner(isLoss ? (values['stats'] as HostArray) : (values['out'] as HostArray), weights)

  const problems = []
  for (const [input, gradient] of gradientsOf(op, args, weights)) {
    if (gradient.length === 0) continue
    const direction = random(gradient.length, rng)
    const step = 1e-5 / Math.sqrt(gradient.length)
    const [above, below] = [step, -step].map((distance) => scalar(forward({ input, direction, distance })))
    const numeric = (above! - below!) / (2 * step)
    const analytic = inner(gradient, direction)
    const typical = Math.sqrt(inner(gradient, gradient))
    const error =
      Math.abs(analytic - numeric) / Math.max(Math.abs(analytic), Math.abs(numeric), typical, 1e-9)
    if (!(error < 1e-5))
      problems.push(`${op}, ${name}: gradient of ${input} is ${analytic}, by differences ${numeric}`)
  }
  return problems
}

/** Gradient of each input after the forward op has filled `args`: `gradX` of the backward op belongs to `x`. */
function gradientsOf(op: OpName, args: Values, gradOut: Float64Array): Map<string, HostArray> {
  if (losses.has(op)) return named(args, op)
  if (op === 'dropout') {
    const out = new Float64Array(gradOut.length)
    oracle.run('dropout', { ...(args as unknown as OpArgs['dropout']), x: gradOut, out })
    return new Map([['x', out]])
  }
  const backward = `${op}_backward` as OpName
  const own: Values = {}
  for (const [field, rule] of Object.entries(signatures[backward]) as [string, Rule][]) {
    if (field === 'gradOut') own[field] = gradOut
    else if (rule.kind !== 'number' && rule.direction === 'out') {
      own[field] = new Float64Array((args[inputOf(field)] as HostArray).length)
    } else own[field] = args[field] ?? null
  }
  oracle.run(backward, own as unknown as OpArgs[typeof backward])
  return named(own, backward)
}

function named(args: Values, op: OpName): Map<string, HostArray> {
  const written = Object.entries(signatures[op] as Record<string, Rule>).filter(
    ([field, rule]) =>
      field.startsWith('grad') && rule.kind !== 'number' && rule.direction === 'out' && args[field],
  )
  return new Map(written.map(([field]) => [inputOf(field), args[field] as HostArray]))
}

/** gradWIh → wIh */
function inputOf(gradient: string): string {
  return gradient.charAt(4).toLowerCase() + gradient.slice(5)
}

function random(length: number, rng: Rng): Float64Array {
  return Float64Array.from({ length }, () => rng.normal())
}

/** Over the shorter of the two. */
function inner(a: HostArray, b: HostArray): number {
  let sum = 0
  for (let i = 0; i < Math.min(a.length, b.length); i++) sum += a[i]! * b[i]!
  return sum
}
