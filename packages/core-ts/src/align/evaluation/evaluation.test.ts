import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matrix, Rng } from '../../base/index.js'
import { type AlignmentPair, evaluateAlignment } from './index.js'
import { aurocByPhrase } from './auroc.js'
import { matchEvents } from './event-matching.js'
import { frameLabels, spansAbove } from './frame-labels.js'
import { evaluateMoments, type MomentQuery, windowAveragePrecision } from './moments.js'
import { retrievalPools } from './retrieval-pools.js'
import { ScoreOrder } from './score-order.js'
import { segmentIou, type TimeSpan } from '../../segments/time-span.js'

const step = 0.02

/** Clips of 2 s in which either phrase sounds or not; scores that know how much of it there is. */
function pairsOf(knowledge: number, clips = 24, seed = 3): AlignmentPair[] {
  const rng = new Rng(seed, 'pairs')
  return Array.from({ length: clips }, (_, c) =>
    ['a dog barks', 'rain falls'].map((phrase): AlignmentPair => {
      const onset = Math.round(rng.uniform() * 40) * step
      const truth = rng.uniform() < 0.7 ? [{ onset, offset: onset + 0.6 }] : []
      const curve = { scores: new Float32Array(100), frameStep: step, start: 0 }
      const labels = frameLabels(truth, curve)
      const scores = curve.scores.map((_, i) => rng.uniform() + knowledge * labels[i]!)
      return { clip: `clip ${c}`, phrase, duration: 2, truth, curve: { ...curve, scores } }
    }),
  ).flat()
}

describe('evaluateAlignment', () => {
  it('perfect scores are perfect, with both baselines below', async () => {
    const pairs = pairsOf(10).map((pair) => ({
      ...pair,
      curve: { ...pair.curve!, scores: pair.curve!.scores.map((score) => (score > 5 ? 1 : 0)) },
    }))
    const { measures, psdsOver, missing, clips, phrases, threshold } = await evaluateAlignment(pairs)
    expect({ psdsOver, missing, clips, phrases, threshold }).toEqual({
      psdsOver: 'phrases',
      missing: 0,
      clips: 24,
      phrases: 2,
      threshold: 0.01,
    })
    for (const [name, { value, interval, random, clipLevel }] of Object.entries(measures)) {
      expect(value, name).toBeCloseTo(1, 9)
      expect(interval![1], name).toBe(1)
      // To call every frame active has recall 1.
      if (name === 'frame recall') continue
      expect(random, name).toBeLessThan(0.97)
      // A tenth of a whole clip being the event is enough for PSDS 2.
      if (name !== 'PSDS2') expect(clipLevel!, name).toBeLessThan(0.97)
    }
    expect(measures['timing AUROC']!.clipLevel).toBe(0.5)
    expect(Math.abs(measures['timing AUROC']!.random - 0.5)).toBeLessThan(0.1)
  })

  it('more knowledge, larger measures; the intervals hold the value', async () => {
    const [little, much] = [await evaluateAlignment(pairsOf(0.3)), await evaluateAlignment(pairsOf(1.5))]
    for (const [name, { value, interval }] of Object.entries(little.measures)) {
      if (name.startsWith('PSDS')) continue
      if (name !== 'frame recall') expect(much.measures[name as 'AUROC']!.value, name).toBeGreaterThan(value)
      expect(interval![0]).toBeLessThan(value)
      expect(interval![1]).toBeGreaterThan(value)
    }
    expect(little.perPhrase.map(({ phrase, pairs }) => [phrase, pairs])).toEqual([
      ['a dog barks', 24],
      ['rain falls', 24],
    ])
    const auroc = little.perPhrase.map(({ values }) => values.AUROC!)
    expect((auroc[0]! + auroc[1]!) / 2).toBeCloseTo(little.measures.AUROC!.value, 12)
  })

  it('phrases of each clip alone: the pairs are the clips of PSDS', async () => {
    const pairs = pairsOf(1).map((pair, i) => ({ ...pair, phrase: `${pair.phrase} ${i}` }))
    const { psdsOver, perPhrase, measures } = await evaluateAlignment(pairs)
    expect(psdsOver).toBe('pairs')
    expect(perPhrase[0]!.values.PSDS1).toBeUndefined()
    expect(measures.PSDS1!.value).toBeGreaterThan(0)
  })

  it('segments alone give no measures of scores; what is missing is not found', async () => {
    const pairs: AlignmentPair[] = [
      {
        clip: 'a',
        phrase: 'x',
        duration: 2,
        truth: [{ onset: 0.5, offset: 1.5 }],
        segments: [{ onset: 0.5, offset: 1.5 }],
      },
      { clip: 'b', phrase: 'x', duration: 2, truth: [{ onset: 0, offset: 1 }] },
      { clip: 'c', phrase: 'x', duration: 2, truth: [], segments: [] },
    ]
    const { measures, missing, psdsOver } = await evaluateAlignment(pairs)
    expect({ missing, psdsOver }).toEqual({ missing: 1, psdsOver: null })
    expect(Object.keys(measures)).toEqual([
      'frame F1',
      'frame precision',
      'frame recall',
      'segment IoU',
      'event F1',
    ])
    expect(measures['frame precision']!.value).toBe(1)
    expect(measures['frame recall']!.value).toBeCloseTo(0.5, 12)
    expect(measures['segment IoU']!.value).toBeCloseTo(2 / 3, 12)
    expect(measures['event F1']!.value).toBeCloseTo(2 / 3, 12)
    expect(measures['segment IoU']!.clipLevel).toBeNull()
  })

  it('phrases that are nowhere: no AUROC, no PSDS, and nothing found is right', async () => {
    const pairs = pairsOf(0, 3).map((pair) => ({ ...pair, truth: [], segments: [] }))
    const { measures, psdsOver } = await evaluateAlignment(pairs)
    expect(psdsOver).toBeNull()
    expect(measures.AUROC!.value).toBeNaN()
    expect(measures['event F1']!.value).toBe(1)
    expect(measures['segment IoU']!.value).toBe(1)
  })

  it('refuses what is no pair', async () => {
    const [pair] = pairsOf(1, 1) as [AlignmentPair]
    const bad: [Partial<AlignmentPair>, RegExp][] = [
      [{ duration: 0 }, /seconds above 0 for duration of "clip 0"/],
      [{ truth: [{ onset: 1, offset: 1 }] }, /"a dog barks" in "clip 0": expected 0 ≤ onset < offset/],
      [{ segments: [{ onset: Number.NaN, offset: 1 }] }, /got NaN and 1/],
      [
        { curve: { ...pair.curve!, scores: Float32Array.of(Number.NaN) } },
        /expected scores that are numbers/,
      ],
      [{ curve: { ...pair.curve!, frameStep: 0 } }, /a step above 0/],
    ]
    for (const [change, message] of bad)
      await expect(evaluateAlignment([{ ...pair, ...change }])).rejects.toThrow(message)
    await expect(evaluateAlignment([pair, pair])).rejects.toThrow(/is given twice/)
    await expect(evaluateAlignment([])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})

describe('parts', () => {
  it('scores are ordered as numbers are, equal ones by index', () => {
    const float = fc.float({ noNaN: true })
    fc.assert(
      fc.property(fc.array(float), (values) => {
        const scores = Float32Array.from(values)
        const want = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b)
        // Two infinities differ by NaN.
        if (values.every(Number.isFinite)) expect([...new ScoreOrder().of(scores)]).toEqual(want)
      }),
    )
    expect([...new ScoreOrder().of(Float32Array.of(-0, 0, Infinity, -Infinity, -1))]).toEqual([2, 0, 1, 4, 3])
  })

  it('the interval of AUROC: as wide as clips differ', () => {
    const curve = (scores: number[]) => ({ scores: Float32Array.from(scores), frameStep: 1, start: 0 })
    const truth = [{ onset: 0, offset: 2 }]
    const names = { phrases: Array<string>(8).fill('x'), clips: Array.from({ length: 8 }, (_, i) => `${i}`) }
    const good = Array.from({ length: 8 }, () => curve([3, 4, 1, 2]))
    const same = aurocByPhrase(good, Array(8).fill(truth), names)
    expect([same.value, same.interval]).toEqual([1, [1, 1]])
    const mixed = good.map((one, i) => (i < 3 ? curve([1, 2, 3, 4]) : one))
    const { value, interval } = aurocByPhrase(mixed, Array(8).fill(truth), names)
    expect(interval![0]).toBeLessThan(value - 0.1)
    // Every frame twice is no more knowledge where the clip is what is drawn.
    const twice = mixed.map(({ scores }) => curve([...scores].flatMap((score) => [score, score])))
    const doubled = aurocByPhrase(twice, Array(8).fill([{ onset: 0, offset: 4 }]), names)
    expect(doubled.interval![0]).toBeCloseTo(interval![0], 12)
  })

  it('intersection over union: in [0, 1], symmetric, 1 with itself, whatever overlaps', () => {
    const span = fc
      .tuple(fc.double({ min: 0, max: 50, noNaN: true }), fc.double({ min: 0.01, max: 9, noNaN: true }))
      .map(([onset, length]): TimeSpan => ({ onset, offset: onset + length }))
    const spans = fc.array(span, { maxLength: 6 })
    fc.assert(
      fc.property(spans, spans, (a, b) => {
        const iou = segmentIou(a, b)
        expect(iou).toBeGreaterThanOrEqual(0)
        expect(iou).toBeLessThanOrEqual(1 + 1e-9)
        expect(segmentIou(b, a)).toBeCloseTo(iou, 9)
        expect(segmentIou(a, [...a, ...a])).toBeCloseTo(1, 9)
      }),
    )
  })

  it('as many events are matched as can be, not as come first', () => {
    const at = (onset: number): TimeSpan => ({ onset, offset: onset + 1 })
    // The first found event fits both true ones, the second only the first.
    expect(matchEvents([at(0.1), at(-0.1 + 0.1)], [at(0.15), at(0.25)]).hits).toBe(2)
    expect(matchEvents([at(0)], [at(0.05), at(0.1)])).toEqual({ hits: 1, found: 1, active: 2 })
    expect(matchEvents([at(0.21)], [at(0)]).hits).toBe(0)
  })

  it('stretches above a threshold are frames’ own times', () => {
    const curve = { scores: Float32Array.of(0.5, 0.75, 0.25, 1), frameStep: 0.5, start: 2 }
    expect(spansAbove(curve, 0.5)).toEqual([
      { onset: 2, offset: 3, score: 0.625 },
      { onset: 3.5, offset: 4, score: 1 },
    ])
  })
})

describe('evaluateMoments', () => {
  const query = (id: string, found: [number, number, number][]): MomentQuery => ({
    id,
    recording: `v${id}`,
    duration: 100,
    truth: [{ onset: 10, offset: 20 }],
    found: found.map(([onset, offset, score]) => ({ onset, offset, score })),
  })

  it('the best window decides R1, each truth is matched once, and ten windows count', () => {
    const worse = Array.from({ length: 10 }, (_, i): [number, number, number] => [50, 60, 2 + i])
    const { measures, perQuery, withoutFound } = evaluateMoments([
      query('a', [
        [10, 20, 1],
        [10, 20, 0.5],
      ]),
      query('b', [
        [12, 20, 0.1],
        [80, 90, 0.9],
      ]),
      query('c', [...worse, [10, 20, 1]]),
      query('d', []),
    ])
    expect(perQuery.map(({ values }) => values['R1@0.5'])).toEqual([1, 0, 0, 0])
    expect(perQuery.map(({ values }) => values['mAP@0.5'])).toEqual([1, 0.5, 0, 0])
    // .8 of the union: found up to .8.
    expect(perQuery[1]!.values.mAP).toBeCloseTo((7 * 0.5) / 10, 12)
    expect(withoutFound).toBe(1)
    expect(measures['R1@0.5'].value).toBe(0.25)
    expect(measures.mIoU.whole).toBeCloseTo(0.1, 12)
    expect(measures.mAP.random).toBeLessThan(0.2)
  })

  it('average precision: at most recall reached, and 1 for the truth itself', () => {
    const span = fc
      .tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 1, max: 9 }))
      .map(([onset, length]): TimeSpan => ({ onset, offset: onset + length }))
    fc.assert(
      fc.property(
        fc.array(span, { maxLength: 8 }),
        fc.array(span, { minLength: 1, maxLength: 4 }),
        (found, truth) => {
          const ap = windowAveragePrecision(found, truth, 0.5)
          expect(ap).toBeGreaterThanOrEqual(0)
          expect(ap).toBeLessThanOrEqual(Math.min(1, found.length / truth.length) + 1e-12)
          expect(windowAveragePrecision(truth, truth, 0.95)).toBeCloseTo(1, 12)
        },
      ),
    )
  })

  it('queries without a truth are left out and counted; with none at all it refuses', () => {
    const absent = { ...query('e', [[1, 2, 1]]), truth: [] }
    expect(evaluateMoments([query('a', [[10, 20, 1]]), absent])).toMatchObject({
      queries: 1,
      withoutTruth: 1,
    })
    expect(() => evaluateMoments([absent])).toThrow(/queries with true windows, got none of 1/)
    expect(() => evaluateMoments([query('a', [[5, 4, 1]])])).toThrow(/query "a": expected 0 ≤ onset < offset/)
    expect(() => evaluateMoments([query('a', [])], { windows: 0 })).toThrow(
      /a whole number from 1 for windows/,
    )
  })
})

describe('retrievalPools', () => {
  const clips = 40
  const captionClip = Array.from({ length: 3 * clips }, (_, j) => j % clips)
  const filled = (score: (clip: number, caption: number) => number) =>
    matrix(
      clips,
      3 * clips,
      Float32Array.from({ length: 3 * clips * clips }, (_, i) =>
        score(Math.floor(i / (3 * clips)), i % (3 * clips)),
      ),
    )

  it('a perfect score finds all, an equal one nothing, and chance is chance', () => {
    const perfect = retrievalPools(
      filled((clip, caption) => Number(captionClip[caption] === clip)),
      captionClip,
    )
    expect(perfect.audioToText['R@1']).toEqual({ mean: 1, deviation: 0, chance: 1 / 30 })
    const equal = retrievalPools(
      filled(() => 1),
      captionClip,
    )
    expect(equal.textToAudio['R@5']!.mean).toBe(0)
    const rng = new Rng(5, 'pool')
    const many = 1000
    const drawn = matrix(
      many,
      many,
      Float32Array.from({ length: many * many }, () => rng.uniform()),
    )
    const random = retrievalPools(
      drawn,
      Array.from({ length: many }, (_, j) => j),
    )
    for (const direction of [random.audioToText, random.textToAudio]) {
      expect(Math.abs(direction['R@1']!.mean - 1 / 30)).toBeLessThan(0.015)
      expect(Math.abs(direction['R@5']!.mean - 5 / 30)).toBeLessThan(0.03)
      expect(direction['R@5']!.deviation).toBeGreaterThan(0.002)
    }
  })

  it('refuses pools larger than the collection', () => {
    expect(() =>
      retrievalPools(
        filled(() => 0),
        captionClip,
        { pool: 41 },
      ),
    ).toThrow(/41 clips with captions for a pool, got 40/)
    expect(() =>
      retrievalPools(
        filled(() => Number.NaN),
        captionClip,
      ),
    ).toThrow(/NaN/)
    expect(() =>
      retrievalPools(
        filled(() => 0),
        [0],
      ),
    ).toThrow(/captionClip/)
  })
})
