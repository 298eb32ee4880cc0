import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hash32, philox, Rng } from './rng.js'

type Word4 = [number, number, number, number]

function block(counter: Word4, key: [number, number]): number[] {
  const out = new Uint32Array(4)
  philox(out, ...counter, ...key)
  return [...out]
}

/** The definition in exact integers. */
function exactPhilox(counter: Word4, key: [number, number]): number[] {
  const mask = 0xffffffffn
  let [c0, c1, c2, c3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint]
  let [k0, k1] = key.map(BigInt) as [bigint, bigint]
  for (let round = 0; round < 10; round++) {
    const first = 0xd2511f53n * c0
    const second = 0xcd9e8d57n * c2
    ;[c0, c1, c2, c3] = [(second >> 32n) ^ c1 ^ k0, second & mask, (first >> 32n) ^ c3 ^ k1, first & mask]
    k0 = (k0 + 0x9e3779b9n) & mask
    k1 = (k1 + 0xbb67ae85n) & mask
  }
  return [c0, c1, c2, c3].map(Number)
}

describe('Philox4x32-10', () => {
  // Known answers published with Random123 (Salmon et al.).
  test.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ] as [Word4, [number, number], number[]][])('known answer of counter %j', (counter, key, answer) => {
    expect(block(counter, key)).toEqual(answer)
  })

  test('equals exact integer arithmetic everywhere', () => {
    const word = fc.oneof(
      fc.nat(0xffffffff),
      fc.constantFrom(0, 1, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff),
    )
    fc.assert(
      fc.property(fc.tuple(word, word, word, word), fc.tuple(word, word), (counter, key) => {
        expect(block(counter, key)).toEqual(exactPhilox(counter, key))
      }),
    )
  })
})

describe('streams', () => {
  test('seed and name decide the numbers, for good', () => {
    const words = (rng: Rng): number[] => Array.from({ length: 6 }, () => rng.uint32())
    const first = words(new Rng(17, 'shuffle'))
    expect(words(new Rng(17, 'shuffle'))).toEqual(first)
    for (const other of [new Rng(18, 'shuffle'), new Rng(17, 'dropout'), new Rng(17 + 2 ** 32, 'shuffle')]) {
      expect(words(other)).not.toEqual(first)
    }
    const key = [17, hash32('shuffle')] as [number, number]
    expect(first.slice(0, 4)).toEqual(block([0, 0, 0, 0], key))
    expect(first.slice(4)).toEqual(block([1, 0, 0, 0], key).slice(0, 2))
  })

  test('a saved state goes on bit for bit, through JSON, from any position', () => {
    const draw = (rng: Rng): unknown[] => [
      rng.uint32(),
      rng.uniform(),
      rng.normal(),
      rng.int(7),
      rng.shuffle([1, 2, 3, 4]),
    ]
    fc.assert(
      fc.property(fc.nat(), fc.nat(100), (seed, skip) => {
        const rng = new Rng(seed, 'resume')
        for (let i = 0; i < skip; i++) rng.uint32()
        const copy = Rng.fromState(JSON.parse(JSON.stringify(rng.state)) as typeof rng.state)
        expect(draw(copy)).toEqual(draw(rng))
        expect(copy.state).toEqual(rng.state)
      }),
    )
  })

  test('positions beyond 2³² blocks use the second counter word', () => {
    const rng = Rng.fromState({ key: [1, 2], position: 4 * (2 ** 32 + 5) + 2 })
    expect(rng.uint32()).toBe(block([5, 1, 0, 0], [1, 2])[2])
  })

  test('a fork is new, reproducible and leaves its parent alone', () => {
    const parent = new Rng(5, 'weights')
    parent.uint32()
    const before = parent.state
    const child = parent.fork('conv1')
    expect(parent.state).toEqual(before)
    expect(child.state).toEqual(new Rng(5, 'weights').fork('conv1').state)
    const keys = ['conv1', 'conv2', 0, 1, '2'].map((name) => parent.fork(name).key.join())
    expect(new Set([...keys, parent.key.join()]).size).toBe(6)
    expect(parent.fork(2).key).toEqual(parent.fork('2').key)
  })

  test('streams of neighbouring seeds and names do not correlate', () => {
    const series = (rng: Rng): number[] => Array.from({ length: 20_000 }, () => rng.uniform() - 0.5)
    const base = series(new Rng(1, 'a'))
    for (const rng of [new Rng(2, 'a'), new Rng(1, 'b'), new Rng(1, 'a').fork(0), new Rng(1, 'a').fork(1)]) {
      const other = series(rng)
      const correlation = base.reduce((sum, v, i) => sum + v * other[i]!, 0) / (base.length / 12)
      expect(Math.abs(correlation)).toBeLessThan(4 / Math.sqrt(base.length))
    }
  })

  test.each([-1, 1.5, Number.NaN, 2 ** 53])('refuses the seed %d', (seed) => {
    expect(() => new Rng(seed, 'x')).toThrow(`Expected an integer of 0 or more for seed, got ${seed}.`)
  })

  test.each([
    [{ key: [1], position: 0 }, 'key'],
    [{ key: [1, -2], position: 0 }, 'key'],
    [{ key: [1, 2 ** 32], position: 0 }, 'key'],
    [{ position: 0 }, 'key'],
    [{ key: [1, 2], position: -1 }, 'position'],
    [{ key: [1, 2], position: 'x' }, 'position'],
  ])('refuses the state %j', (state, name) => {
    expect(() => Rng.fromState(state as never)).toThrow(
      new RegExp(`^Expected .* for ${name} of a random stream`),
    )
  })
})

describe('distributions', () => {
  const N = 100_000
  const rng = new Rng(2026, 'statistics')

  /** Σ (observed - expected)² / expected; within 5 deviations of its mean for `bins` equally likely bins. */
  function expectEven(counts: readonly number[], total: number): void {
    const each = total / counts.length
    const statistic = counts.reduce((sum, count) => sum + (count - each) ** 2 / each, 0)
    const freedom = counts.length - 1
    expect(statistic).toBeGreaterThan(freedom - 5 * Math.sqrt(2 * freedom))
    expect(statistic).toBeLessThan(freedom + 5 * Math.sqrt(2 * freedom))
  }

  function histogram(bins: number, draw: () => number, total = N): number[] {
    const counts = new Array<number>(bins).fill(0)
    for (let i = 0; i < total; i++) counts[draw()]!++
    return counts
  }

  test('uniform fills [0, 1) evenly, in its low bits too', () => {
    expectEven(
      histogram(100, () => Math.floor(rng.uniform() * 100)),
      N,
    )
    expectEven(
      histogram(64, () => Number(BigInt(rng.uniform() * 2 ** 53) & 63n)),
      N,
    )
  })

  test('between stays in its range', () => {
    let [low, high] = [Infinity, -Infinity]
    for (let i = 0; i < N; i++) {
      const value = rng.between(-3, 5)
      low = Math.min(low, value)
      high = Math.max(high, value)
    }
    expect(low).toBeGreaterThanOrEqual(-3)
    expect(low).toBeLessThan(-2.99)
    expect(high).toBeLessThan(5)
    expect(high).toBeGreaterThan(4.99)
  })

  test('int is even for a range that does not divide 2³²', () => {
    expectEven(
      histogram(7, () => rng.int(7)),
      N,
    )
    // word % n alone would draw the lower third of [0, 3·2³⁰) twice as often.
    const n = 3 * 2 ** 30
    expectEven(
      histogram(3, () => Math.floor(rng.int(n) / 2 ** 30)),
      N,
    )
    expect(rng.int(1)).toBe(0)
    expect(rng.int(2 ** 32)).toBeLessThan(2 ** 32)
  })

  test.each([0, -1, 2.5, Number.NaN, 2 ** 32 + 1])('int refuses %d', (n) => {
    expect(() => rng.int(n)).toThrow('Expected an integer from 1 to 4294967296 for n of Rng.int')
  })

  test('normal has the moments and the tails of a normal', () => {
    const values = Float64Array.from({ length: N }, () => rng.normal())
    const moment = (power: number): number => values.reduce((sum, v) => sum + v ** power, 0) / N
    expect(Math.abs(moment(1))).toBeLessThan(5 / Math.sqrt(N))
    expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / N))
    expect(Math.abs(moment(3))).toBeLessThan(5 * Math.sqrt(15 / N))
    expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / N))
    const beyond2 = values.filter((v) => Math.abs(v) > 2).length / N
    expect(Math.abs(beyond2 - 0.0455)).toBeLessThan(5 * Math.sqrt(0.0455 / N))
    expect(values.every(Number.isFinite)).toBe(true)
  })

  test('shuffle draws every order equally often and keeps the items', () => {
    const orders = new Map<string, number>()
    for (let i = 0; i < 24_000; i++) {
      const order = rng.shuffle(['a', 'b', 'c', 'd']).join('')
      orders.set(order, (orders.get(order) ?? 0) + 1)
    }
    expect(orders.size).toBe(24)
    expectEven([...orders.values()], 24_000)
  })

  test('pick takes every item equally often and refuses an empty list', () => {
    const items = ['x', 'y', 'z']
    expectEven(
      histogram(3, () => items.indexOf(rng.pick(items))),
      N,
    )
    expect(() => rng.pick([])).toThrow(/Expected an integer from 1/)
  })
})
