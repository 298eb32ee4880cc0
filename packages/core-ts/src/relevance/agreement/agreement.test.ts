import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { goldenRelevance } from '../../testing/golden-relevance.js'
import { parseRatings } from '../read-ratings.js'
import { raterAgreement } from './agreement.js'
import { intraclassCorrelations } from './intraclass.js'
import { krippendorffAlpha } from './krippendorff.js'
import { pairwiseAgreement } from './pairwise.js'

describe('published worked examples', () => {
  test('Krippendorff 2011', () => {
    const { units, ...alpha } = goldenRelevance.krippendorff2011
    for (const metric of ['nominal', 'ordinal', 'interval'] as const)
      expect(krippendorffAlpha(units, metric), metric).toBeCloseTo(alpha[metric], 3)
  })

  test('Shrout and Fleiss 1979', () => {
    const { rows, ...expected } = goldenRelevance.shroutFleiss1979
    const found = intraclassCorrelations(rows)
    expect(found.k).toBe(4)
    for (const [form, value] of Object.entries(expected))
      expect(found[form as keyof typeof expected], form).toBeCloseTo(value, 2)
  })
})

test('α as NLTK computes it, with missing ratings', () => {
  for (const { units, ...alpha } of goldenRelevance.alpha)
    for (const metric of ['nominal', 'interval'] as const)
      expect(krippendorffAlpha(units, metric), metric).toBeCloseTo(alpha[metric], 12)
})

describe('properties', () => {
  const unitsOf = fc.array(fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 2, maxLength: 4 }), {
    minLength: 2,
    maxLength: 12,
  })

  test('α and ICC do not depend on the order of units, nor on unit and origin of the scale', () => {
    fc.assert(
      fc.property(
        unitsOf,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: -50, max: 50 }),
        (units, a, b) => {
          const moved = units.toReversed().map((unit) => unit.map((x) => a * x + b))
          for (const metric of ['nominal', 'ordinal', 'interval'] as const) {
            const [before, after] = [krippendorffAlpha(units, metric), krippendorffAlpha(moved, metric)]
            if (before === null) expect(after).toBeNull()
            else expect(after).toBeCloseTo(before, 9)
          }
          const [before, after] = [intraclassCorrelations(units).icc1, intraclassCorrelations(moved).icc1]
          if (before === null) expect(after).toBeNull()
          else expect(after).toBeCloseTo(before, 9)
        },
      ),
    )
  })

  test('full agreement is 1, one value throughout is nothing to agree on', () => {
    expect(krippendorffAlpha([[1, 1], [2, 2, 2], [5]])).toBe(1)
    expect(
      krippendorffAlpha([
        [3, 3],
        [3, 3, 3],
      ]),
    ).toBeNull()
    expect(krippendorffAlpha([[1], [2]])).toBeNull()
    expect(
      intraclassCorrelations([
        [3, 3],
        [3, 3],
      ]).icc1,
    ).toBeNull()
  })
})

test('pairs ordered alike, without those that one side ties', () => {
  expect(pairwiseAgreement([1, 2, 3], [1, 3, 2])).toEqual({ accuracy: 2 / 3, ordered: 3, tied: 0 })
  expect(pairwiseAgreement([1, 1, 3], [1, 3, 2])).toEqual({ accuracy: 0.5, ordered: 2, tied: 1 })
  expect(pairwiseAgreement([1, 1], [1, 3]).accuracy).toBeNull()
})

describe('raterAgreement', () => {
  const table = (answers: (query: number, item: number, rater: number) => number) =>
    parseRatings(
      [
        'query,item,rater,rating',
        ...Array.from({ length: 10 * 4 * 3 }, (_, n) => {
          const [query, item, rater] = [Math.floor(n / 12), Math.floor(n / 3) % 4, n % 3]
          return `q${query},c${item},r${rater},${answers(query, item, rater)}`
        }),
      ].join('\n'),
      'ratings.csv',
    )

  test('raters who say the same agree fully, with an interval of one point', () => {
    const found = raterAgreement(
      table((query, item) => (query * 7 + item * 13) % 50),
      { replicates: 99 },
    )
    expect(found).toMatchObject({ queries: 10, raters: 3, pairs: 40, complete: 40 })
    for (const [name, { value, interval }] of Object.entries(found.coefficients)) {
      expect(value, name).toBeCloseTo(1, 12)
      expect(interval![0], name).toBeCloseTo(1, 12)
    }
  })

  test('agreement by chance is about 0, and its interval holds 0', () => {
    const found = raterAgreement(
      table((query, item, rater) => (query * 61 + item * 37 + rater * 89 + query * item * rater * 7) % 101),
      { replicates: 199 },
    )
    for (const name of ['alpha-interval', 'alpha-ordinal', 'icc1', 'icc2'] as const) {
      const { value, interval } = found.coefficients[name]
      expect(Math.abs(value!), name).toBeLessThan(0.4)
      expect(interval![0], name).toBeLessThanOrEqual(value!)
      expect(interval![1], name).toBeGreaterThanOrEqual(value!)
    }
  })

  test('one query alone has no interval', () => {
    const rows = ['x', 'y'].flatMap((rater, r) =>
      ['a', 'b', 'c'].map((item, i) => `q,${item},${rater},${10 * i + r}`),
    )
    const found = raterAgreement(parseRatings(['query,item,rater,rating', ...rows].join('\n'), 'x.csv'))
    expect(found.coefficients['alpha-interval'].value).toBeGreaterThan(0.9)
    for (const { interval } of Object.values(found.coefficients)) {
      expect(interval).toBeNull()
    }
  })

  test('a table without raters is refused', () => {
    const once = parseRatings('query,item,rating\nq,a,1\nq,b,2\n', 'x.csv')
    expect(() => raterAgreement(once)).toThrow(/two raters/)
  })
})
