import { describe, expect, test } from 'vitest'
import { matrix, Rng } from '../base/index.js'
import { compareEvaluations, compareGroups } from './compare.js'
import { evaluateScores } from './evaluate.js'
import { evaluateHits } from './rankings.js'
import { evaluation, type Evaluation } from './evaluation.js'
import { clustersOf, holm, mean, seedsDifference } from './significance/index.js'

const clips = Array.from({ length: 40 }, (_, i) => `clip ${i}`)
const captionClip = Array.from({ length: 200 }, (_, j) => j % 40)

/** Random scores; the right ones stand out by `signal`, some clips more than others. */
function scoresOf(signal: number, seed: number) {
  const rng = new Rng(seed, 'scores')
  const ease = Array.from({ length: 40 }, () => rng.normal())
  return matrix(
    40,
    200,
    Float32Array.from({ length: 8000 }, (_, i) => {
      const clip = Math.floor(i / 200)
      return rng.normal() + (captionClip[i % 200] === clip ? signal + ease[clip]! : 0)
    }),
  )
}
const measures = ['mAP@10', 'R@1', 'medR']
const strong = evaluateScores(scoresOf(2.5, 1), captionClip, { clips, measures })
const weak = evaluateScores(scoresOf(0.3, 2), captionClip, { clips, measures })

describe('compareEvaluations', () => {
  test('finds a difference that is there, in every measure and both directions, corrected by Holm', () => {
    const found = compareEvaluations(strong, weak, { replicates: 999 })
    expect(found.map(({ direction, measure }) => `${direction} ${measure}`)).toEqual(
      ['textToAudio', 'audioToText'].flatMap((direction) => measures.map((name) => `${direction} ${name}`)),
    )
    for (const { direction, measure, a, b, difference, interval, p, adjusted, ...rest } of found) {
      expect([a, b]).toEqual([strong[direction]![measure], weak[direction]![measure]])
      expect(difference).toBeCloseTo(a - b, 12)
      expect(interval![0]).toBeLessThanOrEqual(difference)
      expect(interval![1]).toBeGreaterThanOrEqual(difference)
      expect(p).toBeLessThan(0.05)
      expect(adjusted).toBeGreaterThanOrEqual(p)
      expect(rest).toEqual({ exact: false, queries: direction === 'textToAudio' ? 200 : 40, clusters: 40 })
    }
    expect(found.map(({ adjusted }) => adjusted)).toEqual(holm(found.map(({ p }) => p)))
  })

  test('a system does not differ from itself', () => {
    for (const { difference, p, adjusted, interval } of compareEvaluations(strong, strong))
      expect([difference, p, adjusted, interval]).toEqual([0, 1, 1, [0, 0]])
  })

  test('queries are matched by id in whatever order', () => {
    const order = new Rng(3, 'order').shuffle(Array.from({ length: 200 }, (_, j) => j))
    const { data } = scoresOf(0.3, 2)
    const shuffled = evaluateScores(
      matrix(
        40,
        200,
        Float32Array.from(data, (_, i) => data[Math.floor(i / 200) * 200 + order[i % 200]!]!),
      ),
      order.map((j) => captionClip[j]!),
      { clips, measures, captions: order.map((j) => strong.perQuery.textToAudio.ids[j]!) },
    )
    const [want, got] = [weak, shuffled].map((other) =>
      compareEvaluations(strong, other, { replicates: 199 }),
    )
    got!.forEach((comparison, i) => {
      expect(comparison.difference).toBeCloseTo(want![i]!.difference, 10)
      expect(comparison.p).toBeCloseTo(want![i]!.p, 10)
    })
  })

  test('captions of a clip are exchanged together: a difference in few clips is not one in many captions', () => {
    const values = (better: number) =>
      clips.flatMap((_, clip) => Array<number>(5).fill(clip < better ? 1 : 0))
    const of = (better: number, unit: 'clip' | 'query'): Evaluation => {
      const lists = values(better).map((hit) => [{ id: hit ? 'right' : 'wrong' }])
      const ids = values(better).map((_, q) => String(q))
      const clusters = unit === 'clip' ? ids.map((_, q) => clips[Math.floor(q / 5)]!) : ids
      const summary = evaluateHits(lists, Array(200).fill(new Set(['right'])), {
        items: 40,
        measures: ['R@1'],
        queries: { ids, clusters, unit },
      })
      return evaluation({ textToAudio: summary, audioToText: null }, { queries: 200, items: 40 })
    }
    const [byClip] = compareEvaluations(of(3, 'clip'), of(0, 'clip'))
    const [byQuery] = compareEvaluations(of(3, 'query'), of(0, 'query'))
    expect(byClip).toMatchObject({ exact: true, p: 0.25, clusters: 40 })
    expect(byQuery!.p).toBeLessThan(0.001)
  })

  test('refuses queries, clusters or measures that do not match, and names them', () => {
    const some = evaluateScores(matrix(2, 3, new Float32Array(6)), [0, 1, 1], {
      clips: ['clip 0', 'x'],
      measures,
    })
    expect(() => compareEvaluations(strong, some)).toThrow(
      expect.objectContaining({
        code: 'INVALID_DATA',
        message: expect.stringMatching(
          /^Expected the same queries in both evaluations \(textToAudio\), got 199 only in the first \("clip 1#1", .*, …\) and 2 only in the second \("x#1", "x#2"\)\. Evaluate both on the same split/,
        ) as string,
      }),
    )
    const groups = clips.map((clip, i) => (i < 2 ? 'street' : clip))
    const grouped = evaluateScores(scoresOf(2, 4), captionClip, { clips, groups, measures })
    expect(() => compareEvaluations(strong, grouped)).toThrow(
      /same clusters of queries .*got "clip 1" and "street" for query "clip 1#1"/,
    )
    const other = evaluateScores(scoresOf(2, 4), captionClip, { clips, measures: ['MRR'] })
    expect(() => compareEvaluations(strong, other, { replicates: 199 })).toThrow(
      /a direction and a measure in common/,
    )
    expect(() => compareEvaluations(strong, other, { measures: ['MRR'] })).toThrow(
      /MRR of each query in both evaluations, got none in the first/,
    )
  })
})

describe('compareGroups', () => {
  const group = (signal: number, seeds: readonly number[]): Evaluation[] =>
    seeds.map((seed) => evaluateScores(scoresOf(signal, seed), captionClip, { clips, measures }))

  test('compares means over seeds, whose numbers need not be equal, and corrects by Holm', () => {
    const [a, b] = [group(2.5, [1, 2, 3]), group(0.3, [4, 5])]
    const found = compareGroups(a, b, { replicates: 199 })
    expect(found).toHaveLength(6)
    for (const { direction, measure, difference, interval, seeds, clusters, ...rest } of found) {
      const meanOf = (of: readonly Evaluation[]): number =>
        of.reduce((sum, one) => sum + one[direction]![measure]!, 0) / of.length
      expect(rest.a).toBeCloseTo(meanOf(a), 12)
      expect(rest.b).toBeCloseTo(meanOf(b), 12)
      expect(difference).toBeCloseTo(rest.a - rest.b, 12)
      expect(interval![0]).toBeLessThan(difference)
      expect(interval![1]).toBeGreaterThan(difference)
      expect([seeds, clusters]).toEqual([[3, 2], 40])
    }
    expect(found.map(({ adjusted }) => adjusted)).toEqual(holm(found.map(({ p }) => p)))
    expect(found[0]!.p).toBeLessThan(0.05)
  })

  test('does not call a lucky seed a difference', () => {
    const lucky = group(1.2, [1])[0]!
    const poor = group(0.3, [2])[0]!
    const [single] = compareEvaluations(lucky, poor, { measures: ['mAP@10'] })
    expect(single!.p).toBeLessThan(0.05)
    const [both] = compareGroups([lucky, poor], [poor, lucky], { measures: ['mAP@10'] })
    expect(both).toMatchObject({ difference: 0, p: 1 })
    expect(both!.interval![1]).toBeGreaterThan(single!.difference)
  })

  test('wants two seeds of each and the same queries', () => {
    expect(() => compareGroups([strong], [weak, weak])).toThrow(/evaluations of two or more seeds for a, got/)
    const some = evaluateScores(matrix(2, 3, new Float32Array(6)), [0, 1, 1], { measures })
    expect(() => compareGroups([strong, strong], [weak, some])).toThrow(/the same queries/)
  })

  test('holds the true difference 95 times of 100 with three seeds, where one run each does not', () => {
    const rng = new Rng(5, 'coverage')
    const clusters = clustersOf(Array.from({ length: 30 }, (_, i) => i))
    const truth = 0.3
    let [held, heldBySingle] = [0, 0]
    const tries = 200
    for (let i = 0; i < tries; i++) {
      const ease = Array.from({ length: 30 }, () => rng.normal())
      const seeds = (shift: number): Float64Array[] =>
        Array.from({ length: 3 }, () => {
          const luck = 0.3 * rng.normal() + shift
          return Float64Array.from(ease, (own) => own + luck + 0.3 * rng.normal())
        })
      const [a, b] = [seeds(truth), seeds(0)]
      const { interval, p } = seedsDifference(a, b, clusters, mean, { replicates: 99 })
      const [low, high] = interval!
      if (low <= truth && truth <= high) held++
      expect(p < 0.05).toBe(low > 0 || high < 0)
      const differences = a[0]!.map((value, c) => value - b[0]![c]!)
      const single = mean.byCluster(differences, clusters)!
      if (single[0] <= truth && truth <= single[1]) heldBySingle++
    }
    expect(held / tries).toBeGreaterThan(0.92)
    expect(heldBySingle / tries).toBeLessThan(0.6)
  })
})
