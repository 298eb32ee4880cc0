import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { defaultMeasures, measure, measures } from './registry.js'
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
