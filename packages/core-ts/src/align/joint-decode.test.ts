import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matrix } from '../base/matrix.js'
import { jointDecode, type Order, type PhraseRelation } from './joint-decode.js'

/** Whether an activity [frames × phrases] keeps to a relation: said of whole sequences, not of steps. */
function holds(active: readonly boolean[][], { kind, first, second }: PhraseRelation, order: Order): boolean {
  const frames = (p: number) => active.flatMap((row, t) => (row[p] ? [t] : []))
  const [a, b] = [frames(first), frames(second)]
  if (a.length === 0 || b.length === 0) return true
  if (kind === 'while') return a.some((t) => b.includes(t))
  return order === 'ends' ? Math.max(...a) < Math.min(...b) : Math.min(...a) < Math.min(...b)
}

/** The best sum over every activity there is. */
function bruteForce(gains: number[][], relations: readonly PhraseRelation[], order: Order): number {
  const [rows, cols] = [gains.length, gains[0]!.length]
  let best = -Infinity
  for (let code = 0; code < 2 ** (rows * cols); code++) {
    const active = gains.map((_, t) => gains[0]!.map((_, p) => ((code >> (t * cols + p)) & 1) === 1))
    if (!relations.every((relation) => holds(active, relation, order))) continue
    best = Math.max(best, sumOf(gains, active))
  }
  return best
}

function sumOf(gains: number[][], active: readonly boolean[][]): number {
  return gains.reduce(
    (sum, row, t) => sum + row.reduce((own, gain, p) => own + (active[t]![p] ? gain : 0), 0),
    0,
  )
}

const decode = (gains: number[][], relations: readonly PhraseRelation[], order?: Order): boolean[][] => {
  const cols = gains[0]!.length
  const flat = jointDecode(matrix(gains.length, cols, Float32Array.from(gains.flat())), relations, order)
  return gains.map((_, t) => Array.from(flat.subarray(t * cols, (t + 1) * cols), (value) => value === 1))
}

const problem = fc
  .record({ rows: fc.integer({ min: 1, max: 4 }), cols: fc.integer({ min: 1, max: 3 }) })
  .chain(({ rows, cols }) =>
    fc.record({
      gains: fc.array(
        fc.array(fc.oneof(fc.integer({ min: -6, max: 8 }), fc.constant(-Infinity)), {
          minLength: cols,
          maxLength: cols,
        }),
        { minLength: rows, maxLength: rows },
      ),
      relations:
        cols === 1
          ? fc.constant([])
          : fc.array(
              fc
                .record({
                  kind: fc.constantFrom('before' as const, 'while' as const),
                  first: fc.nat(cols - 1),
                  step: fc.integer({ min: 1, max: cols - 1 }),
                })
                .map(({ kind, first, step }) => ({ kind, first, second: (first + step) % cols })),
              { maxLength: 3 },
            ),
      order: fc.constantFrom<Order>('begins', 'ends'),
    }),
  )

describe('the joint decode', () => {
  it('finds what trying every activity finds, and keeps to the relations', () => {
    fc.assert(
      fc.property(problem, ({ gains, relations, order }) => {
        const active = decode(gains, relations, order)
        for (const relation of relations) expect(holds(active, relation, order)).toBe(true)
        expect(sumOf(gains, active)).toBe(bruteForce(gains, relations, order))
      }),
      { numRuns: 300 },
    )
  })

  it('takes every gain where nothing is said', () => {
    expect(
      decode(
        [
          [1, -1],
          [2, 3],
        ],
        [],
      ),
    ).toEqual([
      [true, false],
      [true, true],
    ])
  })

  it('tells beginning before from ending before', () => {
    const gains = [
      [1, -9],
      [1, 1],
      [1, 1],
      [-9, 1],
    ]
    const before = [{ kind: 'before', first: 0, second: 1 }] as const
    expect(decode(gains, before)).toEqual(gains.map((row) => row.map((gain) => gain > 0)))
    const apart = decode(gains, before, 'ends').map(([a, b]) => [a, b])
    expect(apart.some(([a, b]) => a && b)).toBe(false)
    expect(apart.flat().filter(Boolean)).toHaveLength(4)
  })

  it('gives up the weaker of two that should have met and do not', () => {
    const apart = [
      [3, -Infinity],
      [-Infinity, 1],
    ]
    expect(decode(apart, [{ kind: 'while', first: 0, second: 1 }])).toEqual([
      [true, false],
      [false, false],
    ])
  })

  it('says which relations it cannot keep to', () => {
    const gains = matrix(2, 2)
    for (const [first, second] of [
      [0, 2],
      [1, 1],
      [0.5, 1],
    ] as const)
      expect(() => jointDecode(gains, [{ kind: 'before', first, second }])).toThrow(
        /two different phrases in \[0, 2\)/,
      )
    const chain = Array.from({ length: 11 }, (_, p) => ({ kind: 'before' as const, first: p, second: p + 1 }))
    expect(() => jointDecode(matrix(10, 12), chain)).toThrow(/12 related phrases over 10 frames are too many/)
  })

  it('of nothing is nothing', () => {
    expect(jointDecode(matrix(0, 2), [{ kind: 'before', first: 0, second: 1 }])).toHaveLength(0)
    expect(jointDecode(matrix(3, 0), [])).toHaveLength(0)
  })
})
