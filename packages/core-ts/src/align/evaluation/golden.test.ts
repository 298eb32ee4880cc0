import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { describeWithRealData } from '../../testing/real-data/index.js'
import { aurocByPhrase, timingAuroc } from './auroc.js'
import { matchEvents } from './event-matching.js'
import type { ScoreCurve } from './frame-labels.js'
import { frameSweep } from './frame-sweep.js'
import { f1Of } from './jackknife.js'
import { evaluateMoments } from './moments.js'
import { type DetectionClip, psds, psdsScenarios } from './psds.js'
import { segmentIou, type TimeSpan } from '../../segments/time-span.js'

type Pair = readonly [number, number]
interface EventList {
  onset: number
  offset: number
  event_label: string
}
interface EventResult {
  f1: number
  perClass: Record<string, number>
}
interface PsdsResult {
  value: number
  perClass: Record<string, number>
}
type DetectionCase = {
  classes: string[]
  frameStep: number
  clips: (Omit<DetectionClip, 'frameStep'> & { scores: number[][] })[]
} & Record<`${'psds1' | 'psds2'} up to ${100 | 4000}`, PsdsResult>

const golden = JSON.parse(
  readFileSync(new URL('../../../test-data/align/evaluation.json', import.meta.url), 'utf8'),
) as {
  detection: DetectionCase[]
  frames: {
    frameStep: number
    pairs: { clip: string; phrase: string; truth: Pair[]; scores: number[] }[]
    sweep: [number, number, number][]
    auroc: Record<string, number>
    timing: (number | null)[]
  }
  events: {
    lists: { reference: EventList[]; estimated: EventList[] }[]
    default: EventResult
    wide: EventResult
  }
  annotations: Record<'office' | 'street' | 'a001', EventResult>
  moments: {
    queries: {
      id: string
      recording: string
      duration: number
      truth: Pair[]
      found: [number, number, number][]
      values: Record<string, number>
    }[]
    means: Record<string, number>
  }
  iou: { found: Pair[]; truth: Pair[]; iou: number }[]
}

const spanOf = ([onset, offset]: readonly number[]): TimeSpan => ({ onset: onset!, offset: offset! })

describe.each([0, 1])('PSDS of sed_scores_eval, case %i', (index) => {
  const { classes, frameStep, clips, ...results } = golden.detection[index]!
  const about = clips.map((clip) => ({ ...clip, frameStep }))
  const read = (_: string, c: number) => clips.map(({ scores }) => Float32Array.from(scores[c]!))

  it.each(['psds1', 'psds2'] as const)('%s', async (name) => {
    for (const maxFalseRate of [100, 4000] as const) {
      const want = results[`${name} up to ${maxFalseRate}`]
      const scenario = { ...psdsScenarios[name], maxFalseRate }
      const { value, perClass } = await psds(about, classes, read, { scenario })
      expect(value).toBeCloseTo(want.value, 12)
      for (const label of classes) expect(perClass.get(label), label).toBeCloseTo(want.perClass[label]!, 12)
    }
  })
})

describe('frames, against scikit-learn', () => {
  const { pairs, frameStep, sweep, auroc, timing } = golden.frames
  // Thresholds are met exactly in doubles only.
  const curves = pairs.map(({ scores }): ScoreCurve => ({
    scores: Float64Array.from(scores) as never,
    frameStep,
    start: 0,
  }))
  const truth = pairs.map((pair) => pair.truth.map(spanOf))
  const names = { clips: pairs.map(({ clip }) => clip), phrases: pairs.map(({ phrase }) => phrase) }

  it('precision, recall and F1 at 99 thresholds', () => {
    const { points, best } = frameSweep(curves, truth, names.clips)
    expect(points).toHaveLength(99)
    for (const [i, { precision, recall, f1 }] of points.entries()) {
      const [p, r, f] = sweep[i]!
      expect(precision).toBeCloseTo(p, 12)
      expect(recall).toBeCloseTo(r, 12)
      expect(f1).toBeCloseTo(f, 12)
    }
    expect(best.f1).toBeCloseTo(Math.max(...sweep.map(([, , f]) => f)), 12)
  })

  it('AUROC by phrase and within each clip', () => {
    const { value, perPhrase } = aurocByPhrase(curves, truth, names)
    for (const [phrase, want] of Object.entries(auroc)) expect(perPhrase.get(phrase)).toBeCloseTo(want, 12)
    expect(value).toBeCloseTo((auroc['a dog barks']! + auroc['rain falls']!) / 2, 12)
    for (const [i, area] of timingAuroc(curves, truth).entries()) {
      if (timing[i] === null) expect(area).toBeNaN()
      else expect(area).toBeCloseTo(timing[i]!, 12)
    }
  })
})

describe('events, against sed_eval', () => {
  function eventF1(lists: readonly (readonly [EventList[], EventList[]])[], collars = {}): EventResult {
    const labels = [...new Set(lists.flat(2).map((event) => event.event_label))]
    const perClass = labels.map((label) => {
      const sum = { hits: 0, found: 0, active: 0 }
      for (const [reference, estimated] of lists) {
        const own = (list: EventList[]) => list.filter((event) => event.event_label === label)
        const { hits, found, active } = matchEvents(own(estimated), own(reference), collars)
        sum.hits += hits
        sum.found += found
        sum.active += active
      }
      return [label, sum] as const
    })
    const all = { hits: 0, found: 0, active: 0 }
    for (const [, sum] of perClass)
      for (const key of ['hits', 'found', 'active'] as const) all[key] += sum[key]
    return { f1: f1Of(all), perClass: Object.fromEntries(perClass.map(([label, sum]) => [label, f1Of(sum)])) }
  }
  function expectSame(got: EventResult, want: EventResult): void {
    expect(got.f1).toBeCloseTo(want.f1, 12)
    for (const [label, f1] of Object.entries(want.perClass))
      expect(got.perClass[label], label).toBeCloseTo(f1, 12)
  }

  it('drawn lists, default and wide collars', () => {
    const lists = golden.events.lists.map(({ reference, estimated }) => [reference, estimated] as const)
    expectSame(eventF1(lists), golden.events.default)
    expectSame(eventF1(lists, { onset: 0.5, offset: 0.5, offsetShare: 0.2 }), golden.events.wide)
  })

  describeWithRealData('annotations of people and systems', (data) => {
    const rows = (file: string): string[][] =>
      readFileSync(join(data, 'annotations', file), 'utf8')
        .split('\n')
        .filter((line) => line.trim() !== '')
        .map((line) => line.split('\t').map((cell) => cell.trim()))
    const events = (lines: string[][], [onset, offset, label]: readonly number[]): EventList[] =>
      lines.map((cells) => ({
        onset: Number(cells[onset!]),
        offset: Number(cells[offset!]),
        event_label: cells[label!]!,
      }))

    it('one recording a file', () => {
      const office = [
        events(rows('sed_eval/office_snr0_high_v2.txt'), [0, 1, 2]),
        events(rows('sed_eval/office_snr0_high_v2_detected.txt'), [0, 1, 2]),
      ] as const
      expectSame(eventF1([office]), golden.annotations.office)
      const walk = [
        events(rows('sed_vis/a001.ann'), [0, 1, 2]),
        events(rows('sed_vis/a001_system_output.ann'), [1, 2, 3]),
      ] as const
      expectSame(eventF1([walk]), golden.annotations.a001)
    })

    it('several recordings', () => {
      const reference = Map.groupBy(rows('sed_eval/street_fold1_reference.txt'), ([file]) => file!)
      const estimated = Map.groupBy(rows('sed_eval/street_fold1_detected.txt'), ([file]) => file!)
      const files = [...new Set([...reference.keys(), ...estimated.keys()])]
      const lists = files.map(
        (file) =>
          [
            events(reference.get(file) ?? [], [2, 3, 4]),
            events(estimated.get(file) ?? [], [1, 2, 3]),
          ] as const,
      )
      expectSame(eventF1(lists), golden.annotations.street)
    })
  })
})

it('moments, against their definitions', () => {
  const { perQuery, measures } = evaluateMoments(
    golden.moments.queries.map(({ truth, found, ...query }) => ({
      ...query,
      truth: truth.map(spanOf),
      found: found.map((window) => ({ ...spanOf(window), score: window[2] })),
    })),
  )
  for (const [name, mean] of Object.entries(golden.moments.means))
    expect(measures[name as 'mAP'].value, name).toBeCloseTo(mean, 12)
  for (const [i, { values }] of perQuery.entries()) {
    for (const [name, value] of Object.entries(golden.moments.queries[i]!.values))
      expect(values[name as 'mAP'], `${name} of ${i}`).toBeCloseTo(value, 12)
  }
})

it('intersection over union, against a grid of milliseconds', () => {
  for (const { found, truth, iou } of golden.iou)
    expect(segmentIou(found.map(spanOf), truth.map(spanOf))).toBeCloseTo(iou, 12)
})
