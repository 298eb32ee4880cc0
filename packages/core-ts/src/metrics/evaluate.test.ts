import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { matrix, Rng } from '../base/index.js'
import {
  clustersOf,
  evaluateHits,
  evaluateScores,
  measures,
  ranksOfRelevant,
  summarizeQueries,
  type Evaluation,
  withoutPerQuery,
} from './index.js'

type Direction = Record<string, number>
interface Case {
  scores: number[]
  captionClip: number[]
  textToAudio: Direction
  audioToText: Direction
  intervals: { textToAudio: Record<string, [number, number]>; audioToText: Record<string, [number, number]> }
}
const golden = JSON.parse(
  readFileSync(new URL('../../test-data/metrics/golden.json', import.meta.url), 'utf8'),
) as {
  continuous: Case
  ties: Case
  graded: { scores: number[][]; grades: number[][] } & Record<string, number[]>
}

/** The definition, spelt out: sort everything, then look. */
function sortedRanks(scores: ArrayLike<number>, relevant: readonly number[]): number[] {
  const order = Array.from(scores, (_, i) => i).sort((a, b) => scores[b]! - scores[a]! || a - b)
  return relevant.map((item) => order.indexOf(item) + 1).sort((a, b) => a - b)
}

describe('against numpy and scikit-learn', () => {
  test.each(['continuous', 'ties'] as const)('%s scores, both directions', (name) => {
    const { scores, captionClip, textToAudio, audioToText, intervals } = golden[name]
    const names = Object.keys(textToAudio)
    const captions = captionClip.length
    const clips = scores.length / captions
    const result = evaluateScores(matrix(clips, captions, Float32Array.from(scores)), captionClip, {
      measures: names,
      interval: 'query-jackknife',
    })
    expect(result).toMatchObject({ split: null, queries: 120, items: 24 })
    for (const [direction, values] of [
      ['textToAudio', textToAudio],
      ['audioToText', audioToText],
    ] as const) {
      for (const [m, value] of Object.entries(values))
        expect(result[direction]![m], `${direction} ${m}`).toBeCloseTo(value, 12)
      for (const [m, interval] of Object.entries(intervals[direction])) {
        for (const side of [0, 1])
          expect(result.intervals[direction]![m]![side]).toBeCloseTo(interval[side]!, 12)
      }
    }
  })

  test('nDCG with graded relevance', () => {
    const { scores, grades } = golden.graded
    for (const name of ['nDCG', 'nDCG@5'] as const) {
      scores.forEach((row, q) => {
        const hits = row.map((score, i) => ({ id: String(i), score })).sort((a, b) => b.score - a.score)
        const relevance = new Map(grades[q]!.map((grade, i) => [String(i), grade]))
        const { values } = evaluateHits([hits], [relevance], { items: row.length, measures: [name] })
        expect(values[name]).toBeCloseTo(golden.graded[name]![q]!, 12)
      })
    }
  })
})

describe('ranksOfRelevant', () => {
  const scoresOf = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 40 })
  test('equals sorting everything, with many ties', () => {
    fc.assert(
      fc.property(scoresOf, fc.infiniteStream(fc.boolean()), (scores, picks) => {
        const relevant = scores.map((_, i) => i).filter(() => picks.next().value)
        if (relevant.length === 0) relevant.push(scores.length - 1)
        const ranks = ranksOfRelevant(Float32Array.from(scores), relevant)
        expect([...ranks]).toEqual(sortedRanks(scores, relevant))
      }),
    )
  })

  test('infinite scores order; a NaN anywhere is refused and named', () => {
    expect([...ranksOfRelevant(Float32Array.of(-Infinity, 2, Infinity, -Infinity), [0, 3])]).toEqual([3, 4])
    for (const relevant of [[0], [2], [0, 2], [0, 1]]) {
      expect(() => ranksOfRelevant(Float32Array.of(1, 2, NaN), relevant, 'clip 7')).toThrow(
        /clip 7, got NaN for item 2/,
      )
    }
  })
})

describe('evaluateScores', () => {
  const problem = fc
    .record({
      clips: fc.integer({ min: 1, max: 8 }),
      captions: fc.integer({ min: 1, max: 20 }),
      seed: fc.nat(),
    })
    .map(({ clips, captions, seed }) => {
      const rng = new Rng(seed, 'problem')
      const values = rng.shuffle(Array.from({ length: clips * captions }, (_, i) => i / 7)) // distinct
      const captionClip = Array.from({ length: captions }, () => rng.int(clips))
      return { clips, captions, values: Float32Array.from(values), captionClip, rng }
    })
  const names = [
    'R@1',
    'R@2',
    'R@3',
    'R@5',
    'mAP@1',
    'mAP@2',
    'mAP@5',
    'mAP',
    'MRR',
    'HR@1',
    'HR@2',
    'HR@5',
    'medR',
    'nDCG@2',
    'nDCG',
  ]

  test('does not depend on the order of clips and captions', () => {
    fc.assert(
      fc.property(problem, ({ clips, captions, values, captionClip, rng }) => {
        const rows = rng.shuffle(Array.from({ length: clips }, (_, i) => i))
        const cols = rng.shuffle(Array.from({ length: captions }, (_, i) => i))
        const permuted = Float32Array.from(rows.flatMap((r) => cols.map((c) => values[r * captions + c]!)))
        const a = evaluateScores(matrix(clips, captions, values), captionClip, { measures: names })
        const b = evaluateScores(
          matrix(clips, captions, permuted),
          cols.map((c) => rows.indexOf(captionClip[c]!)),
          { measures: names },
        )
        expectSame(a, b)
      }),
    )
  })

  test('stays in bounds and grows with k; mAP@k ≤ mAP ≤ MRR for one relevant item each', () => {
    fc.assert(
      fc.property(problem, ({ clips, captions, values, captionClip }) => {
        const result = evaluateScores(matrix(clips, captions, values), captionClip, { measures: names })
        for (const direction of ['textToAudio', 'audioToText'] as const) {
          for (const part of [result[direction]!, result.chance[direction]!]) {
            const { medR, ...rates } = part
            expect(medR).toBeGreaterThanOrEqual(1)
            for (const rate of Object.values(rates)) expect(rate).toBeGreaterThanOrEqual(0)
            for (const rate of Object.values(rates)) expect(rate).toBeLessThanOrEqual(1 + 1e-12)
            for (const family of [
              ['R@1', 'R@2', 'R@3', 'R@5'],
              ['mAP@1', 'mAP@2', 'mAP@5', 'mAP'],
              ['HR@1', 'HR@2', 'HR@5'],
            ]) {
              for (let i = 1; i < family.length; i++) {
                expect(part[family[i]!]! + 1e-12).toBeGreaterThanOrEqual(part[family[i - 1]!]!)
              }
            }
          }
        }
        expect(result.textToAudio!['mAP']).toBeCloseTo(result.textToAudio!['MRR']!, 12)
      }),
    )
  })

  test('a perfect ranking and the worst one, with R@k ≤ k/R as defined', () => {
    const captionClip = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    const scores = Float32Array.from([0, 1].flatMap((clip) => captionClip.map((c) => (c === clip ? 1 : 0))))
    const best = evaluateScores(matrix(2, 10, scores), captionClip, {
      measures: ['R@1', 'R@5', 'mAP', 'mAP@10', 'mAP@2', 'MRR', 'medR'],
    })
    expect(best.textToAudio).toEqual({ 'R@1': 1, 'R@5': 1, mAP: 1, 'mAP@10': 1, 'mAP@2': 1, MRR: 1, medR: 1 })
    expect(best.audioToText).toEqual({
      'R@1': 0.2,
      'R@5': 1,
      mAP: 1,
      'mAP@10': 1,
      'mAP@2': 0.4,
      MRR: 1,
      medR: 1,
    })
    // No interval goes past what the best ranking reaches.
    const { textToAudio, audioToText } = best.intervals
    for (const name of ['R@1', 'mAP@2'] as const) expect(audioToText[name]![1]).toBe(best.audioToText[name])
    for (const interval of [audioToText['R@1']!, audioToText['mAP@2']!, textToAudio['R@1']!])
      expect(interval[1] - interval[0]).toBeGreaterThan(0.01)
    const worst = evaluateScores(
      matrix(
        2,
        10,
        scores.map((s) => -s),
      ),
      captionClip,
      { measures: ['R@1', 'R@5', 'medR'] },
    )
    expect(worst.textToAudio).toEqual({ 'R@1': 0, 'R@5': 1, medR: 2 })
    expect(worst.audioToText).toEqual({ 'R@1': 0, 'R@5': 0, medR: 6 })
  })

  test('a clip without captions is a distractor, and counted', () => {
    const result = evaluateScores(matrix(3, 2, Float32Array.of(0, 1, 5, 5, 1, 0)), [0, 2], {
      measures: ['medR'],
      split: 'test',
    })
    expect(result).toMatchObject({ split: 'test', withoutRelevant: { textToAudio: 0, audioToText: 1 } })
    expect(result.textToAudio!['medR']).toBe(3)
  })

  test('equal scores go to the lower index', () => {
    const flat = evaluateScores(matrix(4, 4, new Float32Array(16)), [0, 1, 2, 3], {
      measures: ['medR', 'MRR'],
    })
    expect(flat.textToAudio!['medR']).toBe(2.5)
    expect(flat.audioToText!['MRR']).toBeCloseTo((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4, 12)
  })

  test('refuses what does not fit', () => {
    const m = matrix(2, 2)
    expect(() => evaluateScores(m, [0])).toThrow(/one clip index for each of the 2 captions/)
    expect(() => evaluateScores(m, [0, 2])).toThrow(/captionClip\[1\], got 2/)
    expect(() => evaluateScores(m, [0, 0.5])).toThrow(/captionClip\[1\]/)
    expect(() => evaluateScores(matrix(0, 0), [])).toThrow(/at least one clip/)
    expect(() => evaluateScores(m, [0, 1], { measures: [] })).toThrow(/at least one measure/)
    expect(() => evaluateScores(matrix(2, 2, Float32Array.of(0, 0, NaN, 0)), [0, 1])).toThrow(/NaN/)
  })
})

describe('evaluateHits', () => {
  test('a missing query counts with nothing found; unlisted items are not found', () => {
    const hits = [[{ id: 'b' }, { id: 'a' }], undefined, [{ id: 'c' }]]
    const relevance = [new Set(['a']), new Set(['a']), new Set(['c', 'd'])]
    const { values, perQuery } = evaluateHits(hits, relevance, {
      items: 10,
      measures: ['R@2', 'MRR', 'mAP', 'HR@1', 'medR'],
    })
    expect(perQuery.values['R@2']).toEqual([1, 0, 0.5])
    expect(values).toEqual({ 'R@2': 0.5, MRR: 0.5, mAP: 1 / 3, 'HR@1': 1 / 3, medR: 2 })
  })

  test('the median rank is infinite when most queries find nothing', () => {
    const { values } = evaluateHits([[], [], [{ id: 'a' }]], Array(3).fill(new Set(['a'])), {
      items: 5,
      measures: ['medR'],
    })
    expect(values['medR']).toBe(Infinity)
  })

  test('queries without relevant items are left out and counted; none left is an error', () => {
    const hits = [[{ id: 'a' }], [{ id: 'a' }]]
    const { values, withoutRelevant } = evaluateHits(hits, [new Set(['a']), new Set()], {
      items: 3,
      measures: ['R@1'],
    })
    expect([values['R@1'], withoutRelevant]).toEqual([1, 1])
    expect(() => evaluateHits(hits, [new Set(), new Map([['a', 0]])], { items: 3 })).toThrow(
      /2 queries with none/,
    )
  })

  test('minGrade moves the line between relevant and not, and nDCG keeps the grades', () => {
    const relevance = [new Map([['a', 30], ['b', 80]])] // prettier-ignore
    const hits = [[{ id: 'a' }, { id: 'b' }]]
    const options = { items: 4, measures: ['MRR', 'nDCG'] }
    expect(evaluateHits(hits, relevance, options).values['MRR']).toBe(1)
    const strict = evaluateHits(hits, relevance, { ...options, minGrade: 50 })
    expect(strict.values['MRR']).toBe(0.5)
    expect(strict.values['nDCG']).toBeCloseTo((30 + 80 / Math.log2(3)) / (80 + 30 / Math.log2(3)), 12)
  })

  test('nDCG does not depend on minGrade, nor on which queries other measures leave out', () => {
    const relevance = [new Map([['a', 1]]), new Map([['a', 2], ['b', 1]]), new Map([['c', 0]])] // prettier-ignore
    const hits = [[{ id: 'b' }, { id: 'a' }], [{ id: 'a' }, { id: 'b' }], [{ id: 'c' }]]
    const [any, two] = [{}, { minGrade: 2 }].map((options) =>
      evaluateHits(hits, relevance, { items: 4, measures: ['nDCG', 'MRR'], ...options }),
    )
    const of = (summary: typeof any) => [summary!.values, summary!.chance, summary!.intervals].map(({ nDCG }) => nDCG) // prettier-ignore
    expect(any!.values['nDCG']).toBeCloseTo((1 / Math.log2(3) + 1) / 2, 12)
    expect(of(two)).toEqual(of(any))
    expect([any!.values['MRR'], two!.values['MRR']]).toEqual([0.75, 1])
    expect([any!.withoutRelevant, two!.withoutRelevant]).toEqual([1, 2])
    expect(two!.perQuery).toEqual({
      ids: ['0', '1'],
      clusters: ['0', '1'],
      values: { nDCG: any!.perQuery.values['nDCG'], MRR: [NaN, 1] },
    })
    expect(evaluateHits(hits, relevance, { items: 4, measures: ['nDCG'], minGrade: 5 }).values).toEqual({
      nDCG: any!.values['nDCG'],
    })
  })

  test('refuses doubled items, wrong lengths, and more relevant items than there are', () => {
    const twice = [[{ id: 'a' }, { id: 'a' }]]
    expect(() => evaluateHits(twice, [new Set(['a'])], { items: 3 })).toThrow(/"a" twice for query 0/)
    expect(() => evaluateHits([], [new Set(['a'])], { items: 3 })).toThrow(/1 lists/)
    expect(() => evaluateHits([[{ id: 'a' }, { id: 'b' }]], [new Set(['a'])], { items: 1 })).toThrow(
      /at most items = 1/,
    )
    expect(() => evaluateHits([[]], [new Set(['a', 'b'])], { items: 1 })).toThrow(/at least 2 items/)
  })
})

describe('chance is the exact expectation', () => {
  test('equals the mean over every possible ranking', () => {
    const names = ['R@1', 'R@3', 'HR@1', 'HR@3', 'mAP', 'mAP@3', 'MRR', 'MRR@2', 'nDCG', 'nDCG@3', 'medR']
    for (const [items, relevant] of [
      [1, 1],
      [4, 1],
      [6, 2],
      [7, 3],
      [5, 5],
    ] as const) {
      for (const depth of [items, Math.ceil(items / 2)]) {
        const all = subsets(items, relevant).map((ranks) => ({
          relevant,
          ranks: ranks.filter((rank) => rank <= depth),
        }))
        const { chance } = summarizeQueries([all[0]!], measures(...names), { items, depth })
        for (const m of measures(...names)) {
          if (m.name === 'medR') continue
          const mean = all.reduce((sum, query) => sum + m.score(query), 0) / all.length
          expect(chance[m.name], `${m.name} N=${items} R=${relevant} depth=${depth}`).toBeCloseTo(mean, 12)
        }
      }
    }
  })

  test('graded: equals the mean over every order', () => {
    const gains = [3, 1, 0.5, 0]
    const orders = permutations(gains)
    for (const m of measures('nDCG', 'nDCG@2')) {
      const queries = orders.map((order) => ({
        ranks: [],
        relevant: 3,
        idealGains: [3, 1, 0.5],
        graded: {
          ranks: [1, 2, 3, 4].filter((r) => order[r - 1]! > 0),
          gains: order.filter((gain) => gain > 0),
        },
      }))
      const mean = queries.reduce((sum, query) => sum + m.score(query), 0) / orders.length
      expect(m.chance([queries[0]!], { items: 4, depth: 4 })).toBeCloseTo(mean, 12)
    }
  })

  test('median rank: equals the mean over every combination of rankings', () => {
    const [medR] = measures('medR')
    for (const [items, relevants] of [
      [5, [1]],
      [5, [1, 1]],
      [5, [1, 2]],
      [4, [1, 1, 3]],
      [4, [1, 2, 2, 1]],
    ] as const) {
      const firsts = relevants.map((relevant) => subsets(items, relevant).map((ranks) => ranks[0]!))
      const combinations = firsts.reduce<number[][]>(
        (all, list) => all.flatMap((c) => list.map((rank) => [...c, rank])),
        [[]],
      )
      const mean =
        combinations.reduce((sum, ranks) => sum + medR!.statistic.of(Float64Array.from(ranks))(), 0) /
        combinations.length
      const chance = medR!.chance(relevants.map((relevant) => ({ relevant })), { items, depth: items }) // prettier-ignore
      expect(chance, `N=${items} R=${relevants.join()}`).toBeCloseTo(mean, 12)
    }
  })

  test('agrees with simulation at a realistic size', () => {
    const rng = new Rng(5, 'chance')
    const captionClip = Array.from({ length: 150 }, (_, j) => j % 30)
    const names = ['R@5', 'mAP@10', 'mAP', 'MRR', 'HR@10', 'medR', 'nDCG@10']
    const rounds = 400
    const sums = { textToAudio: {} as Record<string, number>, audioToText: {} as Record<string, number> }
    let chance: Evaluation['chance'] | undefined
    for (let round = 0; round < rounds; round++) {
      const scores = Float32Array.from({ length: 30 * 150 }, () => rng.uniform())
      const result = evaluateScores(matrix(30, 150, scores), captionClip, { measures: names })
      chance = result.chance
      for (const direction of ['textToAudio', 'audioToText'] as const) {
        for (const name of names)
          sums[direction][name] = (sums[direction][name] ?? 0) + result[direction]![name]! / rounds
      }
    }
    for (const direction of ['textToAudio', 'audioToText'] as const) {
      for (const name of names) {
        const ratio = sums[direction][name]! / chance![direction]![name]!
        expect(Math.abs(ratio - 1), `${direction} ${name}`).toBeLessThan(0.03)
      }
    }
  })
})

describe('intervals', () => {
  test('the median interval covers the true median about 95 times in 100', () => {
    const [medR] = measures('medR')
    const rng = new Rng(9, 'coverage')
    let covered = 0
    for (let round = 0; round < 1000; round++) {
      const ranks = Float64Array.from({ length: 60 }, () => rng.uniform())
      const [low, high] = medR!.statistic.byCluster(ranks, clustersOf(ranks))!
      if (low <= 0.5 && 0.5 <= high) covered++
    }
    expect(covered).toBeGreaterThan(930)
    expect(covered).toBeLessThan(990)
  })

  test('captions are drawn with their clip, clips with their group; every query keeps its value, id and cluster', () => {
    const captionClip = [0, 0, 1, 1, 2, 2, 3, 3]
    // Clips 0 and 1 are found by both captions, the others by none.
    const scores = matrix(4, 8, Float32Array.from([0, 1, 2, 3].flatMap((clip) => captionClip.map((own) => (own < 2 && own === clip ? 1 : clip === 0 ? 0.5 : 0))))) // prettier-ignore
    const clips = ['a', 'b', 'c', 'd']
    const measured = { measures: ['R@1'], clips }
    const byClip = evaluateScores(scores, captionClip, measured)
    expect(byClip.intervalsOver).toEqual({
      textToAudio: { method: 'cluster', unit: 'clip', count: 4 },
      audioToText: { method: 'cluster', unit: 'clip', count: 4 },
    })
    expect(byClip.perQuery.textToAudio).toEqual({
      ids: ['a#1', 'a#2', 'b#1', 'b#2', 'c#1', 'c#2', 'd#1', 'd#2'],
      clusters: ['a', 'a', 'b', 'b', 'c', 'c', 'd', 'd'],
      values: { 'R@1': [1, 1, 1, 1, 0, 0, 0, 0] },
    })
    expect(byClip.perQuery.audioToText).toMatchObject({ ids: clips, clusters: clips })
    // The same hits, one caption a clip: as sure as two captions that stand and fall together.
    const once = evaluateHits(['a', 'b', 'x', 'x'].map((id) => [{ id }]), clips.map((id) => new Set([id])), { items: 5, measures: ['R@1'] }) // prettier-ignore
    for (const side of [0, 1])
      expect(byClip.intervals.textToAudio['R@1']![side]).toBeCloseTo(once.intervals['R@1']![side]!, 12)
    const groups = ['street', 'street', 'sea', 'wood']
    const byGroup = evaluateScores(scores, captionClip, { ...measured, groups })
    expect(byGroup.intervalsOver.textToAudio).toEqual({ method: 'cluster', unit: 'group', count: 3 })
    expect(byGroup.perQuery.textToAudio.clusters.slice(0, 5)).toEqual([
      'street',
      'street',
      'street',
      'street',
      'sea',
    ])
    const width = ([low, high]: readonly [number, number]) => high - low
    const ofMethod = (interval: 'query-jackknife' | 'cluster-bootstrap') => evaluateScores(scores, captionClip, { ...measured, interval }) // prettier-ignore
    expect(width(ofMethod('query-jackknife').intervals.textToAudio['R@1']!)).toBeLessThan(
      width(byClip.intervals.textToAudio['R@1']!),
    )
    expect(ofMethod('query-jackknife').intervalsOver.textToAudio).toEqual({ method: 'query-jackknife', unit: 'query', count: 8 }) // prettier-ignore
    expect(ofMethod('cluster-bootstrap').intervals.textToAudio['R@1']).toEqual([0, 1])
    expect(ofMethod('cluster-bootstrap')).toEqual(ofMethod('cluster-bootstrap'))
    expect(JSON.parse(JSON.stringify(byClip))).toEqual(byClip)
    expect('perQuery' in withoutPerQuery(byClip)).toBe(false)

    expect(() => evaluateScores(scores, captionClip, { clips: ['a'] })).toThrow(
      /an id for each of the 4 clips/,
    )
    expect(() => evaluateScores(scores, captionClip, { groups: ['a'] })).toThrow(
      /a group for each of the 4 clips/,
    )
    expect(() => evaluateScores(scores, captionClip, { captions: clips })).toThrow(/8 ids, one a query/)
    expect(() => evaluateScores(scores, captionClip, { clips: ['a', 'b', 'a', 'd'] })).toThrow(
      /"a#1" twice|"a" twice/,
    )
    expect(() => evaluateScores(scores, captionClip, { interval: 'clip' as 'cluster' })).toThrow(
      /cluster, cluster-bootstrap or query-jackknife for interval, got "clip"/,
    )
  })

  test('one query has no interval', () => {
    const { intervals } = evaluateHits([[{ id: 'a' }]], [new Set(['a'])], {
      items: 2,
      measures: ['R@1', 'medR'],
    })
    expect(intervals).toEqual({ 'R@1': null, medR: null })
  })
})

function subsets(items: number, size: number, from = 1): number[][] {
  if (size === 0) return [[]]
  const out: number[][] = []
  for (let first = from; first <= items - size + 1; first++) {
    for (const rest of subsets(items, size - 1, first + 1)) out.push([first, ...rest])
  }
  return out
}

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]]
  return items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]))
}

function expectSame(a: Evaluation, b: Evaluation): void {
  for (const direction of ['textToAudio', 'audioToText'] as const) {
    for (const [name, value] of Object.entries(a[direction]!))
      expect(b[direction]![name]).toBeCloseTo(value, 10)
  }
}
