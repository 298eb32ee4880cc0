import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Rng } from '../../base/index.js'
import { bootstrapInterval, pairedBootstrapInterval } from './bootstrap.js'
import { clustersOf } from './clusters.js'
import { normalCdf, normalQuantile, student95, Z95 } from './distributions.js'
import { holm } from './holm.js'
import { randomizationTest } from './randomization.js'
import { type Interval, mean, median, unitMean } from './statistic.js'

interface Case {
  clusters: number[]
  ranks: number[]
  reciprocal: Interval
  hit: Interval
  median: Interval
  meanRank: Interval
}
const golden = JSON.parse(
  readFileSync(new URL('../../../test-data/metrics/significance.json', import.meta.url), 'utf8'),
) as {
  equal: Case
  unequal: Case
  alone: Case
  bootstrap: { a: number[]; b: number[]; mean: Interval; difference: Interval }
  randomization: { a: number[]; b: number[]; clusters: number[]; difference: number; p: number }
  holm: { p: number[]; adjusted: number[] }
  student: { degrees: number[]; t: number[] }
  normal: { x: number[]; cdf: number[] }
}

function expectClose(got: Interval | null, want: Interval, digits = 10): void {
  for (const side of [0, 1] as const) expect(got![side]).toBeCloseTo(want[side], digits)
}

describe('against scipy and statsmodels', () => {
  test('quantiles and probabilities', () => {
    golden.student.degrees.forEach((degrees, i) =>
      expect(student95(degrees), `${degrees} degrees`).toBeCloseTo(golden.student.t[i]!, 9),
    )
    golden.normal.x.forEach((x, i) => {
      expect(normalCdf(x), `Φ(${x})`).toBeCloseTo(golden.normal.cdf[i]!, 14)
      if (Math.abs(x) < 5) expect(normalQuantile(golden.normal.cdf[i]!)).toBeCloseTo(x, 9)
    })
    expect(normalQuantile(0.975)).toBeCloseTo(Z95, 12)
    expect([normalQuantile(0), normalQuantile(1)]).toEqual([-Infinity, Infinity])
  })

  test.each(['equal', 'unequal', 'alone'] as const)('intervals over %s clusters', (name) => {
    const { clusters: ids, ranks, ...want } = golden[name]
    const clusters = clustersOf(ids)
    const valuesOf = (value: (rank: number) => number) => Float64Array.from(ranks, value)
    expectClose(unitMean.byCluster(valuesOf((rank) => 1 / rank), clusters), want.reciprocal) // prettier-ignore
    expectClose(unitMean.byCluster(valuesOf((rank) => (rank <= 3 ? 1 : 0)), clusters), want.hit) // prettier-ignore
    expectClose(mean.byCluster(valuesOf((rank) => rank), clusters), want.meanRank) // prettier-ignore
    expect(median.byCluster(valuesOf((rank) => rank), clusters)).toEqual(want.median) // prettier-ignore
  })

  test('BCa bootstrap, of a mean and of a paired difference', () => {
    const { a, b, mean: ofMean, difference } = golden.bootstrap
    const clusters = clustersOf(a.map((_, i) => i))
    const [x, y] = [Float64Array.from(a), Float64Array.from(b)]
    const options = { replicates: 19_999 }
    const near = (got: Interval | null, want: Interval) => {
      for (const side of [0, 1] as const)
        expect(Math.abs(got![side] - want[side])).toBeLessThan(0.02 * (want[1] - want[0]))
    }
    near(bootstrapInterval(x, clusters, unitMean, options), ofMean)
    near(pairedBootstrapInterval(x, y, clusters, unitMean, options), difference)
  })

  test('exact and drawn randomisation', () => {
    const { a, b, clusters: ids, difference, p } = golden.randomization
    const [x, y, clusters] = [Float64Array.from(a), Float64Array.from(b), clustersOf(ids)]
    const exact = randomizationTest(x, y, clusters, mean)
    expect(exact).toMatchObject({ exact: true, exchanges: 2 ** 11 })
    expect(exact.difference).toBeCloseTo(difference, 12)
    expect(exact.p).toBeCloseTo(p, 12)
    const drawn = randomizationTest(x, y, clusters, mean, { replicates: 2 ** 11 - 1 })
    expect(drawn.exact).toBe(false)
    expect(Math.abs(drawn.p - p)).toBeLessThan(0.012)
  })

  test('Holm', () => {
    const adjusted = holm(golden.holm.p)
    adjusted.forEach((p, i) => expect(p).toBeCloseTo(golden.holm.adjusted[i]!, 12))
    expect(holm([])).toEqual([])
    for (const bad of [-0.1, 1.1, NaN]) expect(() => holm([0.5, bad])).toThrow(/from 0 to 1 for p\[1\]/)
  })
})

/** Queries in clusters with values on a coarse grid, so that ties and whole clusters of one value occur. */
const problemOf = (equal: boolean) =>
  fc
    .record({
      sizes: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 9 }),
      levels: fc.integer({ min: 1, max: 6 }),
      seed: fc.nat(),
    })
    .map(({ sizes, levels, seed }) => {
      const rng = new Rng(seed, 'problem')
      const draw = () => rng.int(levels + 1) / levels
      const queries = sizes.flatMap((size, cluster) =>
        Array.from({ length: equal ? sizes[0]! : size }, () => ({ cluster, a: draw(), b: draw() })),
      )
      return { queries, clusters: sizes.length, rng }
    })
const problem = problemOf(false)
type Query = { cluster: number | string; a: number; b: number }

/** Everything that is said about two systems, as a flat list. */
function allOf(queries: readonly Query[]): number[] {
  const clusters = clustersOf(queries.map(({ cluster }) => cluster))
  const a = Float64Array.from(queries, (query) => query.a)
  const b = Float64Array.from(queries, (query) => query.b)
  const options = { replicates: 99 }
  return [unitMean, mean, median].flatMap((statistic) => {
    const { difference, p } = randomizationTest(a, b, clusters, statistic, options)
    return [
      ...statistic.byCluster(a, clusters)!,
      ...bootstrapInterval(a, clusters, statistic, options)!,
      ...pairedBootstrapInterval(a, b, clusters, statistic, options)!,
      difference,
      p,
    ]
  })
}

function expectSameNumbers(got: readonly number[], want: readonly number[]): void {
  expect(got).toHaveLength(want.length)
  got.forEach((value, i) => expect(value, `number ${i}`).toBeCloseTo(want[i]!, 9))
}

describe('properties', () => {
  test('the order of queries and the names of clusters do not matter, seeded draws included', () => {
    fc.assert(
      fc.property(problem, ({ queries, clusters, rng }) => {
        const names = rng.shuffle(Array.from({ length: clusters }, (_, i) => `cluster ${i}`))
        const other = rng.shuffle(queries.map((query) => ({ ...query, cluster: names[query.cluster]! })))
        expectSameNumbers(allOf(other), allOf(queries))
      }),
      { numRuns: 60 },
    )
  })

  test('captions repeated within equal clips tell nothing new, except to intervals by query', () => {
    fc.assert(
      fc.property(problemOf(true), fc.integer({ min: 2, max: 4 }), ({ queries }, times) => {
        const repeated = queries.flatMap((query) => Array<Query>(times).fill(query))
        expectSameNumbers(allOf(repeated), allOf(queries))
        const [once, more] = [queries, repeated].map((list) => unitMean.byQuery(Float64Array.from(list, ({ a }) => a))) // prettier-ignore
        const width = ([low, high]: Interval) => high - low
        if (width(once!) > 0) expect(width(more!)).toBeLessThan(width(once!))
      }),
      { numRuns: 60 },
    )
  })

  test('a share has an interval within [0, 1] around it, never of no width', () => {
    fc.assert(
      fc.property(problem, ({ queries }) => {
        const clusters = clustersOf(queries.map(({ cluster }) => cluster))
        const values = Float64Array.from(queries, ({ a }) => a)
        const value = unitMean.of(values)()
        for (const interval of [
          unitMean.byCluster(values, clusters)!,
          bootstrapInterval(values, clusters, unitMean, { replicates: 99 })!,
        ]) {
          expect(interval[0]).toBeGreaterThanOrEqual(0)
          expect(interval[1]).toBeLessThanOrEqual(1)
          expect(interval[1] - interval[0]).toBeGreaterThan(1e-3)
        }
        const [low, high] = unitMean.byCluster(values, clusters)!
        expect(low).toBeLessThanOrEqual(value)
        expect(high).toBeGreaterThanOrEqual(value)
      }),
    )
  })

  test('exchanging the systems turns the difference and leaves p', () => {
    fc.assert(
      fc.property(problem, ({ queries }) => {
        const clusters = clustersOf(queries.map(({ cluster }) => cluster))
        const a = Float64Array.from(queries, (query) => query.a)
        const b = Float64Array.from(queries, (query) => query.b)
        for (const statistic of [unitMean, median]) {
          const [one, two] = [
            randomizationTest(a, b, clusters, statistic),
            randomizationTest(b, a, clusters, statistic),
          ]
          expect(two.difference).toBeCloseTo(-one.difference, 12)
          expect(two.p).toBeCloseTo(one.p, 12)
          expect(randomizationTest(a, a, clusters, statistic)).toMatchObject({
            difference: 0,
            p: 1,
            exact: true,
          })
        }
      }),
      { numRuns: 40 },
    )
  })
})

test('exact randomisation equals trying every exchange, for mean and median', () => {
  const rng = new Rng(11, 'exchanges')
  const ids = [0, 0, 0, 1, 1, 2, 3, 3, 4, 5]
  const draw = () => Float64Array.from(ids, () => 1 + rng.int(5))
  for (const statistic of [mean, median]) {
    const [a, b] = [draw(), draw()]
    const differences = Array.from({ length: 2 ** 6 }, (_, mask) => {
      const swapped = (q: number) => ((mask >> ids[q]!) & 1) === 1
      const x = a.map((value, q) => (swapped(q) ? b[q]! : value))
      const y = b.map((value, q) => (swapped(q) ? a[q]! : value))
      return statistic.of(x)() - statistic.of(y)()
    })
    const asExtreme = differences.filter((d) => Math.abs(d) >= Math.abs(differences[0]!) - 1e-9).length
    expect(randomizationTest(a, b, clustersOf(ids), statistic).p).toBeCloseTo(asExtreme / 2 ** 6, 12)
  }
})

test('clusters of many sizes that all agree: the draws differ by rounding alone, which is no interval', () => {
  const sizes = [1, 2, 3, 4, 5, 6]
  const ids = sizes.flatMap((size) => Array<number>(size).fill(size))
  const [values, clusters] = [Float64Array.from(ids, () => 1 / 3), clustersOf(ids)]
  expect(bootstrapInterval(values, clusters, unitMean)).toEqual(unitMean.byCluster(values, clusters))
})

test('two hits of two queries, twenty of twenty: an interval, and a lower end that grows', () => {
  const ends = [2, 20, 200].map((n) => unitMean.byCluster(new Float64Array(n).fill(1), clustersOf(Array.from({ length: n }, (_, i) => i)))!) // prettier-ignore
  for (const [low, high] of ends) {
    expect(low).toBeLessThan(1)
    expect(high).toBe(1)
  }
  expect(ends[2]![0]).toBeGreaterThan(0.98)
  expect(ends[1]![0]).toBeCloseTo(0.82, 2)
  expect(ends[0]![0]).toBeLessThan(0.1)
})

test('medians may be infinite', () => {
  const ids = clustersOf([0, 1, 2, 3, 4, 5])
  const late = Float64Array.of(1, Infinity, Infinity, 3, Infinity, Infinity)
  const early = Float64Array.of(1, 2, Infinity, 3, 1, Infinity)
  expect(median.of(late)()).toBe(Infinity)
  expect(median.byCluster(late, ids)).toEqual([1, Infinity])
  expect(bootstrapInterval(late, ids, median)![1]).toBe(Infinity)
  const { difference, p } = randomizationTest(late, early, ids, median)
  expect(difference).toBe(Infinity)
  expect(p).toBeGreaterThan(0)
  expect(p).toBeLessThanOrEqual(1)
})

test('one cluster has no interval; too few draws and missing values are refused', () => {
  const one = clustersOf([7, 7, 7])
  const values = Float64Array.of(1, 0, 1)
  for (const statistic of [unitMean, mean, median]) {
    expect(statistic.byCluster(values, one)).toBeNull()
    expect(bootstrapInterval(values, one, statistic)).toBeNull()
    expect(pairedBootstrapInterval(values, values, one, statistic)).toBeNull()
  }
  const two = clustersOf([1, 1, 2])
  expect(() => bootstrapInterval(values, two, mean, { replicates: 20 })).toThrow(
    /from 99 for replicates, got 20/,
  )
  expect(() => randomizationTest(values, Float64Array.of(1, 2), two, mean)).toThrow(/each of the 3 queries/)
})
