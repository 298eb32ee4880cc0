import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matrix } from '../base/matrix.js'
import { Rng } from '../base/rng.js'
import { itemsOf } from '../testing/items.js'
import { bandWeights } from './band.js'
import { distanceWeights } from './distance-weighted.js'
import { drawIndex } from './drawn.js'
import {
  bandNegatives,
  captionRuleNegatives,
  checkNegatives,
  clusteredNegatives,
  distanceWeightedNegatives,
  duplicateClips,
  mixedNegatives,
  negativeQuery,
  type NegativeSet,
  type NegativeStrategy,
  queuedNegatives,
  scheduledNegatives,
  similarCaptions,
  strategies,
} from './index.js'

interface GoldenSide {
  readonly free: readonly number[]
  readonly facenet: number
  readonly semi: number
  readonly hard: number
  readonly band: readonly number[]
  readonly narrow: readonly number[]
  readonly distance: readonly number[]
}
const golden = JSON.parse(
  readFileSync(new URL('../../test-data/negatives/golden.json', import.meta.url), 'utf8'),
) as {
  readonly dimensions: number
  readonly cutoff: number
  readonly cases: readonly {
    readonly n: number
    readonly groups: readonly number[]
    readonly scores: readonly number[]
    readonly anchors: readonly { readonly audio: GoldenSide | null; readonly text: GoldenSide | null }[]
  }[]
}

const queryOf = (
  n: number,
  groups: ArrayLike<number>,
  scores: ArrayLike<number>,
  options: Parameters<typeof negativeQuery>[1] = {},
) => {
  const plane = matrix(n, n, Float32Array.from(scores))
  const planes = { 'audio-text': plane, 'text-text': plane, 'audio-audio': plane }
  return negativeQuery(itemsOf(groups), { planes, ...options })
}
const picksOf = ({ audio, text }: NegativeSet, i: number) => ({
  audio: [...audio.index.subarray(audio.offsets[i], audio.offsets[i + 1])],
  text: [...text.index.subarray(text.offsets[i], text.offsets[i + 1])],
})

describe.each(golden.cases)('against the NumPy golden, $n pairs', ({ n, groups, scores, anchors }) => {
  const query = queryOf(n, groups, scores)
  const sides = ['audio', 'text'] as const
  const candidates = (i: number, side: (typeof sides)[number], free: readonly number[]) =>
    Float64Array.from(
      free,
      (j) => query.planes['audio-text']!.data[side === 'audio' ? j * n + i : i * n + j]!,
    )

  it('facenet-semi-hard picks the same', () => {
    const set = strategies.build('facenet-semi-hard').select(query, new Rng(1))
    for (const [i, anchor] of anchors.entries())
      for (const side of sides)
        expect(picksOf(set, i)[side], `${side} of ${i}`).toEqual(
          anchor[side] === null ? [] : [anchor[side].facenet],
        )
  })

  it('hard and semi-hard pick the same, in a schedule and a mixture and from the pairs of a queue too', () => {
    const wanted = (i: number, side: 'audio' | 'text', key: 'hard' | 'semi') => {
      const own = anchors[i]![side]
      return own === null ? [] : [own[key]]
    }
    const parts = [{ type: 'semi-hard' }, { type: 'hard' }]
    const schedule = strategies.build({ type: 'schedule', strategies: parts, until: [2] } as never)
    const mixture = strategies.build({ type: 'mixture', strategies: parts } as never)
    const queue = strategies.build({ type: 'queue', negatives: { type: 'hard' }, pairs: 4 } as never)
    const mixed = mixture.select(query, new Rng(8))
    for (const i of anchors.keys()) {
      for (const side of sides) {
        const [semi, hard] = [wanted(i, side, 'semi'), wanted(i, side, 'hard')]
        expect(picksOf(strategies.build('semi-hard').select(query, new Rng(1)), i)[side]).toEqual(semi)
        expect(picksOf(strategies.build('hard').select(query, new Rng(1)), i)[side]).toEqual(hard)
        expect(picksOf(schedule.select({ ...query, epoch: 1.9 }, new Rng(1)), i)[side]).toEqual(semi)
        expect(picksOf(schedule.select({ ...query, epoch: 2 }, new Rng(1)), i)[side]).toEqual(hard)
        expect([semi, hard]).toContainEqual(picksOf(mixed, i)[side])
        // Whoever asks puts earlier pairs behind the batch; the strategy sees one list.
        expect(picksOf(queue.select(query, new Rng(1)), i)[side]).toEqual(hard)
      }
    }
  })

  it('random draws from all that are free, and full-batch takes them', () => {
    const rng = new Rng(3)
    const seen = anchors.map(() => ({ audio: new Set<number>(), text: new Set<number>() }))
    for (let draw = 0; draw < 300; draw++) {
      const set = strategies.build('random').select(query, rng)
      for (const i of anchors.keys())
        for (const side of sides) for (const j of picksOf(set, i)[side]) seen[i]![side].add(j)
    }
    const all = strategies.build('full-batch').select(query, rng)
    for (const [i, anchor] of anchors.entries())
      for (const side of sides) {
        const free = anchor[side]?.free ?? []
        expect(picksOf(all, i)[side]).toEqual(free)
        expect([...seen[i]![side]].sort((a, b) => a - b)).toEqual(free)
      }
  })

  it('band draws from the same candidates, and from all of them', () => {
    for (const [key, from, to] of [
      ['band', 0.5, 0.9],
      ['narrow', 0.2, 0.3],
    ] as const) {
      const strategy = bandNegatives({ from, to })
      const rng = new Rng(3)
      const seen = anchors.map(() => ({ audio: new Set<number>(), text: new Set<number>() }))
      for (let draw = 0; draw < 200; draw++) {
        const set = strategy.select(query, rng)
        for (const i of anchors.keys())
          for (const side of sides) for (const j of picksOf(set, i)[side]) seen[i]![side].add(j)
      }
      for (const [i, anchor] of anchors.entries())
        for (const side of sides)
          expect([...seen[i]![side]].sort((a, b) => a - b)).toEqual(anchor[side]?.[key] ?? [])
    }
  })

  it('distance-weighted weighs the same', () => {
    for (const [i, anchor] of anchors.entries()) {
      for (const side of sides) {
        if (anchor[side] === null) continue
        const { free, distance } = anchor[side]
        const weights = distanceWeights(candidates(i, side, free), golden.dimensions, golden.cutoff)
        const total = weights.reduce((a, b) => a + b)
        for (const [k, wanted] of distance.entries())
          expect(Math.abs(weights[k]! / total / wanted - 1), `candidate ${k}`).toBeLessThan(1e-9)
      }
    }
  })
})

describe('draws', () => {
  it('come as often as their weights say', () => {
    const rng = new Rng(11)
    const weights = [0, 1, 0, 3, 6, 0]
    const counts = weights.map(() => 0)
    for (let draw = 0; draw < 20_000; draw++) counts[drawIndex(weights, rng)]!++
    for (const [k, weight] of weights.entries())
      expect(Math.abs(counts[k]! / 20_000 - weight / 10)).toBeLessThan(0.015)
  })

  it('never fall on a candidate without weight', () => {
    const weights = fc.array(fc.constantFrom(0, 1e-300, 0.5, 1e300), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(weights, fc.nat(), (some, seed) => {
        fc.pre(some.some((weight) => weight > 0))
        expect(some[drawIndex(some, new Rng(seed))]).toBeGreaterThan(0)
      }),
    )
  })

  it('of distances favour the near ones the more the more dimensions there are, and stop at the cutoff', () => {
    const scores = Float64Array.of(0.1, 0.5, 0.8, 0.99)
    const share = (n: number) => {
      const weights = distanceWeights(scores, n, 0.5)
      return weights[2]! / (weights[0]! + weights[2]!)
    }
    expect(share(64)).toBeGreaterThan(share(8))
    const [, , , near] = distanceWeights(scores, 64, 0.5)
    expect(near).toBe(1)
    expect(distanceWeights(Float64Array.of(0.9, 0.999), 64, 0.5)).toEqual(Float64Array.of(1, 1))
  })

  it('of a band keep at least one candidate', () => {
    const some = fc.array(fc.float({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(some, fc.double({ min: 0, max: 0.98, noNaN: true }), (scores, from) => {
        const weights = bandWeights(Float64Array.from(scores), from, Math.min(1, from + 0.01))
        expect(weights.reduce((a, b) => a + b)).toBeGreaterThanOrEqual(1)
      }),
    )
  })
})

describe('strategies made of others', () => {
  const scores = Array.from({ length: 64 }, (_, e) => Math.sin(7 * e))
  const groups = [0, 1, 2, 3, 4, 5, 6, 7]
  const query = queryOf(8, groups, scores)
  const hard = strategies.build('hard')
  const easy = strategies.build('easy-text')
  const same = (a: NegativeSet, b: NegativeSet, i: number) => expect(picksOf(a, i)).toEqual(picksOf(b, i))

  it('mixture gives each anchor the picks of one of them, by weight', () => {
    const rng = new Rng(5)
    const [ofHard, ofEasy] = [hard, easy].map((part) => part.select(query, new Rng(1)))
    let hardOnes = 0
    for (let draw = 0; draw < 400; draw++) {
      const set = mixedNegatives([hard, easy], [3, 1]).select(query, rng)
      for (const i of groups) {
        const isHard = JSON.stringify(picksOf(set, i)) === JSON.stringify(picksOf(ofHard!, i))
        if (isHard) hardOnes++
        else same(set, ofEasy!, i)
      }
    }
    expect(Math.abs(hardOnes / 3200 - 0.75)).toBeLessThan(0.03)
    const onlyHard = mixedNegatives([easy, hard], [0, 1]).select(query, rng)
    for (const i of groups) same(onlyHard, ofHard!, i)
    // Lists of different lengths: one for hard, seven for full-batch.
    const uneven = mixedNegatives([hard, strategies.build('full-batch')]).select(query, new Rng(2))
    checkNegatives(uneven, query, 'mixture')
    expect(new Set(groups.map((i) => picksOf(uneven, i).audio.length))).toEqual(new Set([1, 7]))
  })

  it('schedule hands over at its epochs', () => {
    const strategy = scheduledNegatives([easy, hard, strategies.build('semi-hard')], [1, 2.5])
    for (const [epoch, wanted] of [
      [0, easy],
      [0.99, easy],
      [1, hard],
      [2.49, hard],
      [2.5, strategies.build('semi-hard')],
      [90, strategies.build('semi-hard')],
    ] as const) {
      const set = strategy.select(queryOf(8, groups, scores, { epoch }), new Rng(1))
      for (const i of groups) same(set, wanted.select(query, new Rng(1)), i)
    }
  })

  it('say what their parts read, and keep the memory of those that have one', () => {
    expect(mixedNegatives([hard, easy]).needs).toEqual(['audio-text', 'text-text'])
    expect(scheduledNegatives([hard, queuedNegatives(easy, 9)], [1]).earlierPairs).toBe(9)
    const counting = (): NegativeStrategy => ({
      ...hard,
      name: 'counting',
      start() {
        let batches = 0
        return {
          ...this,
          select: (...given) => (batches++, hard.select(...given)),
          state: () => batches,
          restore: (state) => (batches = state as number),
        }
      },
    })
    const started = mixedNegatives([easy, counting()]).start!()
    started.select(query, new Rng(1))
    expect(started.state()).toEqual([null, 1])
    started.restore([null, 41])
    started.select(query, new Rng(1))
    expect(started.state()).toEqual([null, 42])
  })

  it('are made from a configuration, nested as deep as wanted', () => {
    const strategy = strategies.build({
      type: 'schedule',
      until: [2],
      strategies: [
        'random',
        { type: 'mixture', weights: [1, 3], strategies: ['hard', { type: 'band', from: 0.2 }] },
      ],
    })
    expect(strategy.config).toEqual({
      strategies: [
        { type: 'random' },
        {
          type: 'mixture',
          strategies: [{ type: 'hard' }, { type: 'band', from: 0.2, to: 0.9 }],
          weights: [1, 3],
        },
      ],
      until: [2],
    })
    expect(
      strategies.build(JSON.parse(JSON.stringify({ type: 'schedule', ...strategy.config })) as never).config,
    ).toEqual(strategy.config)
  })

  it.each([
    ['too few strategies', () => mixedNegatives([hard]), /two strategies/],
    ['weights for others', () => mixedNegatives([hard, easy], [1]), /weights/],
    ['weights that are all 0', () => mixedNegatives([hard, easy], [0, 0]), /weights/],
    ['epochs that fall', () => scheduledNegatives([hard, easy, hard], [2, 1]), /until/],
    ['too many epochs', () => scheduledNegatives([hard, easy], [1, 2]), /until/],
    ['a queue of written captions', () => queuedNegatives(strategies.build('caption-rules')), /negatives/],
    ['written captions besides a queue', () => captionRuleNegatives(strategies.build('queue')), /negatives/],
    ['clusters of one', () => clusteredNegatives(hard, 1), /cluster/],
    ['captions by no rule', () => captionRuleNegatives(hard, { rules: [] }), /rules/],
    ['a memory of nothing', () => queuedNegatives(hard, 0), /pairs/],
    ['a band upside down', () => bandNegatives({ from: 0.5, to: 0.4 }), /to/],
    ['a sphere without volume', () => distanceWeightedNegatives({ dimensions: 2 }), /dimensions/],
    ['a cutoff past √2', () => distanceWeightedNegatives({ cutoff: 1.5 }), /cutoff/],
    ['a threshold of 0', () => similarCaptions({ threshold: 0 }), /threshold/],
  ])('refuse %s', (_, make, message) => {
    expect(make).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(message) as string,
      }),
    )
  })
})

describe('captions written for a batch', () => {
  const scores = Array.from({ length: 16 }, (_, e) => Math.sin(5 * e))
  const written = [2, 0].map((of) => ({ of, caption: { id: `c${of}#1~order`, text: 'written' } }))
  const query = { ...queryOf(4, [0, 1, 2, 3], scores), written }

  it('are the captions of those that they were made from, and of no other', () => {
    const hard = strategies.build('hard')
    const plain = hard.select(query, new Rng(1))
    const set = captionRuleNegatives(hard).select(query, new Rng(1))
    expect([0, 1, 2, 3].map((i) => picksOf(set, i).text[0])).toEqual([
      5,
      plain.text.index[1],
      4,
      plain.text.index[3],
    ])
    expect(set.audio).toEqual(plain.audio)
    checkNegatives(set, query, 'caption-rules')
    expect(captionRuleNegatives(hard).select({ ...query, written: [] }, new Rng(1))).toEqual(plain)
  })

  it('are refused for another pair', () => {
    const wrong = { offsets: Int32Array.of(0, 1, 1, 1, 1), index: Int32Array.of(4) }
    const none = { offsets: new Int32Array(5), index: new Int32Array(0) }
    expect(() => checkNegatives({ audio: none, text: wrong, empty: 3 }, query, 'mine')).toThrow(
      /mine.*anchor 2/,
    )
    expect(() => checkNegatives({ audio: wrong, text: none, empty: 3 }, query, 'mine')).toThrow(
      /indices below 4/,
    )
  })

  it('are wished for by whatever is made of the strategy', () => {
    const wishes = (config: object) => Object.keys(strategies.build(config as never).batches ?? {})
    expect(wishes({ type: 'caption-rules' })).toEqual(['writer'])
    expect(wishes({ type: 'cluster-batches' })).toEqual(['order'])
    expect(wishes({ type: 'cluster-batches', negatives: { type: 'caption-rules' } })).toEqual([
      'writer',
      'order',
    ])
    expect(
      wishes({ type: 'mixture', strategies: [{ type: 'caption-rules' }, { type: 'cluster-batches' }] }),
    ).toEqual(['order', 'writer'])
    expect(wishes({ type: 'hard' })).toEqual([])
  })
})

describe('guards of likeness', () => {
  const pairsOf = (guard: ReturnType<typeof similarCaptions>, texts: readonly string[]) =>
    [
      ...guard.pairs({
        items: itemsOf(
          texts.map((_, i) => i),
          texts,
        ),
        planes: {},
        step: 1,
        epoch: 0,
      }),
    ]
      .filter(([i, j]) => i < j)
      .map((pair) => pair.join(' '))

  it('similar-captions names captions with enough words in common', () => {
    const texts = ['A dog barks, twice', 'twice a dog barks', 'a dog barks once', 'rain falls', 'a dog']
    expect(pairsOf(similarCaptions({ threshold: 1 }), texts)).toEqual(['0 1'])
    expect(pairsOf(similarCaptions(), texts)).toEqual(['0 1', '0 2', '1 2'])
    expect(pairsOf(similarCaptions({ threshold: 0.5 }), texts)).toEqual([
      '0 1',
      '0 2',
      '0 4',
      '1 2',
      '1 4',
      '2 4',
    ])
  })

  it('duplicate-clips bars both ways, whichever way the pair is given', () => {
    const guard = duplicateClips([['c2', 'c0'], ['c9', 'c1']]) // prettier-ignore
    const found = [...guard.pairs({ items: itemsOf([0, 1, 2]), planes: {}, step: 1, epoch: 0 })]
    expect(found.sort()).toEqual([[0, 2], [2, 0]]) // prettier-ignore
  })
})
