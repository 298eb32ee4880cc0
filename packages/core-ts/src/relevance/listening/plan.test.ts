import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseRatings } from '../read-ratings.js'
import { aggregateRatings } from '../relevances.js'
import { captionedClips } from '../similarity/index.js'
import { planListening } from './plan.js'

const captioned = (clips: number) =>
  captionedClips(
    Array.from({ length: clips }, (_, c) => ({ id: `c${c}#1`, clip: `c${c}`, text: `caption ${c}` })),
  )

test('every list has its raters, nobody much more to do than another, nobody a list twice', () => {
  fc.assert(
    fc.property(
      fc.record({
        clips: fc.integer({ min: 4, max: 20 }),
        raters: fc.integer({ min: 1, max: 7 }),
        candidates: fc.integer({ min: 0, max: 2 }),
        seed: fc.nat(),
      }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      ({ clips, raters, candidates, seed }, share) => {
        const ratersEach = 1 + Math.floor(share * raters)
        const plan = planListening(captioned(clips), { raters, ratersEach, candidates, seed })
        expect(plan.lists).toHaveLength(clips)
        for (const { query, items } of plan.lists) {
          expect(items[0]).toEqual({ item: query.replace('#1', ''), group: 'TP' })
          expect(items.map(({ group }) => group)).toEqual([
            'TP',
            'TN',
            ...Array<string>(candidates).fill('C'),
          ])
          expect(new Set(items.map(({ item }) => item)).size).toBe(candidates + 2)
        }
        const counts = plan.raters.map(({ tasks }) => tasks.length)
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
        const times = new Map<number, number>()
        for (const { tasks } of plan.raters) {
          expect(new Set(tasks.map(({ list }) => list)).size).toBe(tasks.length)
          for (const { list, order } of tasks) {
            times.set(list, (times.get(list) ?? 0) + 1)
            expect(order.toSorted((a, b) => a - b)).toEqual([...plan.lists[list]!.items.keys()])
          }
        }
        expect([...times.values()].every((count) => count === ratersEach)).toBe(true)
      },
    ),
  )
})

test('candidates and controls follow what is known of relevance', () => {
  const rows = ['c3', 'c5', 'c1', 'c2', 'c4'].map((clip, i) => `c0#1,${clip},${[0.9, 0.8, 0.3, 0.2, 0.1][i]}`)
  const relevance = aggregateRatings(parseRatings(`query,item,relevance\n${rows.join('\n')}\n`, 'x.csv'))
  const { lists } = planListening(captioned(6), { raters: 1, candidates: 2, relevance, seed: 3 })
  expect(lists.find(({ query }) => query === 'c0#1')!.items).toEqual([
    { item: 'c0', group: 'TP' },
    { item: 'c4', group: 'TN' },
    { item: 'c3', group: 'C' },
    { item: 'c5', group: 'C' },
  ])
})

test('too few clips and raters that cannot be are refused', () => {
  expect(() => planListening(captioned(4), { raters: 2, seed: 1 })).toThrow(/5 clips or more/)
  expect(() => planListening(captioned(9), { raters: 2, ratersEach: 3, seed: 1 })).toThrow(/2 raters/)
  expect(() => planListening(captioned(9), { raters: 0, seed: 1 })).toThrow(/raters/)
})
