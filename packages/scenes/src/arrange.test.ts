import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Rng } from '@sonotext/core/base'
import { arrange, type GroupSounds } from './arrange.js'

const rate = 1000

const problem = fc.record({
  seconds: fc.integer({ min: 2, max: 12 }),
  groups: fc.array(
    fc.record({
      counted: fc.boolean(),
      takes: fc.array(fc.integer({ min: 30, max: 6000 }), { minLength: 1, maxLength: 5 }),
      overlap: fc.boolean(),
    }),
    { maxLength: 5 },
  ),
  seed: fc.nat(),
})

test('whatever is asked for, the result fits, keeps its order, and its relations hold', () => {
  fc.assert(
    fc.property(problem, ({ seconds, groups, seed }) => {
      const sounds = groups.map(({ counted, takes }, i): GroupSounds => {
        const list = (counted ? takes : takes.slice(0, 1)).map((length) => new Float32Array(length))
        return { label: `g${i}`, source: `s${i}`, counted, takes: list }
      })
      const wanted = groups.slice(1).map(({ overlap }) => (overlap ? 'overlap' : 'then'))
      const count = seconds * rate
      const { groups: placed, relations } = arrange(sounds, wanted, count, rate, new Rng(seed))
      expect(placed.map((group) => group.label)).toEqual(
        sounds.slice(0, placed.length).map((group) => group.label),
      )
      expect(placed.length).toBeGreaterThanOrEqual(Math.min(1, sounds.length))
      expect(relations).toHaveLength(Math.max(0, placed.length - 1))
      const spans = placed.map(({ takes, at }) => {
        takes.forEach((take, t) => {
          expect(Number.isInteger(at[t])).toBe(true)
          expect(at[t]).toBeGreaterThanOrEqual(0.19 * rate)
          expect(at[t]! + take.length).toBeLessThanOrEqual(count - 0.19 * rate)
          // Repetitions can be told apart.
          if (t > 0) expect(at[t]! - at[t - 1]! - takes[t - 1]!.length).toBeGreaterThanOrEqual(0.1 * rate)
        })
        return [at[0]!, at[at.length - 1]! + takes[takes.length - 1]!.length] as const
      })
      for (const [i, relation] of relations.entries()) {
        const [before, after] = [spans[i]!, spans[i + 1]!]
        expect(after[0]).toBeGreaterThan(before[0])
        if (relation === 'then')
          expect(after[0] - Math.max(...spans.slice(0, i + 1).map((span) => span[1]))).toBeGreaterThanOrEqual(
            0.24 * rate,
          )
        else {
          expect(wanted[i]).toBe('overlap')
          expect(Math.min(before[1], after[1]) - after[0]).toBeGreaterThanOrEqual(0.29 * rate)
        }
      }
    }),
    { numRuns: 500 },
  )
})

test('with room enough nothing is cut, and wanted overlaps come true', () => {
  const take = (seconds: number) => new Float32Array(seconds * rate)
  const sounds: GroupSounds[] = [
    { label: 'a', source: 'a', counted: true, takes: [take(0.4), take(0.5), take(0.4)] },
    { label: 'b', source: 'b', counted: false, takes: [take(2)] },
    { label: 'c', source: 'c', counted: true, takes: [take(0.3)] },
  ]
  for (let seed = 0; seed < 50; seed++) {
    const { groups, relations } = arrange(sounds, ['overlap', 'then'], 10 * rate, rate, new Rng(seed))
    expect(groups.map(({ takes }) => takes.map((x) => x.length))).toEqual([[400, 500, 400], [2000], [300]])
    expect(relations).toEqual(['overlap', 'then'])
  }
})
