import assert from 'node:assert/strict'
import { matrix } from '../base/matrix.js'
import { Rng } from '../base/rng.js'
import {
  checkNegatives,
  type Guard,
  negativeQuery,
  type NegativeQuery,
  type NegativeStrategy,
  PairMask,
  type Plane,
} from '../negatives/index.js'
import { itemsOf } from './items.js'

/** One requirement on every negative-sampling strategy; `run` throws when it is not met. */
export interface StrategyCase {
  readonly name: string
  run(strategy: NegativeStrategy): void
}

/** A batch with scores drawn from a seed and only the planes that the strategy declared. */
export function randomQuery(
  strategy: NegativeStrategy,
  groups: readonly number[],
  seed = 1,
  guards: readonly Guard[] = [],
): NegativeQuery {
  const n = groups.length
  const rng = new Rng(seed, 'strategy-cases')
  const planes: Partial<Record<Plane, ReturnType<typeof matrix>>> = {}
  for (const plane of strategy.needs) {
    planes[plane] = matrix(
      n,
      n,
      Float32Array.from({ length: n * n }, () => rng.between(-1, 1)),
    )
  }
  return negativeQuery(itemsOf(groups), { planes, guards })
}

const flat = (set: ReturnType<NegativeStrategy['select']>): number[][] =>
  [set.audio, set.text].flatMap(({ offsets, index }) => [[...offsets], [...index]])

/** What every strategy must keep to. */
export const strategyCases: readonly StrategyCase[] = [
  {
    name: 'gives every anchor at least one clip and one caption of another group',
    run(strategy) {
      for (const groups of [
        [0, 1],
        [0, 1, 2, 3, 4, 5, 6, 7],
        [0, 0, 1, 1, 2, 2, 0],
        [5, 5, 5, 5, 9],
      ]) {
        const query = randomQuery(strategy, groups)
        const set = strategy.select(query, new Rng(3))
        checkNegatives(set, query, strategy.name)
        assert.equal(set.empty, 0)
        for (const { offsets } of [set.audio, set.text]) {
          for (let i = 0; i < groups.length; i++)
            assert.ok(offsets[i + 1]! > offsets[i]!, `anchor ${i} of [${groups}]`)
        }
      }
    },
  },
  {
    name: 'gives empty lists and counts them when the whole batch is one clip',
    run(strategy) {
      const set = strategy.select(randomQuery(strategy, [4, 4, 4]), new Rng(3))
      assert.equal(set.empty, 3)
      for (const { offsets, index } of [set.audio, set.text]) {
        assert.deepEqual([...offsets], [0, 0, 0, 0])
        assert.equal(index.length, 0)
      }
    },
  },
  {
    name: 'takes a batch of one pair and an empty batch',
    run(strategy) {
      assert.equal(strategy.select(randomQuery(strategy, [7]), new Rng(3)).empty, 1)
      const none = strategy.select(randomQuery(strategy, []), new Rng(3))
      assert.deepEqual(flat(none), [[0], [], [0], []])
    },
  },
  {
    name: 'repeats itself for the same query and stream',
    run(strategy) {
      const query = randomQuery(strategy, [0, 1, 2, 1, 3, 4, 5, 0])
      assert.deepEqual(flat(strategy.select(query, new Rng(9))), flat(strategy.select(query, new Rng(9))))
    },
  },
  {
    name: 'follows its items when the batch is reordered, unless it draws',
    run(strategy) {
      const groups = [0, 1, 2, 1, 3]
      const query = randomQuery(strategy, groups)
      const stream = new Rng(1)
      strategy.select(query, stream)
      if (stream.state.position > 0) return
      const order = [3, 0, 4, 2, 1]
      const planes = Object.fromEntries(
        strategy.needs.map((plane) => {
          const { data } = query.planes[plane]!
          return [
            plane,
            matrix(
              5,
              5,
              Float32Array.from(
                { length: 25 },
                (_, e) => data[order[Math.floor(e / 5)]! * 5 + order[e % 5]!]!,
              ),
            ),
          ]
        }),
      )
      const direct = strategy.select(query, new Rng(1))
      const moved = strategy.select(
        negativeQuery(itemsOf(order.map((i) => groups[i]!)), { planes }),
        new Rng(1),
      )
      for (const side of ['audio', 'text'] as const) {
        for (let i = 0; i < 5; i++) {
          const from = order[i]!
          const there = moved[side].index.slice(moved[side].offsets[i], moved[side].offsets[i + 1])
          const here = direct[side].index.slice(direct[side].offsets[from], direct[side].offsets[from + 1])
          assert.deepEqual([...there].map((j) => order[j]!).sort(), [...here].sort())
        }
      }
    },
  },
  {
    name: 'takes the lower index on ties, unless it draws',
    run(strategy) {
      if (strategy.needs.length === 0) return
      const n = 5
      const flatScores = matrix(n, n, new Float32Array(n * n).fill(0.25))
      const planes = Object.fromEntries(strategy.needs.map((plane) => [plane, flatScores]))
      const query = negativeQuery(itemsOf([0, 0, 1, 2, 1]), { planes })
      const stream = new Rng(1)
      const { audio, text } = strategy.select(query, stream)
      if (stream.state.position > 0) return // what is drawn has no ties
      assert.deepEqual([...audio.index], [2, 2, 0, 0, 0])
      assert.deepEqual([...text.index], [2, 2, 0, 0, 0])
    },
  },
  {
    name: 'refuses scores that are not finite, naming the pair',
    run(strategy) {
      for (const bad of [NaN, Infinity, -Infinity]) {
        for (const plane of strategy.needs) {
          const query = randomQuery(strategy, [0, 1, 2])
          query.planes[plane]!.data[5] = bad
          assert.throws(() => strategy.select(query, new Rng(1)), {
            code: 'NUMERIC',
            message: /pair \(1, 2\)/,
          })
        }
      }
    },
  },
  {
    name: 'refuses a plane that is missing or of the wrong size, and a mask of another batch',
    run(strategy) {
      const query = randomQuery(strategy, [0, 1, 2])
      assert.throws(() => strategy.select({ ...query, barred: new PairMask(2) }, new Rng(1)), {
        code: 'INVALID_ARGUMENT',
      })
      for (const plane of strategy.needs) {
        const without = { ...query, planes: { ...query.planes, [plane]: undefined } } as NegativeQuery
        assert.throws(() => strategy.select(without, new Rng(1)), {
          code: 'INVALID_ARGUMENT',
          message: new RegExp(plane),
        })
        const small = { ...query, planes: { ...query.planes, [plane]: matrix(2, 2) } }
        assert.throws(() => strategy.select(small, new Rng(1)), { code: 'INVALID_ARGUMENT', message: /3×3/ })
      }
    },
  },
]
