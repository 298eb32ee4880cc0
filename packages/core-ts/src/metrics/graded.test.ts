import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { matrix, Rng } from '../base/index.js'
import { goldenRelevance } from '../testing/golden-relevance.js'
import { kendall, pearson, spearman } from './correlation.js'
import { evaluateGraded } from './evaluate-graded.js'
import { compareEvaluations } from './compare.js'
import { evaluateHits } from './rankings.js'
import { evaluateRunTexts } from './runs.js'

/** A single query: items by falling score, with their grades where they are judged. */
function evaluate(
  scores: readonly number[],
  grades: readonly (number | null)[],
  measures: readonly string[],
  options: Partial<Parameters<typeof evaluateHits>[2]> = {},
) {
  const hits = scores.map((score, i) => ({ id: String(i), score })).sort((a, b) => b.score - a.score)
  const judged = new Map(grades.flatMap((grade, i) => (grade === null ? [] : [[String(i), grade] as const])))
  return evaluateHits([hits], [judged], { items: scores.length, measures, gradeScale: 100, ...options })
}

describe('against scipy and scikit-learn', () => {
  test('Pearson, Spearman and Kendall with ties', () => {
    for (const { x, y, ...expected } of goldenRelevance.correlation) {
      expect(pearson(x, y)).toBeCloseTo(expected.pearson, 12)
      expect(spearman(x, y)).toBeCloseTo(expected.spearman, 12)
      expect(kendall(x, y)).toBeCloseTo(expected.kendall, 12)
    }
  })

  test.each(['irrelevant', 'left-out'] as const)('graded measures, unjudged items %s', (unjudged) => {
    for (const golden of goldenRelevance.graded) {
      const names = Object.keys(golden[unjudged])
      const { values } = evaluate(golden.scores, golden.grades, names, { unjudged, minGrade: 50 })
      for (const name of names) expect(values[name], name).toBeCloseTo(golden[unjudged][name]!, 10)
    }
  })
})

describe('graded measures', () => {
  const problem = fc
    .record({ items: fc.integer({ min: 2, max: 7 }), seed: fc.nat() })
    .map(({ items, seed }) => {
      const rng = new Rng(seed, 'graded')
      const grades = Array.from({ length: items }, () => (rng.int(3) === 0 ? null : 25 * rng.int(5)))
      grades[0] = 100
      return { items, grades, rng }
    })

  test.each(['irrelevant', 'left-out'] as const)(
    'chance is the mean over all rankings, unjudged items %s',
    (unjudged) => {
      fc.assert(
        fc.property(problem, ({ items, grades }) => {
          const names = ['nDCG@3', 'nDCG-exp@2', 'gAP', 'gAP@2', 'mAP@3']
          const orders = permutations(Math.min(items, 5))
          const some = grades.slice(0, 5)
          const sums = new Map(names.map((name) => [name, 0]))
          let chance: Record<string, number> = {}
          for (const order of orders) {
            const found = evaluate(order, some, names, { unjudged })
            for (const name of names) sums.set(name, sums.get(name)! + found.values[name]! / orders.length)
            chance = found.chance
          }
          for (const name of names) expect(chance[name], name).toBeCloseTo(sums.get(name)!, 10)
        }),
        { numRuns: 12 },
      )
    },
  )

  test('stay within 0 and 1, are 1 for the ideal ranking, and gAP does not know the scale', () => {
    fc.assert(
      fc.property(problem, ({ items, grades, rng }) => {
        const names = ['nDCG', 'nDCG-exp@3', 'gAP']
        const scores = rng.shuffle(Array.from({ length: items }, (_, i) => i))
        const { values } = evaluate(scores, grades, names)
        for (const name of names) {
          expect(values[name]).toBeGreaterThanOrEqual(0)
          expect(values[name]).toBeLessThanOrEqual(1 + 1e-12)
        }
        const ideal = evaluate(
          grades.map((grade) => grade ?? -1),
          grades,
          names,
        )
        for (const name of names) expect(ideal.values[name], name).toBeCloseTo(1, 12)
        const rescaled = evaluate(scores, grades, ['gAP'], { gradeScale: 7 })
        expect(rescaled.values['gAP']).toBeCloseTo(values['gAP']!, 12)
      }),
    )
  })

  test('unjudged is not irrelevant: the share that is judged stands beside, and left out they cost nothing', () => {
    // The first two are not judged.
    const [scores, grades] = [
      [5, 4, 3, 2, 1],
      [null, null, 100, 50, 0],
    ]
    const kept = evaluate(scores, grades, ['nDCG@2', 'nDCG', 'Spearman'])
    expect(kept.judgedShare).toEqual({ 'nDCG@2': 0, nDCG: 3 / 5, Spearman: 3 / 5 })
    expect(kept.values['nDCG@2']).toBe(0)
    const condensed = evaluate(scores, grades, ['nDCG@2', 'nDCG', 'Spearman'], { unjudged: 'left-out' })
    expect(condensed.judgedShare).toEqual({ 'nDCG@2': 1, nDCG: 1, Spearman: 1 })
    expect(condensed.values).toMatchObject({ 'nDCG@2': 1, Spearman: 1 })
    expect(kept.values['Spearman']).toBe(1)
  })

  test('a query of one grade throughout has no rank correlation and is left out of it', () => {
    const flat = new Map([
      ['a', 50],
      ['b', 50],
    ])
    const told = new Map([
      ['a', 50],
      ['b', 10],
    ])
    const hits = [{ id: 'a' }, { id: 'b' }]
    const found = evaluateHits([hits, hits], [flat, told], { items: 2, measures: ['Kendall', 'nDCG'] })
    expect(found.perQuery.values['Kendall']).toEqual([Number.NaN, 1])
    expect(found.withoutRelevant).toBe(1)
    expect(() => evaluateHits([hits], [flat], { items: 2, measures: ['Kendall', 'Spearman'] })).toThrow(
      /count for Kendall, Spearman, got 1 queries with none: the judged items of each are all of one grade/,
    )
    // Beside a measure that tells something it is NaN, and keeps no query from the other.
    const both = evaluateHits([hits, hits], [flat, flat], { items: 2, measures: ['Kendall', 'nDCG'] })
    expect(both.values).toEqual({ Kendall: Number.NaN, nDCG: 1 })
    expect(both.chance['Kendall']).toBeNaN()
    expect(both.intervals['Kendall']).toBeNull()
    expect(both.withoutRelevant).toBe(0)
    const nothing = new Map([['a', 0]])
    expect(() => evaluateHits([hits], [nothing], { items: 2, measures: ['nDCG'] })).toThrow(
      /Expected queries with relevant items/,
    )
  })

  test('a ranking that holds no judged item orders none: correlation 0', () => {
    const judged = new Map([
      ['a', 50],
      ['b', 10],
    ])
    const found = evaluateHits([[{ id: 'c' }]], [judged], { items: 3, measures: ['Spearman', 'Kendall'] })
    expect(found.values).toEqual({ Spearman: 0, Kendall: 0 })
  })

  test('exponential gains of ratings to 100 are refused with the remedy', () => {
    expect(() => evaluate([1, 2], [100, 0], ['nDCG-exp'], { gradeScale: 1 })).toThrow(/--grade-scale 100/)
    for (const gradeScale of [0, -1, Number.NaN])
      expect(() => evaluate([1, 2], [100, 0], ['nDCG'], { gradeScale })).toThrow(/above 0/)
    expect(() => evaluate([1], [1], ['nDCG'], { unjudged: 'ignored' as never })).toThrow(/left-out/)
  })

  test('median rank by chance where condensed rankings differ in length', () => {
    const hits = ['a', 'b', 'c'].map((id) => ({ id }))
    const one = new Map([['a', 1]])
    const three = new Map([
      ['a', 1],
      ['b', 0],
      ['c', 0],
    ])
    const options = { items: 3, measures: ['medR'], unjudged: 'left-out' } as const
    // Ranks 1 and, evenly, 1, 2 or 3: the mean of both is 1, 1.5 or 2.
    expect(evaluateHits([hits, hits], [one, three], options).chance['medR']).toBeCloseTo(1.5, 12)
  })
})

describe('runs', () => {
  test('mAP@16 with several matches: hits after rank 16 do not count, the divisor is all matches (DCASE 2025)', () => {
    const listed = Array.from({ length: 20 }, (_, i) => `c${i}`)
    const run = `query,audio_filenames\nrain,"${JSON.stringify(listed).replaceAll('"', "'")}"\n`
    const truth = `query,audio_filenames\nrain,"['c1', 'c4', 'c15', 'c16', 'none']"\n`
    const { textToAudio } = evaluateRunTexts({ run, truth }, { measures: ['mAP@16'] })
    expect(textToAudio!['mAP@16']).toBeCloseTo((1 / 2 + 2 / 5 + 3 / 16) / 5, 12)
  })

  test('two systems are compared by the measures that tell something', () => {
    const run = 'q Q0 a 1 5 t\nq Q0 b 2 4 t\n'
    const truth = 'query,item,relevance\nq,a,0.5\nq,b,0.5\n'
    const found = evaluateRunTexts({ run, truth }, { measures: ['nDCG', 'Spearman'] })
    expect(found.textToAudio).toEqual({ nDCG: 1, Spearman: Number.NaN })
    expect(compareEvaluations(found, found).map(({ measure }) => measure)).toEqual(['nDCG'])
  })

  test.each([
    ['query,item,relevance\nq,a,1.5\n', {}, /relevance from 0 to 1 in line 2, got 1\.5.*--grade-scale/],
    ['query,item,relevance\nq,b,1\nq,a,-0.1\n', {}, /from 0 to 1 in line 3, got -0\.1/],
    ['tid,fid,rating\nq,a,101\n', {}, /rating from 0 to 100 in line 2, got 101/],
    ['tid,fid,rating\nq,a,7\n', { gradeScale: 5 }, /rating from 0 to 5 in line 2, got 7/],
    ['q 0 a 4\n', { gradeScale: 3 }, /grade of at most 3 in line 1, got 4/],
  ])('grades off the scale are refused: %j', (truth, options, message) => {
    const texts = { run: 'q Q0 a 1 5 t\n', truth, truthFile: 'truth' }
    expect(() => evaluateRunTexts(texts, { measures: ['nDCG'], ...options })).toThrow(
      expect.objectContaining({ code: 'INVALID_FILE', message: expect.stringMatching(message) }),
    )
  })

  test('grades of another scale are taken where it is stated, and qrels may be below 0', () => {
    const run = 'q Q0 a 1 5 t\n'
    const of = (truth: string, options: object) =>
      evaluateRunTexts({ run, truth }, { measures: ['nDCG'], ...options }).textToAudio
    expect(of('query,item,relevance\nq,a,3\n', { gradeScale: 3 })).toEqual({ nDCG: 1 })
    expect(of('q 0 a 3\nq 0 b -2\n', {})).toEqual({ nDCG: 1 })
  })

  test('a table query,item,relevance is a truth, with the judged share in the result', () => {
    const truth = 'query,item,relevance,raters\nq,a,0.9,1\nq,b,0.1,1\n'
    const run = 'q Q0 x 1 9 t\nq Q0 a 2 8 t\nq Q0 b 3 7 t\n'
    const kept = evaluateRunTexts({ run, truth }, { measures: ['nDCG', 'Kendall'] })
    expect(kept.judgedShare!.textToAudio!['nDCG']).toBeCloseTo(2 / 3, 12)
    expect(kept.textToAudio!['Kendall']).toBe(1)
    const condensed = evaluateRunTexts({ run, truth }, { measures: ['nDCG'], unjudged: 'left-out' })
    expect(condensed.textToAudio!['nDCG']).toBe(1)
    const captions = 'file_name,caption_1\na,q\n'
    expect(() => evaluateRunTexts({ run, truth: captions }, { unjudged: 'left-out' })).toThrow(/grades/)
  })
})

describe('evaluateGraded', () => {
  // Three clips, a caption each; caption 0 has judged clips 0 and 2.
  const scores = matrix(3, 3, Float32Array.of(0.5, 0, 0, 0.9, 0, 0, 0.7, 0, 0))
  const options = { clips: ['a', 'b', 'c'], captions: ['x', 'y', 'z'], measures: ['nDCG', 'mAP'] }
  const truthOf = (grades: Readonly<Record<string, Readonly<Record<string, number>>>>) => ({
    queries: Object.keys(grades),
    judged: (query: string) => new Map(Object.entries(grades[query] ?? {})),
  })

  test('ranks judged items among all, or among themselves, in both directions', () => {
    const truth = truthOf({ x: { a: 1, c: 0, elsewhere: 1 } })
    const kept = evaluateGraded(scores, [0, 1, 2], truth, options)
    expect(kept.textToAudio).toEqual({ nDCG: 1 / 2, mAP: 1 / 3 })
    expect(kept).toMatchObject({ queries: 1, items: 3, judgedShare: { textToAudio: { nDCG: 2 / 3 } } })
    // Caption x is first for clip a, and the only judged one for it; nothing can be gained on clip c.
    expect(kept.audioToText).toEqual({ nDCG: 1, mAP: 1 })
    expect(kept.withoutRelevant.audioToText).toBe(1)
    const condensed = evaluateGraded(scores, [0, 1, 2], truth, { ...options, unjudged: 'left-out' })
    expect(condensed.textToAudio['mAP']).toBe(1 / 2)
  })

  test('relevance of other captions is refused with names from both', () => {
    expect(() => evaluateGraded(scores, [0, 1, 2], truthOf({ q: { a: 1 } }), options)).toThrow(/"q".*"x"/)
    expect(() => evaluateGraded(scores, [0, 1], truthOf({ x: { a: 1 } }), options)).toThrow(/captionClip/)
  })
})

function permutations(n: number): number[][] {
  if (n === 0) return [[]]
  return permutations(n - 1).flatMap((rest) =>
    Array.from({ length: n }, (_, at) => rest.toSpliced(at, 0, n - 1)),
  )
}
