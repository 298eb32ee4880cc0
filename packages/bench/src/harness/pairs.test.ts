import { expect, test } from 'vitest'
import { Pair, ratioOf } from './pairs.js'

/** Two subjects on a clock that only they move. */
function pair(a: (turn: number) => number, b: (turn: number) => number, rounds = 50) {
  let [now, turn] = [0, 0]
  const run = (seconds: (turn: number) => number) => () => void (now += seconds(turn++))
  return new Pair(run(a), run(b), { seconds: 0.01, now: () => now }).measure(rounds)
}

const uniform = (() => {
  let state = 1
  return () => (state = (state * 48271) % 2147483647) / 2147483647
})()

test('a ratio is found under a load that grows and comes and goes', async () => {
  const load = (turn: number): number => 1 + turn / 4000 + (turn % 7 === 0 ? 1.5 : 0)
  const times = await pair(
    (t) => 0.0011 * load(t),
    (t) => 0.001 * load(t),
  )
  const { median, low, high } = ratioOf(times, uniform)
  expect(median).toBeCloseTo(1.1, 1)
  expect(low).toBeGreaterThan(1.02)
  expect(high).toBeLessThan(1.2)
})

test('two that are equal are told to be', async () => {
  const same = () => 0.001
  const { low, high } = ratioOf(await pair(same, same), uniform)
  expect([low, high]).toEqual([expect.closeTo(1, 6), expect.closeTo(1, 6)])
})

test('more rounds are added to those there are, turns go on as ABBA, and promises are awaited', async () => {
  let now = 0
  const order: string[] = []
  const run = (name: string) => async () => {
    await Promise.resolve()
    order.push(name)
    now += 1
  }
  const both = new Pair(run('a'), run('b'), { seconds: 0, now: () => now })
  await both.measure(1)
  order.length = 0
  expect((await both.measure(2)).a).toEqual([1, 1, 1])
  expect(order.join('')).toBe('baab')
})
