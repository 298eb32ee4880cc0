import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Rng } from '../../base/index.js'
import { type DetectionClip, psds, type PsdsScenario, psdsScenarios } from './psds.js'

interface Case {
  readonly clips: readonly DetectionClip[]
  readonly classes: readonly string[]
  /** [class][clip][frame] */
  readonly scores: readonly (readonly Float32Array[])[]
}

/** Every threshold that is any score of the class, every stretch found again, straight from the definitions; times in whole microseconds. */
function bruteForce({ clips, classes, scores }: Case, scenario: PsdsScenario): number {
  const micros = (seconds: number): number => Math.round(seconds * 1e6)
  const hours = clips.reduce((sum, { duration }) => sum + duration, 0) / 3600
  const eventsOf = (clip: DetectionClip, label: string) =>
    clip.events
      .filter((event) => event.label === label)
      .map(({ onset, offset }) => [micros(onset), micros(offset)] as const)
  const seconds = new Map(
    classes.map((label) => [
      label,
      clips.reduce(
        (sum, { events }) =>
          sum +
          events.reduce((own, event) => own + (event.label === label ? event.offset - event.onset : 0), 0),
        0,
      ),
    ]),
  )
  const present = classes.filter((label) => seconds.get(label)! > 0)
  const curves = present.map((label) => {
    const own = scores[classes.indexOf(label)]!
    const total = clips.reduce((sum, clip) => sum + eventsOf(clip, label).length, 0)
    return [...new Set(own.flatMap((curve) => [...curve]))].map((threshold) => {
      let [hits, falseAlarms, crossTriggers] = [0, 0, 0]
      for (const [c, clip] of clips.entries()) {
        const { frameStep, start = 0 } = clip
        const stretches: [number, number][] = []
        const curve = own[c]!
        for (let i = 0; i < curve.length; i++) {
          if (curve[i]! < threshold) continue
          const first = i
          while (i + 1 < curve.length && curve[i + 1]! >= threshold) i++
          stretches.push([micros(start + first * frameStep), micros(start + (i + 1) * frameStep)])
        }
        const shared = (a: readonly [number, number], b: readonly [number, number]): number =>
          Math.max(0, Math.min(a[1], b[1]) - Math.max(a[0], b[0]))
        const truth = eventsOf(clip, label)
        const covers = (stretch: [number, number], events: readonly (readonly [number, number])[]): number =>
          events.reduce((sum, event) => sum + shared(stretch, event), 0)
        const share = (part: number, [a, b]: readonly [number, number]): number => Math.round(part * (b - a))
        const relevant = stretches.filter((s) => covers(s, truth) >= share(scenario.dtc, s))
        const rest = stretches.filter((s) => covers(s, truth) < share(scenario.dtc, s))
        falseAlarms += rest.length
        hits += truth.filter(
          (event) => relevant.reduce((sum, s) => sum + shared(s, event), 0) >= share(scenario.gtc, event),
        ).length
        if (scenario.cttc === null) continue
        for (const other of present) {
          if (other === label) continue
          const events = eventsOf(clip, other)
          const triggers = rest.filter(
            (s) => events.length > 0 && covers(s, events) >= share(scenario.cttc!, s),
          )
          crossTriggers += triggers.length / seconds.get(other)! / (present.length - 1)
        }
      }
      return {
        hitRate: hits / total,
        falseRate: falseAlarms / hours + scenario.crossTriggerWeight * crossTriggers * 3600,
      }
    })
  })
  const most = scenario.maxFalseRate
  const rates = [
    0,
    ...new Set(curves.flat().flatMap(({ falseRate }) => (falseRate <= most ? [falseRate] : []))),
  ]
  rates.sort((a, b) => a - b)
  let area = 0
  for (const [i, rate] of rates.entries()) {
    const reached = curves.map((points) =>
      Math.max(0, ...points.filter(({ falseRate }) => falseRate <= rate).map(({ hitRate }) => hitRate)),
    )
    const mean = reached.reduce((sum, hit) => sum + hit, 0) / reached.length
    const deviation = Math.sqrt(reached.reduce((sum, hit) => sum + (hit - mean) ** 2, 0) / reached.length)
    area += Math.max(0, mean - scenario.instabilityWeight * deviation) * ((rates[i + 1] ?? most) - rate)
  }
  return area / most
}

const classes = ['a', 'b', 'c']
const step = 0.04

/** Clips of up to 12 frames with scores on few levels, so that ties and joins abound; overlapping events too. */
const cases: fc.Arbitrary<Case> = fc
  .array(
    fc.record({
      scores: fc.array(fc.array(fc.integer({ min: -2, max: 3 }), { minLength: 12, maxLength: 12 }), {
        minLength: 3,
        maxLength: 3,
      }),
      frames: fc.integer({ min: 0, max: 12 }),
      start: fc.constantFrom(0, 0.02),
      events: fc.array(
        fc.record({
          label: fc.constantFrom(...classes),
          at: fc.integer({ min: 0, max: 11 }),
          length: fc.integer({ min: 1, max: 8 }),
        }),
        { maxLength: 4 },
      ),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .filter((clips) => clips.some(({ events }) => events.length > 0))
  .map((clips) => ({
    classes,
    clips: clips.map(({ frames, start, events }, i) => ({
      id: `clip ${i}`,
      duration: 0.5,
      frames,
      frameStep: step,
      start,
      // Half frames, and one that no frame meets.
      events: events.map(({ label, at, length }) => ({
        label,
        onset: (at * step) / 2,
        offset: ((at + length) * step) / 2 + 0.0007,
      })),
    })),
    scores: classes.map((_, c) =>
      clips.map(({ scores, frames }) => Float32Array.from(scores[c]!.slice(0, frames), (s) => s / 3)),
    ),
  }))

/** Clips in which a class that is there scores somewhat higher than one that is not. */
function detected(rng: Rng, count: number): Case {
  const clips = Array.from({ length: count }, (_, c): DetectionClip => {
    const at = rng.int(8)
    const label = classes[c % 3]!
    const event = { label, onset: at * step, offset: (at + 2 + rng.int(3)) * step }
    return { id: `clip ${c}`, duration: 0.5, frames: 12, frameStep: step, events: c % 4 === 3 ? [] : [event] }
  })
  const scores = classes.map((label) =>
    clips.map(({ events }) => {
      // Clips are noisy to different degrees, so that false alarms come one after the other.
      const noise = 20 * rng.uniform()
      return Float32Array.from({ length: 12 }, (_, i) => {
        const there = events.some((e) => e.label === label && i * step >= e.onset && i * step < e.offset)
        return Math.round(noise * rng.uniform() + (there ? 8 : 0))
      })
    }),
  )
  return { clips, classes, scores }
}

const read =
  ({ scores }: Case) =>
  (_: string, index: number) =>
    scores[index]!

describe('PSDS', () => {
  it('over all thresholds at once equals going through each of them', async () => {
    const scenarios = [
      { ...psdsScenarios.psds1, maxFalseRate: 20_000 },
      { ...psdsScenarios.psds2, maxFalseRate: 30_000 },
      { ...psdsScenarios.psds2, dtc: 0.5, gtc: 0.3, cttc: 0.5, maxFalseRate: 9000 },
      { ...psdsScenarios.psds1, maxFalseRate: 3000 },
      { ...psdsScenarios.psds2, dtc: 0, maxFalseRate: 3000 },
    ]
    await fc.assert(
      fc.asyncProperty(cases, fc.constantFrom(...scenarios), async (one, scenario) => {
        const { value } = await psds(one.clips, one.classes, read(one), { scenario })
        expect(Math.abs(value - bruteForce(one, scenario))).toBeLessThan(1e-9)
      }),
      { numRuns: 600, seed: 7 },
    )
  })

  it('equals it too where few false alarms are of interest, and most scores are not looked at', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.constantFrom(600, 1300, 2400, 3600), async (seed, maxFalseRate) => {
        const one = detected(new Rng(seed, 'detector'), 14)
        for (const kind of ['psds1', 'psds2'] as const) {
          const scenario = { ...psdsScenarios[kind], instabilityWeight: 0, maxFalseRate }
          const { value } = await psds(one.clips, one.classes, read(one), { scenario })
          expect(Math.abs(value - bruteForce(one, scenario))).toBeLessThan(1e-9)
          const { value: whole } = await psds(one.clips, one.classes, read(one), { scenario, interval: true })
          expect(Math.abs(value - whole)).toBeLessThan(1e-9)
        }
      }),
      { numRuns: 60, seed: 9 },
    )
  })

  it('does not change when scores are stretched, clips reordered or a silent class is added', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (one) => {
        const scenario = { ...psdsScenarios.psds2, maxFalseRate: 20_000 }
        const { value } = await psds(one.clips, one.classes, read(one), { scenario })
        const stretched = one.scores.map((clips) =>
          clips.map((curve) => curve.map((score) => Math.exp(score) - 5)),
        )
        const turned = {
          ...one,
          clips: one.clips.toReversed(),
          scores: stretched.map((clips) => clips.toReversed()),
        }
        const other = await psds(turned.clips, [...classes, 'd'], (_, i) => turned.scores[i] ?? [], {
          scenario,
        })
        expect(other.value).toBeCloseTo(value, 10)
        expect(other.withoutEvents).toContain('d')
      }),
      { numRuns: 60, seed: 8 },
    )
  })

  const clip = {
    id: 'x',
    duration: 1,
    frames: 4,
    frameStep: 0.25,
    events: [{ label: 'a', onset: 0.25, offset: 0.75 }],
  }
  const one = (scores: number[], options = {}) =>
    psds([clip], ['a'], () => [Float32Array.from(scores)], options)

  it('is 1 for what is exact, 0 for what finds nothing', async () => {
    expect((await one([0, 1, 1, 0])).value).toBe(1)
    expect((await one([1, 0, 0, 1])).value).toBe(0)
    expect((await one([0, 0, 0, 0])).value).toBe(0)
  })

  it('reads scores once a class, in order, and gives an interval by leaving out clips', async () => {
    const reads: string[] = []
    const clips = Array.from({ length: 6 }, (_, i) => ({
      ...clip,
      id: `${i}`,
      events: [...clip.events, { label: 'b', onset: 0, offset: 0.5 }],
    }))
    const { value, interval } = await psds(
      clips,
      ['a', 'b'],
      async function* (label) {
        for (const { id } of clips) {
          reads.push(`${label}${id}`)
          yield Float32Array.of(label === 'b' ? 1 : 0, 1, label === 'a' && id !== '3' ? 1 : 0, 0)
          await Promise.resolve()
        }
      },
      { interval: true },
    )
    expect(reads).toEqual(['a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'b0', 'b1', 'b2', 'b3', 'b4', 'b5'])
    expect(interval![0]).toBeLessThan(value)
    expect(interval![1]).toBeGreaterThan(value)
  })

  it('refuses what does not fit', async () => {
    await expect(one([0, 1])).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/4 scores for the class "a" in "x", got 2/) as string,
    })
    await expect(one([0, 1, Number.NaN, 0])).rejects.toMatchObject({
      code: 'INVALID_DATA',
      message: expect.stringMatching(/NaN at 2/) as string,
    })
    await expect(psds([clip], ['a'], () => [])).rejects.toThrow(/scores of 1 clips for the class "a", got 0/)
    await expect(psds([clip], ['a'], () => Array<Float32Array>(2).fill(new Float32Array(4)))).rejects.toThrow(
      /got "more"/,
    )
    await expect(psds([clip], ['z'], () => [])).rejects.toMatchObject({ code: 'INVALID_DATA' })
    await expect(psds([clip], ['a', 'a'], () => [])).rejects.toThrow(/each class once/)
    await expect(psds([], ['a'], () => [])).rejects.toThrow(/one clip or more/)
    const odd = { ...clip, events: [{ label: 'a', onset: 2, offset: 1 }] }
    await expect(psds([odd], ['a'], () => [])).rejects.toThrow(/clip "x": expected 0 ≤ onset < offset/)
  })
})
