import fc from 'fast-check'
import { expect, test } from 'vitest'
import { measure } from './registry.js'
import { evaluateHits } from './rankings.js'
import { tellsRankings } from './tells.js'

test('one grade throughout: only what nobody has judged can be told from it', () => {
  const flat = [[0.5, 0.5, 0.5]]
  for (const name of ['nDCG@10', 'nDCG', 'gAP', 'mAP']) {
    expect(tellsRankings(measure(name), flat, 9)).toBe('rankings')
    expect(tellsRankings(measure(name), flat, 9, { unjudged: 'left-out' })).toBe('one value')
    expect(tellsRankings(measure(name), flat, 3)).toBe('one value')
    expect(tellsRankings(measure(name), [[0, 0]], 9)).toBe('nothing')
  }
  expect(tellsRankings(measure('R@1'), flat, 9, { minGrade: 0.9 })).toBe('nothing')
  expect(tellsRankings(measure('Kendall'), flat, 9)).toBe('nothing')
  expect(tellsRankings(measure('Spearman'), [...flat, [0.5, 0.2]], 9)).toBe('rankings')
})

test('where it says that rankings are worth the same, they are', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(0, 0.5, 1), { minLength: 1, maxLength: 4 }),
      fc.constantFrom('nDCG@2', 'nDCG', 'gAP', 'mAP@3', 'R@1', 'Spearman'),
      fc.constantFrom('irrelevant' as const, 'left-out' as const),
      fc.integer({ min: 0, max: 3 }),
      fc.nat(),
      (grades, name, unjudged, others, seed) => {
        const items = grades.length + others
        if (tellsRankings(measure(name), [grades], items, { unjudged }) !== 'one value') return
        const ids = Array.from({ length: items }, (_, i) => ({ id: String(i) }))
        const value = (order: typeof ids) =>
          evaluateHits([order], [new Map(grades.map((grade, i) => [String(i), grade]))], {
            ...{ items, unjudged, measures: [name] },
          }).values[name]
        const turned = ids.map((_, i) => ids[(i + seed) % items]!)
        expect(value(turned)).toBeCloseTo(value(ids)!, 10)
      },
    ),
  )
})
