import { expect, test } from 'vitest'
import { referenceBackend } from '../backend/reference/index.js'
import { dropout, scale } from './functions/index.js'
import { gradcheck } from './gradcheck.js'
import type { Tape } from './tape.js'
import { Parameter, type Tensor } from './tensor.js'

const float64 = referenceBackend({ precision: 'float64' })
const parameter = (): Parameter => Parameter.from(float64, [4], [0.1, -0.4, 0.7, 1.2])

/** x³ whose backward multiplies by `factor`·x². */
function cube(tape: Tape, x: Tensor, factor: number): Tensor {
  const out = tape.result(x.shape, [x])
  const values = x.buffer as Float64Array
  ;(out.buffer as Float64Array).set(values.map((v) => v ** 3))
  tape.record(out, (gradOut) => {
    const gradX = tape.alloc(x.size) as Float64Array
    gradX.set(values.map((v, i) => factor * v * v * (gradOut as Float64Array)[i]!))
    tape.accumulate(x, gradX)
  })
  return out
}

test('agrees where the gradient is right and leaves values and gradients as they were', () => {
  const x = parameter()
  const report = gradcheck(new Map([['x', x]]), (tape) => cube(tape, x, 3))
  expect(report.worst!.error).toBeLessThan(1e-8)
  expect(report.entries.map(({ along }) => along.split(' ')[0])).toEqual([
    ...new Array<string>(3).fill('direction'),
    ...new Array<string>(4).fill('element'),
  ])
  expect([...x.toArray()]).toEqual([0.1, -0.4, 0.7, 1.2])
  expect(x.grad).toBeNull()
})

test('shows a gradient that is slightly wrong, and of which parameter', () => {
  const [x, y] = [parameter(), parameter()]
  const both = new Map([
    ['right', x],
    ['wrong', y],
  ])
  const report = gradcheck(both, (tape) => {
    const right = cube(tape, x, 3)
    const wrong = cube(tape, y, 3.01)
    return joined(tape, right, wrong)
  })
  expect(report.worst).toMatchObject({ parameter: 'wrong' })
  expect(report.worst!.error).toBeGreaterThan(1e-3)
  expect(
    report.entries.filter(({ error }) => error > 1e-6).every((entry) => entry.parameter === 'wrong'),
  ).toBe(true)
})

test('a parameter that the result does not depend on has gradient 0', () => {
  const [x, idle] = [parameter(), parameter()]
  const parameters = new Map([
    ['x', x],
    ['idle', idle],
  ])
  const { entries } = gradcheck(parameters, (tape) => scale(tape, x, 2))
  const own = entries.filter((entry) => entry.parameter === 'idle')
  expect(own.length).toBe(7)
  expect(own.every(({ analytic, numeric, error }) => analytic === 0 && numeric === 0 && error === 0)).toBe(
    true,
  )
})

test('draws the same dropout mask in every evaluation', () => {
  const x = parameter()
  expect(gradcheck(new Map([['x', x]]), (tape) => dropout(tape, x, 0.5)).worst!.error).toBeLessThan(1e-8)
})

test('refuses float32, and nothing to check', () => {
  const x = Parameter.from(referenceBackend(), [1], [1])
  expect(() => gradcheck(new Map([['x', x]]), (tape) => scale(tape, x, 2))).toThrow(
    'Expected a parameter on a float64 reference backend for x',
  )
  expect(() => gradcheck(new Map(), (tape) => tape.constant([1], [1]))).toThrow(
    'Expected one parameter or more',
  )
})

/** a + b, made here so that this test needs no other function. */
function joined(tape: Tape, a: Tensor, b: Tensor): Tensor {
  const out = tape.result(a.shape, [a, b])
  tape.backend.run('add', { a: a.buffer, b: b.buffer, out: out.buffer, alpha: 1, beta: 1 })
  tape.record(out, (gradOut) => {
    tape.accumulate(a, gradOut)
    tape.accumulate(b, gradOut)
  })
  return out
}
