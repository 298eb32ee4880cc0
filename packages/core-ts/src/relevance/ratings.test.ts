import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeWithRealData } from '../testing/real-data/index.js'
import type { Rating } from './rating.js'
import { ratingStatistics } from './rating-statistics.js'
import { joinRatings, parseRatings, readRatings, writeRatings } from './read-ratings.js'
import { readRelevances } from './read-relevances.js'
import { aggregateRatings, Relevances, writeRelevances } from './relevances.js'
import { screenRatings } from './screening.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-ratings-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('reading', () => {
  test('the layout of TAU and a table of raters', () => {
    const tau = parseRatings('tid,fid,fid_group,rating\nt,f,TP,90\nt,g,C15,0\n', 'tau.csv')
    expect(tau.scale).toEqual({ low: 0, high: 100 })
    expect(tau.ratings[0]).toEqual({
      query: 't',
      item: 'f',
      rater: null,
      rating: 90,
      played: null,
      group: 'TP',
    })
    const table = parseRatings('query,item,rater,rating,played\nq,c,r1,30,6.5\nq,c,r2,50,\n', 'table.csv')
    expect(table.ratings.map(({ rater, played }) => [rater, played])).toEqual([
      ['r1', 6.5],
      ['r2', null],
    ])
  })

  test.each([
    ['query,item,rating\nq,c,101\n', /x\.csv:2: expected a rating from 0 to 100, got 101.*--scale/],
    ['query,item,rating\nq,c,-1\n', /from 0 to 100/],
    ['query,item,relevance\nq,c,1.5\n', /from 0 to 1,/],
    ['query,item,rating\nq,c,0x1F\n', /:2: expected a number for rating, got "0x1F"/],
    ['query;item;rating\nq;c;7,5\n', /got "7,5".*decimal comma: 7\.5/],
    ['query,item,rating\nq,c,high\n', /expected a number for rating, got "high"/],
    ['query,item,rating\nq,c,\n', /expected a rating, got an empty cell/],
    ['query,item,rating\n,c,1\n', /expected a query/],
    ['query,item,rating\n', /at least one rating/],
    ['query,item,rating,played\nq,c,1,-3\n', /seconds/],
    ['query,clip_name,rating\nq,c,1\n', /columns query,item,rater,rating/],
    [
      'query,item,rater,rating,group\nq,c,r,1,TP\nq,c,s,2,TN\n',
      /x\.csv:3: "c" is TN for "q" here and TP in x\.csv:2/,
    ],
    ['query,item,rater,rating\nq,c,r,1\nq,c,r,2\n', /x\.csv:3: "c" is rated twice by r for "q".*--again/],
    ['query,item,rating\nq,c,1\nq,c,1\n', /twice without a rater/],
  ])('%j is refused', (text, message) => {
    expect(() => parseRatings(text, 'x.csv')).toThrow(
      expect.objectContaining({ code: 'INVALID_FILE', message: expect.stringMatching(message) }),
    )
  })

  test('unknown ids are refused by name, a missing file by its own code', async () => {
    const text = 'query,item,rating\nq,c,1\n'
    expect(() => parseRatings(text, 'x.csv', { items: new Set(['d']) })).toThrow(/x\.csv:2: the item "c"/)
    expect(() => parseRatings(text, 'x.csv', { queries: new Set(['d']) })).toThrow(/the query "q"/)
    await expect(readRatings(join(folder, 'none.csv'))).rejects.toMatchObject({ code: 'MISSING_FILE' })
  })

  test('a pair rated again by one rater: mean, first or last as asked', () => {
    const text = 'query,item,rater,rating\nq,c,r,10\nq,c,r,40\nq,d,r,5\n'
    const rated = (again: 'mean' | 'first' | 'last') =>
      parseRatings(text, 'x.csv', { again }).ratings.map(({ rating }) => rating)
    expect(rated('mean')).toEqual([25, 5])
    expect(rated('first')).toEqual([10, 5])
    expect(rated('last')).toEqual([40, 5])
    const played = 'query,item,rater,rating,played\nq,c,r,10,1\nq,c,r,40,30\nq,d,r,5,\n'
    expect(parseRatings(played, 'x.csv', { again: 'mean' }).ratings.map((one) => one.played)).toEqual([
      30,
      null,
    ])
  })

  test('what is written is read again, whatever the ids hold', async () => {
    const id = fc.string({ minLength: 1, maxLength: 8 }).filter((text) => text.trim() === text && text !== '')
    const file = join(folder, 'round.csv')
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(
          fc.record({
            query: id,
            item: id,
            rater: fc.option(id),
            rating: fc.integer({ min: 0, max: 100 }),
            played: fc.option(fc.integer({ min: 0, max: 90 })),
            group: fc.option(id),
          }),
          { minLength: 1, selector: ({ query, item, rater }) => JSON.stringify([query, item, rater]) },
        ),
        async (ratings: Rating[]) => {
          fc.pre(!/[\p{Cc}\p{Cs}]/u.test(JSON.stringify(ratings.map((rating) => Object.values(rating)))))
          await writeRatings(file, ratings)
          expect((await readRatings(file)).ratings).toEqual(ratings)
        },
      ),
      { numRuns: 30 },
    )
  })
})

test('tables of several raters are one: a pair rated twice is named by both lines, scales must be one', () => {
  const head = 'query,item,rater,rating'
  const [one, two] = [
    parseRatings(`${head}\nq,c,r,10\n`, 'one.csv'),
    parseRatings(`${head}\nq,d,r,20\nq,c,r,30\n`, 'two.csv'),
  ]
  expect(() => joinRatings([one, two])).toThrow(
    /^two\.csv:3: "c" is rated twice by r for "q"; the first time in one\.csv:2/,
  )
  const mean = joinRatings([one, two], 'mean')
  expect(mean.ratings.map(({ rating }) => rating)).toEqual([20, 20])
  expect(() => joinRatings([mean, one])).toThrow(/^one\.csv:2: .* the first time in one\.csv, two\.csv:2/)
  const share = parseRatings('query,item,relevance\nq,c,1\n', 'share.csv')
  expect(() => joinRatings([one, share])).toThrow(
    expect.objectContaining({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/scale of one\.csv, 0 to 100, for share\.csv, got "0 to 1".*--scale/),
    }),
  )
})

test.each(['m.jsonl', 'M.NDJSON'])('relevance is read from a manifest named %s', async (name) => {
  const clip = { id: 'c', audio: 'c.wav', captions: [{ id: 'q', text: 'rain', relevance: { c: 0.5 } }] }
  await writeFile(join(folder, name), `${JSON.stringify(clip)}\n`)
  expect((await readRelevances(join(folder, name))).of('q', 'c')).toBe(0.5)
})

describe('relevances', () => {
  const answers = [10, 20, 30, 40, 100]
  const table = parseRatings(
    ['query,item,rater,rating', ...answers.map((rating, r) => `q,c,r${r},${rating}`), 'q,d,r0,50'].join('\n'),
    'x.csv',
  )

  test('mean, median and trimmed mean', () => {
    const of = (options: Parameters<typeof aggregateRatings>[1]) =>
      aggregateRatings(table, options).of('q', 'c')
    expect(of({})).toBeCloseTo(0.4, 12)
    expect(of({ average: 'median' })).toBeCloseTo(0.3, 12)
    expect(of({ average: 'trimmed-mean', trim: 0.2 })).toBeCloseTo(0.3, 12)
    expect(aggregateRatings(table).pairs[0]!.deviation).toBeCloseTo(0.3535533905932738, 12)
  })

  test('unjudged is undefined, not 0, and pairs of too few raters are unjudged', () => {
    const two = aggregateRatings(table, { minRaters: 2 })
    expect(two.of('q', 'd')).toBeUndefined()
    expect(two.of('q', 'c')).toBeCloseTo(0.4)
    expect(two.judged('nobody').size).toBe(0)
    expect(two.judgedShare(new Map([['q', ['d', 'c', 'e', 'f']]]), 2)).toBe(0.5)
    expect(() => aggregateRatings(table, { minRaters: 9 })).toThrow(/9 raters/)
    expect(() => aggregateRatings(table, { trim: 0.5 })).toThrow(/below 0.5/)
  })

  test('file round trip and transposition', async () => {
    const file = join(folder, 'relevance.csv')
    const before = aggregateRatings(table)
    await writeRelevances(file, before)
    const after = await readRelevances(file)
    expect(after.of('q', 'c')).toBe(before.of('q', 'c'))
    expect(after.transposed().of('c', 'q')).toBe(before.of('q', 'c'))
    const pair = before.pairs[0]!
    expect(() => new Relevances([pair, pair])).toThrow(/twice/)
    expect(() => new Relevances([{ ...pair, relevance: 1.2 }])).toThrow(/0 to 1/)
  })
})

describe('screening', () => {
  // Five queries of a match, a control and two more; a good, a careless, a hasty and a contrary rater.
  const rows = Array.from({ length: 5 }, (_, q) => [
    ...[90, 2, 40, 60].map((rating, i) => [q, i, 'good', rating + q, 9]),
    ...[85, 4, 45, 55].map((rating, i) => [q, i, 'also', rating - q, 9]),
    ...[50, 50, 50, 50].map((rating, i) => [q, i, 'flat', rating, 9]),
    ...[10, 95, 60, 30].map((rating, i) => [q, i, 'contrary', rating, 9]),
    ...[92, 3, 35, 65].map((rating, i) => [q, i, 'hasty', rating, i === 2 ? 1 : 9]),
  ]).flat()
  const table = parseRatings(
    [
      'query,item,rater,rating,played,group',
      ...rows.map(
        ([q, i, rater, rating, played]) =>
          `q${q},c${i},${rater},${rating},${played},${['TP', 'TN', '', ''][i as number]}`,
      ),
    ].join('\n'),
    'x.csv',
  )
  const left = (options: Parameters<typeof screenRatings>[1]) => {
    const { table: kept, exclusions } = screenRatings(table, options)
    return { raters: new Set(kept.ratings.map(({ rater }) => rater)), count: kept.ratings.length, exclusions }
  }

  test('every rule finds whom it is for, and says why', () => {
    expect([...left({ controls: 0.2 }).raters]).toEqual(['good', 'also', 'hasty'])
    expect([...left({ straightLining: 0.5 }).raters]).not.toContain('flat')
    expect([...left({ agreement: 0 }).raters]).toEqual(['good', 'also', 'hasty'])
    const { count, exclusions } = left({ played: 5 })
    expect(count).toBe(table.ratings.length - 5)
    expect(exclusions[0]).toEqual({
      rule: 'played',
      rater: 'hasty',
      pair: { query: 'q0', item: 'c2' },
      reason: 'Played for 1 s, less than 5 s.',
      ratings: 1,
    })
    expect(left({ controls: 0.2 }).exclusions[1]).toMatchObject({
      rater: 'contrary',
      pair: null,
      reason: '5 of 5 control items rated wrongly, more than 20 %.',
      ratings: 20,
    })
    expect(left({}).count).toBe(table.ratings.length)
  })

  test('what a rule has nothing to judge by is said, and stays', () => {
    const bare = parseRatings('query,item,rater,rating\nq,c,r,10\nq,d,r,20\nq,c,s,30\n', 'x.csv')
    const all = { played: 5, controls: 0.2, straightLining: 0.5, agreement: 0.2 }
    const { table: kept, unscreened } = screenRatings(bare, all)
    expect(kept.ratings).toHaveLength(3)
    expect(unscreened).toEqual([
      {
        rule: 'played',
        reason: '3 of 3 ratings cannot be judged: they do not say how long was played (column played).',
      },
      { rule: 'controls', reason: expect.stringMatching(/^2 of 2 raters .*no control item \(group TN\)/) },
      { rule: 'straightLining', reason: expect.stringMatching(/^2 of 2 raters .*three ratings/) },
      { rule: 'agreement', reason: expect.stringMatching(/^2 of 2 raters .*5 pairs/) },
    ])
    expect(screenRatings(table, { ...all, played: 0 }).unscreened).toEqual([])
    const some = { ...table, ratings: table.ratings.map((one) => ({ ...one, played: null })) }
    some.ratings[0] = table.ratings[0]! as never
    expect(screenRatings(some, { played: 5 }).unscreened[0]!.reason).toMatch(/^99 of 100 ratings/)
  })

  test('a rule that there is not and a limit that is no number are refused', () => {
    expect(() => screenRatings(table, { mood: 1 } as never)).toThrow(/one of played/)
    expect(() => screenRatings(table, { played: Number.NaN })).toThrow(/a number/)
    expect(() => screenRatings(table, { played: -1 })).toThrow(/from 0 for the limit of played/)
    expect(() => screenRatings(table, { controls: 20 })).toThrow(
      /from 0 to 1 for the limit of controls, got 20/,
    )
    expect(() => screenRatings(table, { straightLining: 50 })).toThrow(/from 0 to 1/)
    expect(() => screenRatings(table, { agreement: -2 })).toThrow(/from -1 to 1/)
  })
})

test('statistics of several raters go by list', () => {
  const table = parseRatings(
    'query,item,rater,rating,group\nq,a,r,80,TP\nq,b,r,90,\nq,a,s,70,TP\nq,b,s,70,\n',
    'x.csv',
  )
  expect(ratingStatistics(table)).toMatchObject({
    raters: 2,
    own: { lists: 2, topRated: 1, above: 0.5 },
    upperHalf: 2,
  })
})

describeWithRealData('TAU Audio-Text Graded Relevances', (data) => {
  // Measured on the files: methods of Xie et al. 2023 (arXiv 2306.09820).
  test.each([
    ['development', { TP: [76.1, 18.1, 79], C15: [21.0, 32.8, 0], TN: [1.26, null, null] }, [68, 1.83, 4.01]],
    ['validation', { TP: [69.4, 20.5, 72], C15: [16.4, 29.3, 0], TN: [0.82, null, null] }, [70, 1.68, 3.14]],
  ] as const)('the table of %s', async (split, groups, [topRated, above, upperHalf]) => {
    const found = ratingStatistics(await readRatings(join(data, 'ratings', `${split}_relevances.csv`)))
    expect(found).toMatchObject({ queries: 200, ratings: 3400, own: { lists: 200, topRated } })
    for (const { group, mean, deviation, median } of found.groups) {
      const [m, sd, middle] = groups[group as 'TP']
      expect(Math.abs(mean - m)).toBeLessThan(0.0501)
      if (sd !== null) expect(deviation).toBeCloseTo(sd, 1)
      if (middle !== null) expect(median).toBe(middle)
    }
    expect(Math.abs(found.own!.above - above)).toBeLessThan(0.00501)
    expect(Math.abs(found.upperHalf - upperHalf)).toBeLessThan(0.00501)
    if (split === 'development')
      expect(found.histogram).toEqual([2141, 125, 103, 129, 100, 123, 118, 132, 134, 295])
  })
})
