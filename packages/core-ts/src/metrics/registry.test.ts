import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { meanMeasure, measurePart } from './measure.js'
import { evaluateScores } from './evaluate.js'
import { defaultMeasures, measure, measureFamily, measureOf, measures } from './registry.js'
import { matrix } from '../base/matrix.js'
import { watchedNumber } from '../train/watched.js'
import { defaultRunMeasures } from './runs.js'

test.each(['R@1', 'R@10', 'mAP', 'mAP@10', 'MRR', 'MRR@10', 'medR', 'HR@5', 'nDCG', 'nDCG@10'])(
  '%s parses back',
  (name) => {
    const m = measure(name)
    expect(m.name).toBe(name)
    expect(measure(m.name).name).toBe(name)
  },
)

test('every default is a measure', () => {
  expect(measures(...defaultMeasures, ...defaultRunMeasures)).toHaveLength(17)
})

test.each([
  ['recall@5', 'R@5'],
  ['r@5', 'R@5'],
  ['R', 'R@10'],
  ['R@0', 'R@10'],
  ['R@05', 'R@5'],
  ['R@-1', 'R@1'],
  ['map@10', 'mAP@10'],
  ['mAP@', 'mAP'],
  ['ndcg@3', 'nDCG@3'],
  ['MedR@3', 'medR'],
  ['median rank', 'medR'],
  ['mrr', 'MRR'],
  ['hits@10', 'HR@10'],
  ['R@1 ', 'R@1'],
  ['', 'R@10'],
  ['R@99999999999', 'R@10'],
])('"%s" is refused, and "%s" suggested', (name, suggestion) => {
  expect(() => measure(name)).toThrow(
    expect.objectContaining({
      code: 'INVALID_ARGUMENT',
      remedy: expect.stringMatching(`^Did you mean "${suggestion}"\\?`) as string,
    }),
  )
})

test('the guide tells of measures that there are', () => {
  const guide = readFileSync(new URL('../../../../docs/guide/retrieval.md', import.meta.url), 'utf8')
  const names = guide.split('\n').flatMap((line) => /^\| (`.*?`) +\|/.exec(line)?.[1]?.split(', ') ?? [])
  expect(names).toHaveLength(9)
  for (const name of names) expect(measure(name.slice(1, -1).replace('@k', '@7')).name).toMatch(/^\w+(@7)?$/)
})

test('a value outside the range of its measure is refused, and the range named', () => {
  const scores = matrix(2, 2, Float32Array.of(1, 0, 0, 1))
  const percent = meanMeasure('percent', () => 100, () => 50) // prettier-ignore
  expect(() => evaluateScores(scores, [0, 1], { measures: [percent] })).toThrow(
    expect.objectContaining({
      code: 'INVALID_DATA',
      message: expect.stringMatching(/The measure percent gave 100 for the query "0#1"/) as string,
      remedy: expect.stringMatching(/range is 0 to 1/) as string,
    }),
  )
  const { textToAudio } = evaluateScores(scores, [0, 1], { measures: [{ ...percent, range: [0, 100] }] })
  expect(textToAudio['percent']).toBe(100)
})

test('a measure says which way is better, and a monitor goes by it', () => {
  const part = (name: string, made: string, value: () => number) =>
    measurePart({
      ...{ name, description: 'Planted.', schema: { properties: {} } },
      fromConfig: () => ({ ...meanMeasure(made, value, () => 0.5), better: 'lower' as const }),
    })
  measureFamily.register(part('miss', 'miss', () => 0.25))
  measureFamily.register(part('renamed', 'other', () => 0))
  measureFamily.register(part('none', 'none', () => Number.NaN))
  const mode = (name: string) => watchedNumber(name, new Set(['loss', 'margin'])).mode
  expect(['loss', 'margin', 'miss', 'textToAudio.miss', 'medR', 'audioToText.medR'].map(mode)).toEqual(
    Array(6).fill('min'),
  )
  expect(['R@1', 'textToAudio.mAP@10', 'clipSpread'].map(mode)).toEqual(Array(3).fill('max'))
  expect(measureOf('clipSpread')).toBeUndefined()
  expect(() => measure('renamed')).toThrow(
    /"renamed", as its part is called for the name of the measure, got "other"/,
  )
  const scores = matrix(2, 2, Float32Array.of(1, 0, 0, 1))
  expect(evaluateScores(scores, [0, 1], { measures: ['miss'] }).textToAudio!.miss).toBe(0.25)
  expect(() => evaluateScores(scores, [0, 1], { measures: ['none'] })).toThrow(
    /The measure none gave NaN for the query "0#1"/,
  )
})
