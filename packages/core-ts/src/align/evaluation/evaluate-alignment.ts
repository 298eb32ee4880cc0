import { checkOptions } from '../../base/index.js'
import { clustersOf, type Interval, unitMean } from '../../metrics/index.js'
import { type AlignmentPair, checkPairs } from './alignment-pair.js'
import { aurocByPhrase, timingAuroc } from './auroc.js'
import { type EventCollars, matchEvents } from './event-matching.js'
import { type Found, foundAtRandom, foundByClip, foundOf } from './found.js'
import { type FrameSweep, frameSweep, type OperatingPoint } from './frame-sweep.js'
import { type F1Counts, f1Of, jackknifeByClip } from './jackknife.js'
import { pairsPsds } from './pairs-psds.js'
import { segmentIou } from '../../segments/time-span.js'

/** Options of {@link evaluateAlignment}. */
export interface EvaluateAlignmentOptions {
  /** How far the ends of events may be off. */
  readonly collars?: EventCollars
  /** Seed of the random baseline; default 17. */
  readonly seed?: number
}

/** The measures that need scores over time are absent where only segments were given. */
export type AlignmentMeasureName =
  | 'frame F1'
  | 'frame precision'
  | 'frame recall'
  | 'AUROC'
  | 'timing AUROC'
  | 'segment IoU'
  | 'event F1'
  | 'PSDS1'
  | 'PSDS2'

/** A measure with its 95 % interval, clips drawn at random, and what two baselines get on the same pairs. */
export interface AlignmentMeasure {
  readonly value: number
  readonly interval: Interval | null
  /** Scores drawn uniformly for each frame. */
  readonly random: number
  /** The mean of each pair's scores, spread over its whole time; null where only segments were given. */
  readonly clipLevel: number | null
}

/** The measures of one phrase over all its pairs. */
export interface PhraseAlignment {
  readonly phrase: string
  readonly pairs: number
  /** NaN where a measure does not apply: AUROC without frames of both kinds, PSDS without events. */
  readonly values: Readonly<Partial<Record<AlignmentMeasureName, number>>>
}

/** What {@link evaluateAlignment} found. */
export interface AlignmentEvaluation {
  readonly clips: number
  readonly phrases: number
  readonly pairs: number
  /** Pairs for which nothing was given: taken as not found. */
  readonly missing: number
  readonly measures: Readonly<Partial<Record<AlignmentMeasureName, AlignmentMeasure>>>
  /** Of the frame F1, precision and recall: chosen on these data. */
  readonly threshold: number
  readonly sweep: readonly OperatingPoint[]
  /** What PSDS takes as classes: the phrases where each is asked of every clip, else the pairs as clips of one class. */
  readonly psdsOver: 'phrases' | 'pairs' | null
  readonly perPhrase: readonly PhraseAlignment[]
}

/**
 * Where phrases were found against where they are. Frame measures scale each pair's scores to [0, 1] over its clip first (Xie et al.
 * 2022), AUROC and PSDS take them as they are. Where only segments are given, frames of 20 ms are 1 inside them and 0 elsewhere.
 * @throws SonotextError INVALID_ARGUMENT without pairs, INVALID_DATA for times that are none, NaN scores, a pair given twice
 */
export async function evaluateAlignment(
  pairs: readonly AlignmentPair[],
  options: EvaluateAlignmentOptions = {},
): Promise<AlignmentEvaluation> {
  const { collars = {}, seed = 17 } = checkOptions(options, 'evaluateAlignment')
  checkPairs(pairs)
  const scored = pairs.some(({ curve }) => curve !== undefined)
  const given = pairs.map((pair) => foundOf(pair, scored))
  const own = await measured(pairs, given, scored, collars)
  const curves = given.map(({ curve }) => curve)
  const random = await measured(pairs, foundAtRandom(curves, seed), scored, collars)
  const level = scored ? await measured(pairs, foundByClip(curves), scored, collars) : null
  const measures = Object.fromEntries(
    Array.from(own.values, ([name, { value, interval }]) => [
      name,
      {
        value,
        interval,
        random: random.values.get(name)!.value,
        clipLevel: level?.values.get(name)!.value ?? null,
      },
    ]),
  ) as AlignmentEvaluation['measures']
  return {
    clips: new Set(pairs.map(({ clip }) => clip)).size,
    phrases: own.perPhrase.length,
    pairs: pairs.length,
    missing: pairs.filter(({ curve, segments }) => curve === undefined && segments === undefined).length,
    measures,
    threshold: own.sweep.best.threshold,
    sweep: own.sweep.points,
    psdsOver: own.psdsOver,
    perPhrase: own.perPhrase,
  }
}

interface Measured {
  readonly values: Map<AlignmentMeasureName, { readonly value: number; readonly interval: Interval | null }>
  readonly perPhrase: readonly PhraseAlignment[]
  readonly sweep: FrameSweep
  readonly psdsOver: 'phrases' | 'pairs' | null
}

async function measured(
  pairs: readonly AlignmentPair[],
  found: readonly Found[],
  scored: boolean,
  collars: EventCollars,
): Promise<Measured> {
  const truth = pairs.map((pair) => pair.truth)
  const names = { phrases: pairs.map(({ phrase }) => phrase), clips: pairs.map(({ clip }) => clip) }
  const scaled = found.map((pair) => pair.scaled)
  const curves = found.map(({ curve }) => curve)
  const values: Measured['values'] = new Map()
  const byPhrase = new Map<AlignmentMeasureName, (phrase: string, pairs: readonly number[]) => number>()

  const sweep = frameSweep(scaled, truth, names.clips)
  values.set('frame F1', { value: sweep.best.f1, interval: sweep.intervals.f1 })
  values.set('frame precision', { value: sweep.best.precision, interval: sweep.intervals.precision })
  values.set('frame recall', { value: sweep.best.recall, interval: sweep.intervals.recall })
  byPhrase.set('frame F1', (_, own) => f1Of(sumOf(own, sweep.perPair)))

  if (scored) {
    const auroc = aurocByPhrase(curves, truth, names)
    values.set('AUROC', auroc)
    byPhrase.set('AUROC', (phrase) => auroc.perPhrase.get(phrase)!)
    const timing = timingAuroc(curves, truth)
    values.set('timing AUROC', meanByClip(timing, names.clips))
    byPhrase.set('timing AUROC', (_, own) => meanOf(own.map((pair) => timing[pair]!)))
  }

  const ious = Float64Array.from(found, ({ segments }, pair) => segmentIou(segments, truth[pair]!))
  values.set('segment IoU', meanByClip(ious, names.clips))
  byPhrase.set('segment IoU', (_, own) => meanOf(own.map((pair) => ious[pair]!)))

  const events = found.map(({ segments }, pair) => matchEvents(segments, truth[pair]!, collars))
  const all = sumOf([...events.keys()], events)
  values.set('event F1', { value: f1Of(all), interval: jackknifeByClip(events, names.clips, f1Of) })
  byPhrase.set('event F1', (_, own) => f1Of(sumOf(own, events)))

  let psdsOver: Measured['psdsOver'] = null
  if (scored && truth.some((spans) => spans.length > 0)) {
    const scores = await pairsPsds(pairs, curves)
    psdsOver = scores.over
    for (const [name, { value, interval, perClass }] of [
      ['PSDS1', scores.psds1],
      ['PSDS2', scores.psds2],
    ] as const) {
      values.set(name, { value, interval })
      if (psdsOver === 'phrases') byPhrase.set(name, (phrase) => perClass.get(phrase) ?? Number.NaN)
    }
  }
  const perPhrase = Array.from(
    Map.groupBy(pairs.keys(), (pair) => names.phrases[pair]!),
    ([phrase, own]) => ({
      phrase,
      pairs: own.length,
      values: Object.fromEntries(Array.from(byPhrase, ([name, of]) => [name, of(phrase, own)])),
    }),
  )
  return { values, perPhrase, sweep, psdsOver }
}

/** Mean over the pairs that have a value, clips drawn at random. */
function meanByClip(
  values: Float64Array,
  clips: readonly string[],
): { value: number; interval: Interval | null } {
  const own = [...values.keys()].filter((pair) => !Number.isNaN(values[pair]))
  const kept = Float64Array.from(own, (pair) => values[pair]!)
  const value = kept.reduce((sum, one) => sum + one, 0) / kept.length
  return { value, interval: unitMean.byCluster(kept, clustersOf(own.map((pair) => clips[pair]!))) }
}

function meanOf(values: readonly number[]): number {
  const own = values.filter((value) => !Number.isNaN(value))
  return own.reduce((sum, value) => sum + value, 0) / own.length
}

function sumOf(own: readonly number[], counts: readonly F1Counts[]): F1Counts {
  const sum = { hits: 0, found: 0, active: 0 }
  for (const pair of own) {
    sum.hits += counts[pair]!.hits
    sum.found += counts[pair]!.found
    sum.active += counts[pair]!.active
  }
  return sum
}
