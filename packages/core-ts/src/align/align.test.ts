import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matrix } from '../base/matrix.js'
import {
  activeSpans,
  align,
  type AlignScorer,
  calibratedScaling,
  calibrationOf,
  decodeSegments,
  medianFilter,
  minMaxScaling,
  scoreClip,
  type ScoreMap,
  shareBelow,
} from './index.js'

/** A map of scores given phrase by phrase. */
const mapOf = (columns: number[][], frameStep = 0.1, start = 0): ScoreMap => {
  const scores = matrix(columns[0]!.length, columns.length)
  for (const [p, column] of columns.entries())
    for (const [t, value] of column.entries()) scores.data[t * columns.length + p] = value
  return { scores, frameStep, start }
}

/** Scores of a clip word by word, in pieces of `piece` frames. */
function scorerOf(words: Record<string, number[]>, piece = Infinity): AlignScorer<string> {
  return {
    async prepare(phrases) {
      const known = phrases.map((phrase) =>
        phrase
          .toLowerCase()
          .split(' ')
          .filter((word) => word in words),
      )
      const used = known.flat()
      return {
        phrases,
        columns: Int32Array.from(known.flatMap((own, p) => own.map(() => p))),
        async *score() {
          const frames = Object.values(words)[0]?.length ?? 0
          for (let from = 0; from < frames; from += piece) {
            const until = Math.min(frames, from + piece)
            const scores = matrix(until - from, used.length)
            for (const [c, word] of used.entries())
              for (let t = from; t < until; t++) scores.data[(t - from) * used.length + c] = words[word]![t]!
            yield { scores, frameStep: 0.1, start: from * 0.1 }
          }
        },
        [Symbol.dispose]() {},
      }
    },
  }
}

const plain = { median: 0, hysteresis: 0, maxGap: 0, minLength: 0 }
const spans = (map: ScoreMap, options = {}) =>
  decodeSegments(
    map,
    Array.from({ length: map.scores.cols }, (_, p) => `p${p}`),
    { ...plain, ...options },
  ).map(({ phrase, onset, offset }) => [phrase, Number(onset.toFixed(6)), Number(offset.toFixed(6))])

describe('align', () => {
  const dogThenRain = scorerOf({
    dog: [0, 0.9, 0.9, 0.9, 0.9, 0, 0, 0, 0, 0, 0, 0],
    rain: [0, 0, 0, 0, 0, 0, 0, 0.8, 0.8, 0.8, 0.8, 0.8],
  })

  it('finds where the phrases of a caption are', async () => {
    const segments = await align(dogThenRain, 'clip', 'A dog barks, then rain falls')
    expect(segments.map(({ phrase }) => phrase)).toEqual(['A dog barks', 'rain falls'])
    const [dog, rain] = segments
    expect([dog!.onset, dog!.offset, rain!.onset, rain!.offset].map((s) => s.toFixed(1))).toEqual([
      '0.1',
      '0.5',
      '0.7',
      '1.2',
    ])
    expect(dog!.score).toBeCloseTo(0.9, 6)
    expect(dog).not.toHaveProperty('confidence')
  })

  it('takes phrases as they are given', async () => {
    const segments = await align(dogThenRain, 'clip', ['rain and dog'], { words: 'max', maxGap: 0 })
    expect(segments.map(({ phrase }) => phrase)).toEqual(['rain and dog', 'rain and dog'])
  })

  it('gives the same for pieces as for the whole', async () => {
    const words = { dog: [0.1, 0.9, 0.8, 0.2, 0.1, 0.7, 0.9], rain: [0.5, 0.5, 0.1, 0.4, 0.9, 0.9, 0.2] }
    const whole = await align(scorerOf(words), 'clip', ['dog', 'rain'])
    expect(whole.length).toBeGreaterThan(0)
    for (const piece of [1, 2, 3])
      expect(await align(scorerOf(words, piece), 'clip', ['dog', 'rain'])).toEqual(whole)
  })

  it.each(['', '  ', '?!', 'and then'])(
    'refuses the caption %j, in which nothing is said',
    async (caption) => {
      await expect(align(dogThenRain, 'clip', caption)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    },
  )

  it('refuses no phrase at all, and one without a word', async () => {
    await expect(align(dogThenRain, 'clip', [])).rejects.toThrow(/one phrase or more/)
    await expect(align(dogThenRain, 'clip', ['dog', '!'])).rejects.toThrow(
      /Expected words for phrase 1, got "!"/,
    )
  })

  it('answers that a phrase without a known word, and one of constant score, is not there', async () => {
    expect(await align(dogThenRain, 'clip', 'a zither plays')).toEqual([])
    const flat = scorerOf({ hum: new Array<number>(20).fill(0.4) })
    expect(await align(flat, 'clip', ['hum'])).toEqual([])
  })

  it('finds nothing in a clip without frames, and may find one in a clip of one', async () => {
    expect(await align(scorerOf({ dog: [] }), 'clip', ['dog'])).toEqual([])
    expect(await align(scorerOf({ dog: [0.9] }), 'clip', ['dog'])).toEqual([])
    const calibration = calibrationOf([mapOf([[0.1, 0.1, 0.1, 0.8]])], ['dog'])
    expect(
      await align(scorerOf({ dog: [0.9] }), 'clip', ['dog'], { calibration, minLength: 0 }),
    ).toHaveLength(1)
  })

  it('says which scores are no numbers', async () => {
    await expect(align(scorerOf({ dog: [0, NaN] }), 'clip', ['dog'])).rejects.toMatchObject({
      code: 'INVALID_DATA',
    })
  })

  it('says which options are out of range, before anything is scored', async () => {
    const unread: AlignScorer<string> = { prepare: () => Promise.reject(new Error('scored')) }
    for (const options of [
      { threshold: 2 },
      { hysteresis: -1 },
      { median: -1 },
      { maxGap: NaN },
      { minLength: Infinity },
    ])
      await expect(align(unread, 'clip', ['dog'], options)).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      })
  })
})

describe('segments of scores', () => {
  it('begin at the threshold and last to the lower one', () => {
    const map = mapOf([[0, 0.45, 0.6, 0.45, 0.1, 0.45, 0.2, 1]])
    expect(spans(map)).toEqual([
      ['p0', 0.2, 0.3],
      ['p0', 0.7, 0.8],
    ])
    expect(spans(map, { hysteresis: 0.1 })).toEqual([
      ['p0', 0.1, 0.4],
      ['p0', 0.7, 0.8],
    ])
    expect(spans(map, { threshold: 0.4 })).toEqual([
      ['p0', 0.1, 0.4],
      ['p0', 0.5, 0.6],
      ['p0', 0.7, 0.8],
    ])
  })

  it('are joined over short gaps, and left out when they are short', () => {
    const map = mapOf([[1, 0, 1, 0, 0, 1, 0]])
    expect(spans(map, { maxGap: 0.2 })).toEqual([
      ['p0', 0, 0.3],
      ['p0', 0.5, 0.6],
    ])
    expect(spans(map, { maxGap: 0.2, minLength: 0.2 })).toEqual([['p0', 0, 0.3]])
  })

  it('begin where the map does', () => {
    expect(spans({ ...mapOf([[0, 1]]), start: 7 })).toEqual([['p0', 7.1, 7.2]])
  })

  it('have times without the noise of sums', () => {
    const [found] = decodeSegments(mapOf([[0, 0, 0, 1, 1, 1, 0]]), ['p'], plain)
    expect([found!.onset, found!.offset]).toEqual([0.3, 0.6])
  })

  it('do not go beyond the end of the recording', () => {
    expect(spans({ ...mapOf([[0, 1, 1]], 0.5), end: 1.2 })).toEqual([['p0', 0.5, 1.2]])
  })

  it('honour an order only where it is not kept already', () => {
    const early = mapOf([
      [0, 0, 0, 1, 1, 1],
      [0.6, 0, 0, 0, 1, 1],
    ])
    const before = [{ kind: 'before', first: 0, second: 1 }] as const
    expect(spans(early)).toContainEqual(['p1', 0, 0.1])
    expect(spans(early, { relations: before })).toEqual([
      ['p0', 0.3, 0.6],
      ['p1', 0.4, 0.6],
    ])
    expect(spans(early, { relations: before, order: 'ends' })).toEqual([['p0', 0.3, 0.6]])
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 30 }),
        (column) => {
          const late = mapOf([
            [1, ...column.map(() => 0)],
            [0, ...column],
          ])
          const options = { hysteresis: 0.2, maxGap: 0.3 }
          expect(spans(late, { ...options, relations: before })).toEqual(spans(late, options))
        },
      ),
    )
  })

  it('lie in the map, ascend and do not meet, whatever the scores', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 1, maxLength: 60 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 0.5, noNaN: true }),
        (column, threshold, seconds) => {
          let last = -1
          for (const { onset, offset } of decodeSegments(mapOf([column]), ['p'], {
            threshold,
            maxGap: seconds,
            minLength: seconds,
          })) {
            expect(onset).toBeGreaterThan(last)
            expect(offset - onset).toBeGreaterThanOrEqual(Math.max(seconds, 0.1) - 1e-6)
            expect(offset).toBeLessThanOrEqual(column.length * 0.1 + 1e-9)
            last = offset
          }
        },
      ),
    )
  })
})

describe('scales', () => {
  it('min–max runs from 0 to 1, and stays at 0 for a constant', () => {
    const { data } = minMaxScaling()(
      mapOf([
        [2, 4, 3],
        [7, 7, 7],
      ]).scores,
    )
    expect([...data]).toEqual([0, 0, 1, 0, 0.5, 0])
  })

  it('a calibrated one is 0 at the floor and 0.5 at the threshold', () => {
    const scale = calibratedScaling([{ phrase: 'p', threshold: 0.6, floor: 0.2, quantiles: [0, 1] }])
    const { data } = scale(mapOf([[0.2, 0.4, 0.6, 0.8, 1, 9, -9]]).scores)
    expect(Array.from(data, (value) => Number(value.toFixed(6)))).toEqual([0, 0.25, 0.5, 0.75, 1, 1, 0])
    expect(() => scale(mapOf([[1], [1]]).scores)).toThrow(/2 entries/)
  })
})

describe('calibration', () => {
  it('puts the threshold between two groups of scores', () => {
    const quiet = Array.from({ length: 90 }, (_, t) => 0.1 + (t % 10) / 100)
    const loud = Array.from({ length: 10 }, (_, t) => 0.8 + t / 100)
    const [found] = calibrationOf([mapOf([quiet]), mapOf([loud])], ['dog'])
    expect(found!.threshold).toBeGreaterThan(0.19)
    expect(found!.threshold).toBeLessThan(0.8)
    expect(found!.floor).toBeCloseTo(0.14, 1)
    expect(found!.quantiles).toHaveLength(101)
    expect(shareBelow(found!, 0.5)).toBeCloseTo(0.9, 1)
    expect([shareBelow(found!, 0), shareBelow(found!, 2)]).toEqual([0, 1])
  })

  it('finds no match where every score is the same', () => {
    const calibration = calibrationOf([mapOf([[0.3, 0.3, 0.3]])], ['dog'])
    expect(calibration[0]!.threshold).toBe(Infinity)
    expect(decodeSegments(mapOf([[0.3, 0.3]]), ['dog'], { calibration })).toEqual([])
  })

  it('needs frames', () => {
    expect(() => calibrationOf([], ['dog'])).toThrow(/recordings with frames/)
  })

  it('gives segments the share of the scores below theirs', () => {
    const [flat] = calibrationOf([mapOf([Array.from({ length: 101 }, (_, t) => t / 100)])], ['dog'])
    const calibration = [{ ...flat!, threshold: 0.6 }]
    const [segment] = decodeSegments(mapOf([[0, 0.9, 0.9]]), ['dog'], { ...plain, calibration })
    expect(segment!.confidence).toBeCloseTo(0.9, 2)
  })

  it('takes scores that spread evenly for noise', () => {
    const calibration = calibrationOf([mapOf([Array.from({ length: 101 }, (_, t) => t / 100)])], ['dog'])
    expect(calibration[0]!.threshold).toBeGreaterThan(1)
    expect(decodeSegments(mapOf([[0, 0.9, 1]]), ['dog'], { ...plain, calibration })).toEqual([])
  })
})

it('scores are smoothed by the mean of the frames around that there are, whatever the pieces', async () => {
  const rain = [0, 0, 6, 0, 3, 1]
  for (const piece of [1, 4, 9]) {
    using prepared = await scorerOf({ rain }, piece).prepare(['rain'])
    const of = async (smooth: number) => [...(await scoreClip(prepared, 'clip', { smooth })).scores.data]
    expect(await of(0)).toEqual(rain)
    // Half a frame to each side is none.
    expect(await of(0.1)).toEqual(rain)
    expect(await of(0.3)).toEqual([0, 2, 2, 3, 4 / 3, 2].map(Math.fround))
    expect(await of(9)).toEqual(rain.map(() => Math.fround(10 / 6)))
    for (const smooth of [Number.NaN, -1, 1e9])
      await expect(scoreClip(prepared, 'clip', { smooth })).rejects.toThrow(/from 0 to 60 seconds for smooth/)
  }
})

it('the median filter is the median of the frames around', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 20 }),
      fc.integer({ min: 0, max: 4 }),
      (scores, half) => {
        const at = (t: number) => scores[Math.min(scores.length - 1, Math.max(0, t))]!
        const wanted = scores.map(
          (_, t) =>
            Array.from({ length: 2 * half + 1 }, (_, i) => at(t + i - half)).sort((a, b) => a - b)[half]!,
        )
        expect([...medianFilter(scores, 2 * half + 1)]).toEqual(wanted)
      },
    ),
  )
})

it('spans are those of the definition, frame by frame', () => {
  expect(activeSpans([1, 0, 1], { threshold: 0.5, hysteresis: 0, maxGap: 1 })).toEqual([
    { first: 0, end: 1 },
    { first: 2, end: 3 },
  ])
  expect(activeSpans([], { threshold: 0.5, hysteresis: 0, maxGap: 1 })).toEqual([])
})
