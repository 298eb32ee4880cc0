import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { matrix } from '../../base/index.js'
import { captionedClips } from '../similarity/index.js'
import { Relevances } from '../relevances.js'
import { analyseComplexity, linearFit, NgramModel, posteriorEntropies, textMeasures } from './index.js'

const captions = captionedClips(
  [
    ['a#1', 'a', 'A dog barks'],
    ['a#2', 'a', 'A dog is barking loudly'],
    ['b#1', 'b', 'Rain falls and then a dog barks'],
    ['c#1', 'c', 'Water is running while birds are singing'],
    ['d#1', 'd', 'A dog barks'],
    ['e#1', 'e', 'Birds'],
  ].map(([id, clip, text]) => ({ id: id!, clip: clip!, text: text! })),
)

describe('measures of captions', () => {
  const of = textMeasures(captions)

  test('count words, content words and phrases', () => {
    expect(of(captions.byId.get('b#1')!)).toMatchObject({
      words: 7,
      'content words': 4,
      phrases: 2,
      'frequent words': 7,
      'mean word length': 25 / 7,
    })
    expect(of({ id: 'x', clip: 'x', text: '!' })).toMatchObject({ words: 0, 'log₂ trigram perplexity': NaN })
  })

  test('what others say too surprises less', () => {
    const known = of(captions.byId.get('d#1')!)['log₂ trigram perplexity']
    const strange = of(captions.byId.get('c#1')!)['log₂ trigram perplexity']
    expect(strange).toBeGreaterThan(known + 1)
  })
})

describe('the trigram model', () => {
  const texts = (all: readonly (readonly [string, string])[]) =>
    all.map(([group, text]) => ({ group, words: text.split(' ') }))

  test('without a group is the model of the other texts', () => {
    const word = fc.constantFrom('a', 'b', 'c', 'd')
    const text = fc.array(word, { minLength: 1, maxLength: 5 }).map((words) => words.join(' '))
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('g', 'h'), text), { minLength: 1, maxLength: 8 }),
        text,
        (all, judged) => {
          const others = all.filter(([group]) => group !== 'g')
          if (others.length === 0) return
          const words = judged.split(' ')
          const without = new NgramModel(texts(others)).perplexity(words, 'nobody')!
          expect(new NgramModel(texts(all)).perplexity(words, 'g')).toBeCloseTo(without, 9)
        },
      ),
    )
  })

  test('by hand: one text, whose own words are judged', () => {
    // c() = 2, T() = 2: P(x) = (1 + 3·1/3) / (2 + 3) = .4; c(<s>) = 1, T = 1: (1 + .4) / 2 = .7; once more .85. The same for the end.
    const model = new NgramModel(texts([['h', 'x']]))
    expect(model.perplexity(['x'], 'g')).toBeCloseTo(1 / 0.85, 9)
    expect(() => new NgramModel([])).toThrow(/texts with words/)
  })
})

describe('entropies of activities', () => {
  test('are 1 where all is alike and 0 where one stands alone', () => {
    expect(posteriorEntropies(matrix(4, 3, new Float32Array(12).fill(0.2)))).toEqual({
      classes: expect.closeTo(1, 12) as number,
      time: expect.closeTo(1, 12) as number,
    })
    const one = matrix(4, 3)
    one.data[4] = 0.7
    expect(posteriorEntropies(one)).toEqual({ classes: 0, time: 0 })
    // Shares 3/4 and 1/4 of two classes; frames alike.
    const { classes, time } = posteriorEntropies(matrix(2, 2, Float32Array.of(0.75, 0.25, 0.75, 0.25)))
    expect(classes).toBeCloseTo(-(0.75 * Math.log2(0.75) + 0.25 * Math.log2(0.25)), 6)
    expect(time).toBeCloseTo(1, 12)
  })

  test('of nothing there are none; logits are refused', () => {
    expect(posteriorEntropies(matrix(3, 2))).toEqual({ classes: NaN, time: NaN })
    expect(() => posteriorEntropies(matrix(1, 2, Float32Array.of(-1, 2)), 'clip x')).toThrow(/clip x/)
    expect(() => posteriorEntropies(matrix(1, 2, Float32Array.of(NaN, 2)))).toThrow(
      expect.objectContaining({ code: 'INVALID_DATA' }),
    )
  })
})

describe('linear regression with one left out', () => {
  /** Slope and intercept by the textbook. */
  const line = (x: readonly number[], y: readonly number[]) => {
    const [mx, my] = [x, y].map((all) => all.reduce((a, b) => a + b) / all.length) as [number, number]
    const slope =
      x.reduce((sum, one, i) => sum + (one - mx) * (y[i]! - my), 0) /
      x.reduce((sum, one) => sum + (one - mx) ** 2, 0)
    return (at: number) => my + slope * (at - mx)
  }

  test('is what fitting anew for every row gives', () => {
    const x = [1, 2, 3, 4.5, 6, 8, 9]
    const y = [2, 1, 3.5, 3, 6, 5, 9]
    const fit = linearFit(
      x.map((value) => [value]),
      y,
    )!
    const mean = (all: readonly number[]) => all.reduce((a, b) => a + b) / all.length
    const without = (all: readonly number[], i: number) => all.filter((_, k) => k !== i)
    const squares = (predicted: (i: number) => number) =>
      y.reduce((sum, value, i) => sum + (value - predicted(i)) ** 2, 0)
    const left = squares((i) => line(without(x, i), without(y, i))(x[i]!))
    const byMean = squares((i) => mean(without(y, i)))
    expect(fit.leaveOneOut).toBeCloseTo(1 - left / byMean, 6)
    expect(fit.r2).toBeCloseTo(1 - squares((i) => line(x, y)(x[i]!)) / squares(() => mean(y)), 6)
  })

  test('measures that say the same, constant ones and too few rows', () => {
    const rows = Array.from({ length: 8 }, (_, i) => [i, i, 3])
    const fit = linearFit(
      rows,
      rows.map(([x]) => 2 * x!),
    )!
    expect(fit.r2).toBeCloseTo(1, 6)
    expect(fit.coefficients[0]! + fit.coefficients[1]!).toBeCloseTo(1, 6)
    expect(fit.coefficients[2]).toBe(0)
    expect(linearFit(rows.slice(0, 4), [1, 2, 3, 4])).toBeNull()
    expect(linearFit(rows, new Array(8).fill(1))).toBeNull()
  })
})

describe('an analysis', () => {
  const rated = (query: string, item: string, relevance: number, deviation: number | null = 0.1) => ({
    ...{ query, item, relevance, raters: 2, deviation, played: null, group: null },
  })
  const relevances = new Relevances([
    rated('a#1', 'a', 0.9),
    rated('b#1', 'b', 0.5),
    rated('c#1', 'c', 0.2),
    rated('d#1', 'd', 0.8, null),
    rated('d#1', 'a', 0.7),
  ])

  test('takes captions with their own clips, and says of what it has', () => {
    const found = analyseComplexity({ relevances, captions, replicates: 99 })
    expect(found).toMatchObject({ pairs: 4, queries: 4, targets: ['rating', 'spread of raters'] })
    const words = found.correlations.find(
      ({ measure, target }) => measure === 'words' && target === 'rating',
    )!
    expect(words.pearson).toBeLessThan(-0.9)
    expect(words.pairs).toBe(4)
    // The spread is the same throughout.
    expect(found.correlations.filter(({ target }) => target === 'spread of raters')[0]!.pearson).toBeNull()
    expect(found.fits.rating).toBeNull()
    expect(analyseComplexity({ relevances, captions, pairs: 'all', replicates: 99 }).pairs).toBe(5)
  })

  test('of a model beside listeners has their difference; measures of clips count where they are known', () => {
    const found = analyseComplexity({
      ...{ relevances, captions, pairs: 'all', replicates: 99 },
      machine: (query) => (query === 'c#1' ? undefined : 0.6),
      clipMeasures: { seconds: (clip) => ({ a: 10, b: 20 })[clip] },
    })
    expect(found.targets).toEqual(['rating', 'spread of raters', 'machine rating', 'difference'])
    expect(found.rows[0]!.targets.difference).toBeCloseTo(0.3, 12)
    expect(found.rows[0]!.text).toBe('A dog barks')
    expect(found.rows[2]!.targets).toMatchObject({ 'machine rating': null, difference: null })
    const seconds = found.correlations.find(
      ({ measure, target }) => measure === 'seconds' && target === 'rating',
    )!
    expect(seconds.pairs).toBe(3)
  })

  test('names a query that is no caption, and ratings without own clips', () => {
    const analyse = (of: Relevances) => () => analyseComplexity({ relevances: of, captions })
    expect(analyse(new Relevances([rated('z#1', 'a', 1)]))).toThrow(/z#1/)
    expect(analyse(new Relevances([rated('a#1', 'b', 1)]))).toThrow(
      expect.objectContaining({
        code: 'INVALID_DATA',
        remedy: expect.stringContaining('--pairs all') as string,
      }),
    )
  })
})
