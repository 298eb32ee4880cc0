import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matrix } from '../base/matrix.js'
import { calibrationOf, findMoments, momentsOf, type ScoreMap } from './index.js'

const mapOf = (columns: number[][], frameStep = 0.5): ScoreMap => {
  const scores = matrix(columns[0]!.length, columns.length)
  for (const [p, column] of columns.entries())
    for (const [t, value] of column.entries()) scores.data[t * columns.length + p] = value
  return { scores, frameStep, start: 0 }
}
/** 0 but between the frames given. */
const pulses = (rows: number, ...spans: [from: number, until: number, height?: number][]): number[] =>
  Array.from(
    { length: rows },
    (_, t) =>
      spans.find(([from, until]) => t >= from && t < until)?.[2] ??
      (spans.some(([from, until]) => t >= from && t < until) ? 1 : 0),
  )
const plain = { median: 0 }

describe('moments', () => {
  it('are where the query is heard, best first', () => {
    const map = mapOf([pulses(200, [20, 30, 0.6], [100, 120, 0.9])])
    const [first, second] = momentsOf(map, plain)
    expect([first!.start, first!.end]).toEqual([50, 60])
    expect([second!.start, second!.end]).toEqual([10, 15])
    expect(first!.score).toBeGreaterThan(second!.score)
  })

  it('hold all phrases of the query where there is such a part', () => {
    const map = mapOf([pulses(300, [10, 14], [200, 206]), pulses(300, [100, 108], [206, 212])])
    const [best] = momentsOf(map, plain)
    expect([best!.start, best!.end]).toEqual([100, 106])
  })

  it('of a recording in which nothing stands out are none', () => {
    expect(momentsOf(mapOf([[0.4, 0.4, 0.4]]))).toEqual([])
    expect(momentsOf({ scores: matrix(0, 1), frameStep: 1, start: 0 })).toEqual([])
    const calibration = [{ phrase: 'p', threshold: 0.9, floor: 0.8, quantiles: [0, 1] }]
    expect(momentsOf(mapOf([pulses(50, [10, 20, 0.5])]), { calibration })).toEqual([])
  })

  it('are none where no phrase of the query reaches its threshold, unless all is to be ranked', () => {
    const noise = Array.from({ length: 400 }, (_, t) => (t % 7) / 100)
    const [known] = calibrationOf([mapOf([[...noise, ...pulses(20, [0, 20])]])], ['a dog barks'])
    const calibration = [known!, known!]
    // The first is heard no more than in the noise, the second stands out above it.
    const silent = mapOf([noise, noise.map((value) => value + 0.05)])
    expect(momentsOf(silent, { calibration })).toEqual([])
    expect(momentsOf(silent, { calibration, threshold: 0 })).not.toEqual([])
    const barks = mapOf([noise, pulses(400, [100, 110])])
    // Parts that answer nothing do not fill the list.
    const found = momentsOf(barks, { ...plain, calibration })
    expect(found.length).toBeGreaterThan(0)
    for (const { start, end } of found) expect(start < 55 && end > 50).toBe(true)
  })

  it('begin and end at times without the noise of sums', () => {
    const [found] = momentsOf(mapOf([pulses(40, [3, 17])], 0.1), { ...plain, minLength: 0 })
    expect([found!.start, found!.end]).toEqual([0.3, 1.7])
  })

  it('lie in the recording, share little, and come in the order of their scores', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 40, maxLength: 40 }), {
          minLength: 1,
          maxLength: 3,
        }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (columns, maxOverlap) => {
          const found = momentsOf(mapOf(columns), { maxOverlap, minLength: 1, maxLength: 8, count: 5 })
          expect(found.length).toBeLessThanOrEqual(5)
          for (const [i, a] of found.entries()) {
            expect(a.start).toBeGreaterThanOrEqual(0)
            expect(a.end).toBeLessThanOrEqual(20)
            expect(a.end - a.start).toBeGreaterThanOrEqual(1 - 1e-9)
            expect(a.score > 0 && a.score <= 1 + 1e-9).toBe(true)
            for (const b of found.slice(i + 1)) {
              expect(b.score).toBeLessThanOrEqual(a.score)
              const both = Math.min(a.end, b.end) - Math.max(a.start, b.start)
              expect(both / (Math.max(a.end, b.end) - Math.min(a.start, b.start))).toBeLessThanOrEqual(
                maxOverlap + 1e-9,
              )
            }
          }
        },
      ),
    )
  })

  it('last no longer than they may, however long something is heard', () => {
    const found = momentsOf(mapOf([pulses(600, [100, 500])]), { ...plain, maxLength: 60, count: 3 })
    expect(found.map(({ end, start }) => end - start)).toEqual([60, 60, 60])
    expect(found.every(({ start, end }) => start >= 50 && end <= 250)).toBe(true)
  })

  it('are found with a scorer', async () => {
    const { scores, frameStep } = mapOf([pulses(100, [40, 60])])
    const scorer = {
      prepare: async (phrases: readonly string[]) => ({
        phrases,
        columns: Int32Array.of(0),
        async *score() {
          yield { scores, frameStep, start: 0, end: 50 }
        },
        [Symbol.dispose]() {},
      }),
    }
    expect((await findMoments(scorer, 'recording', 'a dog barks', plain))[0]).toMatchObject({
      start: 20,
      end: 30,
    })
    await expect(findMoments(scorer, 'recording', '')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    const unread = { prepare: () => Promise.reject(new Error('scored')) }
    await expect(findMoments(unread, 'recording', 'rain', { count: 0 })).rejects.toThrow(/whole number/)
  })

  it.each([
    { count: 0 },
    { threshold: 1.5 },
    { minLength: -1 },
    { minLength: 5, maxLength: 4 },
    { maxOverlap: 2 },
    { median: NaN },
  ])('refuse the options %j', (options) => {
    expect(() => momentsOf(mapOf([[0, 1]]), options)).toThrow(/Expected/)
  })
})
