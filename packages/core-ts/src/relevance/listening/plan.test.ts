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

test('every list has its raters, nobody much more to do than another, nobody a list twice', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        clips: fc.integer({ min: 4, max: 20 }),
        raters: fc.integer({ min: 1, max: 7 }),
        candidates: fc.integer({ min: 0, max: 2 }),
        seed: fc.nat(),
      }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      async ({ clips, raters, candidates, seed }, share) => {
        const ratersEach = 1 + Math.floor(share * raters)
        const plan = await planListening(captioned(clips), { raters, ratersEach, candidates, seed })
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

test('candidates and controls follow what is known of relevance', async () => {
  const rows = ['c3', 'c5', 'c1', 'c2', 'c4'].map((clip, i) => `c0#1,${clip},${[0.9, 0.8, 0.3, 0.2, 0.1][i]}`)
  const relevance = aggregateRatings(parseRatings(`query,item,relevance\n${rows.join('\n')}\n`, 'x.csv'))
  const { lists } = await planListening(captioned(6), { raters: 1, candidates: 2, relevance, seed: 3 })
  expect(lists.find(({ query }) => query === 'c0#1')!.items).toEqual([
    { item: 'c0', group: 'TP' },
    { item: 'c4', group: 'TN' },
    { item: 'c3', group: 'C' },
    { item: 'c5', group: 'C' },
  ])
})

test('a control is of another kind than the caption’s own clip, and no clip is one often', async () => {
  const kinds = [
    ['a dog barks', 'a barking dog in a yard'],
    ['rain falls on a roof', 'raindrops on the roof'],
    ['a church bell rings', 'bells are ringing'],
    ['an engine starts', 'the engine of a car idles'],
  ]
  const captioned = captionedClips(
    Array.from({ length: 24 }, (_, c) => c).flatMap((c) =>
      kinds[c % 4]!.map((text, k) => ({ id: `c${c}#${k}`, clip: `c${c}`, text: `${text} number ${c}` })),
    ),
  )
  const { lists } = await planListening(captioned, { raters: 1, candidates: 1, seed: 4 })
  const kindOf = (clip: string) => Number(clip.slice(1)) % 4
  const controls = lists.map(({ items }) => items[1]!.item)
  for (const [i, { items, controlSimilarity }] of lists.entries()) {
    expect(kindOf(controls[i]!)).not.toBe(kindOf(items[0]!.item))
    expect(controlSimilarity).toBeLessThan(0.5)
  }
  const times = [...Map.groupBy(controls, (clip) => clip).values()].map(({ length }) => length)
  expect(Math.max(...times)).toBeLessThanOrEqual(4)
  const again = await planListening(captioned, { raters: 1, candidates: 1, seed: 4 })
  expect(again).toEqual(await planListening(captioned, { raters: 1, candidates: 1, seed: 4 }))
})

test('where most clips are of one kind, the few others are its controls', async () => {
  const captioned = captionedClips(
    Array.from({ length: 20 }, (_, c) => ({
      id: `c${c}#1`,
      clip: `c${c}`,
      text: c < 2 ? `rain falls number ${c}` : `a dog barks number ${c}`,
    })),
  )
  const { lists } = await planListening(captioned, { raters: 1, candidates: 1, seed: 4 })
  for (const { items } of lists)
    if (Number(items[0]!.item.slice(1)) >= 2) expect(['c0', 'c1']).toContain(items[1]!.item)
})

test('captions that say the same of all clips are known to', async () => {
  const same = Array.from({ length: 4 }, (_, c) => ({ id: `c${c}#1`, clip: `c${c}`, text: 'Rain falls.' }))
  const { lists } = await planListening(captionedClips(same), { raters: 1, candidates: 1, seed: 4 })
  expect(lists.map(({ controlSimilarity }) => controlSimilarity)).toEqual([1, 1, 1, 1])
})

test('clips that nobody has judged are controls before judged ones, whatever those are judged', async () => {
  const known = aggregateRatings(parseRatings('query,item,relevance\nc0#1,c1,0.2\nc0#1,c2,0.3\n', 'x.csv'))
  const { lists } = await planListening(captioned(5), {
    ...{ raters: 1, candidates: 2, relevance: known, seed: 3 },
  })
  const { items } = lists.find(({ query }) => query === 'c0#1')!
  expect(['c3', 'c4']).toContain(items[1]!.item)
  expect(items.slice(2).map(({ item }) => item)).toEqual(['c2', 'c1'])
})

test('too few clips and raters that cannot be are refused', async () => {
  const plan = (clips: number, options: Parameters<typeof planListening>[1]) =>
    planListening(captioned(clips), options)
  await expect(plan(4, { raters: 2, seed: 1 })).rejects.toThrow(/5 clips or more/)
  await expect(plan(9, { raters: 2, ratersEach: 3, seed: 1 })).rejects.toThrow(/2 raters/)
  await expect(plan(9, { raters: 0, seed: 1 })).rejects.toThrow(/raters/)
})
