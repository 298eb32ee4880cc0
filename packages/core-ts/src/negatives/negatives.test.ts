import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matrix, type Matrix } from '../base/matrix.js'
import { Rng } from '../base/rng.js'
import { tripletLoss } from '../losses/triplet.js'
import { Family, partOf } from '../registry/index.js'
import { smallBatch } from '../testing/small-batch.js'
import { strategyCases } from '../testing/strategy.cases.js'
import { itemsOf } from '../testing/items.js'
import {
  checkNegatives,
  checkQuery,
  checkStrategy,
  fromPicks,
  duplicateClips,
  equalCaptions,
  givenPairs,
  type Guard,
  mixedNegatives,
  negativeQuery,
  type NegativeSet,
  type NegativeStrategy,
  planeOf,
  sameGroup,
  similarCaptions,
  strategies,
} from './index.js'

const entries = strategies.names.map((name) => [name, () => strategies.build(name)] as const)

describe.each(entries)('%s', (name, make) => {
  it('is registered under its own name', () => expect(make().name).toBe(name))
  for (const { name: requirement, run } of strategyCases) it(requirement, () => run(make()))
})

const small = negativeQuery(itemsOf(smallBatch.groups), {
  planes: {
    'audio-text': smallBatch.audioText,
    'text-text': smallBatch.textText,
    'audio-audio': smallBatch.audioAudio,
  },
})

/** The loss of the paper as a plain loop. */
function tripletLoop(scores: Matrix, { audio, text }: NegativeSet, margin: number): number {
  const n = scores.rows
  const s = (i: number, j: number) => scores.data[i * n + j]!
  let loss = 0
  for (let i = 0; i < n; i++) {
    const clips = audio.index.slice(audio.offsets[i], audio.offsets[i + 1])
    const captions = text.index.slice(text.offsets[i], text.offsets[i + 1])
    for (const a of clips) loss += Math.max(0, s(a, i) - s(i, i) + margin) / clips.length
    for (const t of captions) loss += Math.max(0, s(i, t) - s(i, i) + margin) / captions.length
  }
  return loss / n
}

describe('against the NumPy golden', () => {
  it.each(Object.entries(smallBatch.strategies))(
    '%s picks the same and costs the same',
    (name, { picks, loss }) => {
      const set = strategies.build(name).select(small, new Rng(1))
      if (picks !== null) {
        expect([...set.audio.index]).toEqual(picks.audio)
        expect([...set.text.index]).toEqual(picks.text)
      }
      expect(tripletLoop(smallBatch.audioText, set, smallBatch.margin)).toBeCloseTo(loss, 5)
    },
  )
})

const batches = fc.integer({ min: 1, max: 24 }).chain((n) =>
  fc.record({
    n: fc.constant(n),
    groups: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: n, maxLength: n }),
    scores: fc.array(fc.float({ min: -1, max: 1, noNaN: true }), { minLength: n * n, maxLength: n * n }),
    seed: fc.nat(),
  }),
)

describe('over random batches', () => {
  it.each(entries)('%s never picks an item of the anchor clip and counts its empty lists', (_, make) => {
    fc.assert(
      fc.property(batches, ({ n, groups, scores, seed }) => {
        const plane = matrix(n, n, Float32Array.from(scores))
        const query = negativeQuery(itemsOf(groups), {
          planes: { 'audio-text': plane, 'text-text': plane, 'audio-audio': plane },
        })
        const set = make().select(query, new Rng(seed))
        checkNegatives(set, query, make().name)
        expect(set.empty).toBe(groups.filter((g) => groups.every((other) => other === g)).length)
      }),
    )
  })

  it('hard and semi-hard find the extremes of a plain search', () => {
    fc.assert(
      fc.property(batches, ({ n, groups, scores, seed }) => {
        const plane = matrix(n, n, Float32Array.from(scores))
        const query = negativeQuery(itemsOf(groups), { planes: { 'audio-text': plane } })
        const best = (value: (j: number) => number, i: number): number[] => {
          const others = groups.flatMap((g, j) => (g === groups[i] ? [] : [j]))
          return others.length === 0 ? [] : [others.reduce((a, b) => (value(b) > value(a) ? b : a))]
        }
        const s = (i: number, j: number) => plane.data[i * n + j]!
        const anchors = Array.from({ length: n }, (_, i) => i)
        const hard = strategies.build('hard').select(query, new Rng(seed))
        expect([...hard.audio.index]).toEqual(anchors.flatMap((i) => best((j) => s(j, i), i)))
        expect([...hard.text.index]).toEqual(anchors.flatMap((i) => best((j) => s(i, j), i)))
        const semi = strategies.build('semi-hard').select(query, new Rng(seed))
        expect([...semi.audio.index]).toEqual(
          anchors.flatMap((i) => best((j) => -Math.abs(s(j, i) - s(i, i)), i)),
        )
        expect([...semi.text.index]).toEqual(
          anchors.flatMap((i) => best((j) => -Math.abs(s(i, j) - s(i, i)), i)),
        )
      }),
    )
  })
})

/** Guards over items whose captions are a few texts. */
const guards: [string, Guard[]][] = [
  ['same group', [sameGroup()]],
  ['equal captions', [equalCaptions()]],
  [
    'given pairs',
    [
      givenPairs([
        ['c0', 'c1#1'],
        ['c0', 'c2#1'],
        ['c3', 'c0#1'],
        ['c7', 'elsewhere'],
      ]),
    ],
  ],
  [
    'a guard that reads scores',
    [
      {
        name: 'alike',
        needs: ['text-text'],
        *pairs({ planes }) {
          const { rows: n, data } = planes['text-text']!
          for (let e = 0; e < n * n; e++) if (data[e]! > 0.3) yield [Math.floor(e / n), e % n]
        },
      },
    ],
  ],
  ['similar captions', [similarCaptions({ threshold: 0.5 })]],
  ['duplicate clips', [duplicateClips([['c0', 'c1'], ['c3', 'c2'], ['c5', 'elsewhere']])]], // prettier-ignore
  ['two together', [equalCaptions(), givenPairs([['c1', 'c0#1']])]],
  [
    'everything',
    [
      {
        name: 'all',
        *pairs({ items }) {
          for (const i of items.keys()) for (const j of items.keys()) yield [i, j]
        },
      },
    ],
  ],
]
const strategiesAndGuards = entries.flatMap(([name, make]) =>
  guards.map(([what, list]) => [name, what, make, list] as const),
)

describe('guards', () => {
  it.each(strategiesAndGuards)('%s never picks what %s bars, and picks where it can', (_, __, make, list) => {
    fc.assert(
      fc.property(batches, ({ n, groups, scores, seed }) => {
        const plane = matrix(n, n, Float32Array.from(scores))
        const items = itemsOf(
          groups,
          groups.map((_, i) => ['Rain', 'rain.', 'wind', 'a bell'][i % 4]!),
        )
        const planes = { 'audio-text': plane, 'text-text': plane, 'audio-audio': plane }
        const query = negativeQuery(items, { planes, guards: list })
        const { audio, text, empty } = make().select(query, new Rng(seed))
        const barred = new Set(
          [sameGroup(), ...list].flatMap((guard) =>
            [...guard.pairs({ ...query })].map(([i, j]) => `${i} ${j}`),
          ),
        )
        // A strategy that picks one pair for both directions needs it free in both.
        const tied = /-(text|audio)$/.test(make().name)
        let without = 0
        for (let i = 0; i < n; i++) {
          const free = (j: number, way: 'audio' | 'text') =>
            !barred.has(way === 'audio' ? `${j} ${i}` : `${i} ${j}`) &&
            !(tied && barred.has(way === 'audio' ? `${i} ${j}` : `${j} ${i}`))
          for (const [way, { offsets, index }] of [
            ['audio', audio],
            ['text', text],
          ] as const) {
            const picks = [...index.subarray(offsets[i], offsets[i + 1])]
            const others = Array.from({ length: n }, (_, j) => j).filter((j) => free(j, way))
            for (const j of picks) expect(others).toContain(j)
            expect(picks.length > 0).toBe(others.length > 0)
          }
          if (offsetsEqual(audio, i) && offsetsEqual(text, i)) without++
        }
        expect(empty).toBe(without)
      }),
      { numRuns: 40 },
    )
  })

  const offsetsEqual = ({ offsets }: NegativeSet['audio'], i: number) => offsets[i] === offsets[i + 1]
  const named = (
    guard: Guard,
    items = itemsOf([0, 1, 2, 2], ['Rain, again', 'wind', 'rain  again!', 'bell']),
  ) => [...guard.pairs({ items, planes: {}, step: 1, epoch: 0 })].filter(([i, j]) => i !== j).sort()

  it('name the pairs they know', () => {
    expect(named(sameGroup())).toEqual([[2, 3], [3, 2]]) // prettier-ignore
    expect(named(equalCaptions())).toEqual([[0, 2], [2, 0]]) // prettier-ignore
    expect(named(givenPairs([['c1', 'c3#1'], ['c9', 'c0#1']]))).toEqual([[1, 3]]) // prettier-ignore
  })

  it('are named when a strategy does not keep to them', () => {
    const query = negativeQuery(itemsOf([0, 1, 2], ['a', 'a', 'b']), { guards: [equalCaptions()] })
    const list = { offsets: Int32Array.of(0, 1, 1, 1), index: Int32Array.of(1) }
    const none = { offsets: new Int32Array(4), index: new Int32Array(0) }
    expect(() => checkNegatives({ audio: list, text: none, empty: 2 }, query, 'mine')).toThrow(
      /no guard bars for anchor 0.*mine/,
    )
  })
})

describe('random', () => {
  it('draws every other clip about equally often, clip and caption independently', () => {
    const query = negativeQuery(itemsOf([0, 1, 2, 3, 0]))
    const rng = new Rng(5, 'negatives')
    const clips = new Array<number>(5).fill(0)
    let same = 0
    const draws = 6000
    for (let k = 0; k < draws; k++) {
      const { audio, text } = strategies.build('random').select(query, rng)
      clips[audio.index[0]!]!++
      if (audio.index[0] === text.index[0]) same++
    }
    expect([clips[0], clips[4]]).toEqual([0, 0])
    for (const j of [1, 2, 3]) expect(Math.abs(clips[j]! / draws - 1 / 3)).toBeLessThan(0.03)
    expect(Math.abs(same / draws - 1 / 3)).toBeLessThan(0.03)
  })

  it('draws differently as its stream goes on', () => {
    const query = negativeQuery(itemsOf([0, 1, 2, 3, 4, 5, 6, 7]))
    const rng = new Rng(5)
    const first = strategies.build('random').select(query, rng)
    expect([...strategies.build('random').select(query, rng).audio.index]).not.toEqual([...first.audio.index])
  })
})

describe('registry and checks', () => {
  it('has the eight published strategies and refuses other names with the list', () => {
    const published = 'random full-batch easy-text hard-text easy-audio hard-audio semi-hard hard'.split(' ')
    expect(entries.map(([name]) => name)).toEqual(expect.arrayContaining(published))
    expect(() => strategies.build('hardest')).toThrow(/semi-hard.*got "hardest" \(did you mean/)
    expect(() => strategies.build('toString')).toThrow(/expected one of/)
  })

  it('refuses a set that breaks the rules, naming the strategy', () => {
    const none = { offsets: Int32Array.of(0, 0, 0), index: new Int32Array(0) }
    const query = negativeQuery(itemsOf([1, 1]))
    const list = (...index: number[]) => ({ offsets: Int32Array.of(0, 1, 2), index: Int32Array.from(index) })
    expect(() => checkNegatives({ audio: list(1, 0), text: none, empty: 0 }, query, 'mine')).toThrow(
      /mine.*same group/,
    )
    expect(() => checkNegatives({ audio: none, text: list(2, 0), empty: 0 }, query, 'mine')).toThrow(
      /indices below 2/,
    )
    const cut = { offsets: Int32Array.of(0, 1, 3), index: Int32Array.of(0) }
    expect(() => checkNegatives({ audio: cut, text: none, empty: 0 }, query, 'mine')).toThrow(/offsets/)
  })
})

/** The strategy that the guide shows, as its plugin registers it. */
function highestOfGuide(): NegativeStrategy {
  const guide = readFileSync(new URL('../../../../docs/guide/negatives.md', import.meta.url), 'utf8')
  const [, code] = /```js\n(\/\/ highest\.mjs\n[^]*?)```/.exec(guide)!
  const body = code!.replaceAll(/^import .*$/gm, '').replace('export default', 'return')
  const make = new Function('{ checkQuery, fromPicks, planeOf }', body) as (names: object) => Plugin
  let made: NegativeStrategy | undefined
  make({ checkQuery, fromPicks, planeOf })({ register: (_family, part) => void (made = part.fromConfig()) })
  return made!
}
type Plugin = (given: {
  register: (family: string, part: { fromConfig: () => NegativeStrategy }) => void
}) => void

describe("a strategy of one's own", () => {
  const own = { ...highestOfGuide(), name: 'own' }
  for (const { name, run } of strategyCases) it(name, () => run(own))

  it('is told what needs may be, by the family and by the losses', () => {
    const wrong = { ...own, needs: ['cross'] } as unknown as NegativeStrategy
    const message =
      /a list of 'audio-text', 'text-text', 'audio-audio', or an empty one, for needs of strategy own, got "cross"/
    expect(() => tripletLoss({ negatives: wrong })).toThrow(message)
    const family = new Family('strategy of a test', [partOf<NegativeStrategy>()({
      name: 'own', description: '', schema: { properties: {} }, fromConfig: () => wrong,
    })], { methods: ['select'], check: checkStrategy }) // prettier-ignore
    expect(() => family.build('own')).toThrow(message)
  })

  it.each([
    [
      { audio: [[1], [0]], text: [[1], [0]] },
      /got \{ audio: array of length 2, text: array of length 2, empty: undefined \}.*fromPicks\(audio, text\)/,
    ],
    [undefined, /select of strategy own to return \{ audio, text, empty \}.*got \{ audio: undefined/],
    [{ ...fromPicks(Int32Array.of(1, 0), Int32Array.of(1, 0)), empty: undefined }, /empty: undefined/],
  ])('that returns %j is told what select returns', (selected, message) => {
    // prettier-ignore
    const lists = { ...own, select: () => selected } as unknown as NegativeStrategy
    const query = negativeQuery(itemsOf([0, 1]), { planes: { 'audio-text': matrix(2, 2) } })
    expect(() => checkNegatives(lists.select(query, new Rng(1)), query, 'own')).toThrow(message)
    expect(() => mixedNegatives([lists, lists]).select(query, new Rng(1))).toThrow(message)
  })
})
