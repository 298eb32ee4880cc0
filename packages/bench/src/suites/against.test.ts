import { type Backend, nativeBackend, signatures } from '@sonotext/core/backend'
import { expect, test } from 'vitest'
import { interleaved, ratioOf } from '../harness/pairs.js'
import { everyOpRows } from './every-op.js'

test('every op has a row, and runs', async () => {
  const rows = await everyOpRows()
  expect(new Set(rows.map(({ op }) => op))).toEqual(new Set(Object.keys(signatures)))
  const backend = nativeBackend() as unknown as { run: (op: string, args: unknown) => void } & Backend
  for (const { op, args } of rows) backend.run(op, args)
})

/** Two subjects on a clock that only they move. */
function pair(a: (turn: number) => number, b: (turn: number) => number) {
  let [now, turn] = [0, 0]
  const run = (seconds: (turn: number) => number) => () => void (now += seconds(turn++))
  return interleaved(run(a), run(b), { rounds: 50, seconds: 0.01, now: () => now })
}

const uniform = (() => {
  let state = 1
  return () => (state = (state * 48271) % 2147483647) / 2147483647
})()

test('a ratio is found under a load that grows and comes and goes', () => {
  const load = (turn: number): number => 1 + turn / 4000 + (turn % 7 === 0 ? 1.5 : 0)
  const { median, low, high } = ratioOf(
    pair(
      (t) => 0.0011 * load(t),
      (t) => 0.001 * load(t),
    ),
    uniform,
  )
  expect(median).toBeCloseTo(1.1, 1)
  expect(low).toBeGreaterThan(1.02)
  expect(high).toBeLessThan(1.2)
})

test('two that are equal are told to be', () => {
  const { low, high } = ratioOf(
    pair(
      () => 0.001,
      () => 0.001,
    ),
    uniform,
  )
  expect([low, high]).toEqual([expect.closeTo(1, 6), expect.closeTo(1, 6)])
})
