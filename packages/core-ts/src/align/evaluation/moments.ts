import { checkOptions, expected, Rng, SonotextError } from '../../base/index.js'
import { clustersOf, type Interval, unitMean } from '../../metrics/index.js'
import { checkSpans, spanIou, type TimeSpan } from '../../segments/time-span.js'

/** A question to a recording, where it is truly answered, and where it was found. */
export interface MomentQuery {
  readonly id: string
  /** Name of the recording. */
  readonly recording: string
  /** Seconds. */
  readonly duration: number
  readonly truth: readonly TimeSpan[]
  readonly found: readonly (TimeSpan & { readonly score: number })[]
}

/** Options of {@link evaluateMoments}. */
export interface EvaluateMomentsOptions {
  /** How many found windows count, best first. Default 10. */
  readonly windows?: number
  /** Seed of the random baseline; default 17. */
  readonly seed?: number
}

/** A measure with its 95 % interval, recordings drawn at random, and the same measure of two baselines. */
export interface MomentMeasure {
  readonly value: number
  readonly interval: Interval | null
  /** Windows whose ends are drawn uniformly. */
  readonly random: number
  /** The whole recording as the one window. */
  readonly whole: number
}

/** What {@link evaluateMoments} found. */
export interface MomentsEvaluation {
  readonly queries: number
  readonly recordings: number
  /** Queries whose truth has no window: they have no recall and are left out. */
  readonly withoutTruth: number
  /** Queries for which nothing was found: they count 0. */
  readonly withoutFound: number
  readonly measures: Readonly<Record<MomentMeasureName, MomentMeasure>>
  readonly perQuery: readonly {
    readonly id: string
    readonly values: Readonly<Record<MomentMeasureName, number>>
  }[]
}

/** Measures of moment retrieval. */
export type MomentMeasureName = (typeof names)[number]
const names = ['R1@0.5', 'R1@0.7', 'mAP@0.5', 'mAP@0.75', 'mAP', 'mIoU'] as const

/** .5, .55 … .95 */
const thresholds = Array.from({ length: 10 }, (_, i) => (50 + 5 * i) / 100)

/**
 * Moment retrieval as on QVHighlights (Lei et al. 2021): R1@t is the share of queries whose best window overlaps a true one with an
 * intersection over union of at least t; mAP the mean over t = .5, .55 … .95 of the average precision of the best ten windows. Per query
 * first, then means.
 * @throws SonotextError INVALID_DATA for times that are none, and when no query has a true window
 */
export function evaluateMoments(
  queries: readonly MomentQuery[],
  options: EvaluateMomentsOptions = {},
): MomentsEvaluation {
  const { windows = 10, seed = 17 } = checkOptions(options, 'evaluateMoments')
  if (!(Number.isSafeInteger(windows) && windows > 0))
    throw expected('a whole number from 1', 'windows', windows)
  for (const { id, truth, found, duration } of queries) {
    checkSpans([...truth, ...found], `query "${id}"`)
    if (!(duration > 0 && duration < Infinity))
      throw expected('seconds above 0', `duration of "${id}"`, duration)
  }
  const asked = queries.filter(({ truth }) => truth.length > 0)
  if (asked.length === 0) {
    throw new SonotextError(
      'INVALID_DATA',
      `Expected queries with true windows, got none of ${queries.length}.`,
      {
        remedy: 'Give the file with relevant_windows as the truth.',
      },
    )
  }
  const valuesOf = (
    found: (query: MomentQuery) => MomentQuery['found'],
  ): Record<MomentMeasureName, number>[] =>
    asked.map((query) => queryMeasures(best(found(query), windows), query.truth))
  const perQuery = valuesOf(({ found }) => found)
  const random = valuesOf(({ id, duration }) =>
    randomWindows(new Rng(seed, `moments/${id}`), duration, windows),
  )
  const whole = valuesOf(({ duration }) => [{ onset: 0, offset: duration, score: 1 }])
  const clusters = clustersOf(asked.map(({ recording }) => recording))
  const measures = Object.fromEntries(
    names.map((name) => {
      const values = Float64Array.from(perQuery, (of) => of[name])
      const meanOf = (all: readonly Record<MomentMeasureName, number>[]): number =>
        all.reduce((sum, of) => sum + of[name], 0) / all.length
      const baselines = { random: meanOf(random), whole: meanOf(whole) }
      return [name, { value: meanOf(perQuery), interval: unitMean.byCluster(values, clusters), ...baselines }]
    }),
  ) as Record<MomentMeasureName, MomentMeasure>
  return {
    queries: asked.length,
    recordings: clusters.count,
    withoutTruth: queries.length - asked.length,
    withoutFound: asked.filter(({ found }) => found.length === 0).length,
    measures,
    perQuery: asked.map(({ id }, i) => ({ id, values: perQuery[i]! })),
  }
}

/** The windows of largest score, descending; of equal ones the first. */
function best(found: MomentQuery['found'], windows: number): TimeSpan[] {
  return found.toSorted((a, b) => b.score - a.score).slice(0, windows)
}

function queryMeasures(
  found: readonly TimeSpan[],
  truth: readonly TimeSpan[],
): Record<MomentMeasureName, number> {
  const top = found[0]
  const iou = top === undefined ? 0 : Math.max(...truth.map((real) => spanIou(top, real)))
  const precisions = thresholds.map((threshold) => windowAveragePrecision(found, truth, threshold))
  return {
    'R1@0.5': Number(iou >= 0.5),
    'R1@0.7': Number(iou >= 0.7),
    'mAP@0.5': precisions[0]!,
    'mAP@0.75': precisions[5]!,
    mAP: precisions.reduce((sum, precision) => sum + precision, 0) / precisions.length,
    mIoU: iou,
  }
}

/**
 * Area under precision over recall, where precision at a recall is the best at that recall or beyond. Windows come best first; each takes the
 * true one that it overlaps most among those that none took before, if with at least `threshold`.
 */
export function windowAveragePrecision(
  found: readonly TimeSpan[],
  truth: readonly TimeSpan[],
  threshold: number,
): number {
  const taken = new Set<number>()
  const precisions: number[] = []
  for (const [rank, window] of found.entries()) {
    let [most, at] = [0, -1]
    for (const [index, real] of truth.entries()) {
      const iou = taken.has(index) ? 0 : spanIou(window, real)
      if (iou >= threshold && iou > most) [most, at] = [iou, index]
    }
    if (at < 0) continue
    taken.add(at)
    precisions.push(taken.size / (rank + 1))
  }
  let [area, highest] = [0, 0]
  for (const precision of precisions.toReversed()) {
    highest = Math.max(highest, precision)
    area += highest / truth.length
  }
  return area
}

function randomWindows(rng: Rng, duration: number, count: number): MomentQuery['found'] {
  return Array.from({ length: count }, (_, i) => {
    const [a, b] = [rng.uniform() * duration, rng.uniform() * duration]
    return { onset: Math.min(a, b), offset: Math.max(a, b), score: -i }
  })
}
