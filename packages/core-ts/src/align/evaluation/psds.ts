import { checkOptions, expected, SonotextError } from '../../base/index.js'
import { type Clusters, clustersOf, type Interval } from '../../metrics/index.js'
import { ChangeList } from './change-list.js'
import { DetectionChanges, type DetectionCriteria, type OtherEvents } from './detection-changes.js'
import { jackknifeOf } from './jackknife.js'
import { areaUnderMean, type RocSteps } from './roc-steps.js'
import { ScoreFloor } from './score-floor.js'
import { checkSpans, type TimeSpan } from '../../segments/time-span.js'

/** A clip whose events are known, and the frames that every class is scored on. */
export interface DetectionClip {
  readonly id: string
  /** Seconds. */
  readonly duration: number
  readonly frames: number
  /** Seconds between frames. */
  readonly frameStep: number
  /** Seconds at which the first frame begins. Default 0. */
  readonly start?: number
  readonly events: readonly (TimeSpan & { readonly label: string })[]
}

/** What a polyphonic sound detection score tolerates and punishes (Bilen et al. 2020). */
export interface PsdsScenario extends DetectionCriteria {
  /** Weight of cross-triggers beside false alarms. */
  readonly crossTriggerWeight: number
  /** How much the standard deviation over the classes is held against the mean. */
  readonly instabilityWeight: number
  /** Effective false positives an hour up to which the area is taken. */
  readonly maxFalseRate: number
}

/** The two scenarios of the DCASE challenges: 1 wants exact times, 2 wants classes told apart. */
export const psdsScenarios = {
  psds1: { dtc: 0.7, gtc: 0.7, cttc: null, crossTriggerWeight: 0, instabilityWeight: 1, maxFalseRate: 100 },
  psds2: { dtc: 0.1, gtc: 0.1, cttc: 0.3, crossTriggerWeight: 0.5, instabilityWeight: 1, maxFalseRate: 100 },
} as const satisfies Record<string, PsdsScenario>

/** Scores of one class in every clip, in the order of the clips; read once. */
export type ReadClassScores = (
  label: string,
  index: number,
) => Iterable<Float32Array> | AsyncIterable<Float32Array>

/** Options of {@link psds}. */
export interface PsdsOptions {
  /** Default `psdsScenarios.psds1`. */
  readonly scenario?: PsdsScenario
  /** Whether to give an interval: then the changes of all classes are held. Default false. */
  readonly interval?: boolean
  /** Which clips stand or fall together, one name a clip. Default: each is on its own. */
  readonly groups?: readonly string[]
  readonly onClass?: (done: number, total: number) => void
}

/** A polyphonic sound detection score (Bilen et al. 2020). */
export interface Psds {
  /** Area under the effective hit rate, in [0, 1]. */
  readonly value: number
  /** 95 %, leaving out one of at most 100 groups of clips after the other; null where none was asked for or there is a single clip. */
  readonly interval: Interval | null
  /** Area under each class's own curve. */
  readonly perClass: ReadonlyMap<string, number>
  /** Classes without an event: they have no hit rate and are left out. */
  readonly withoutEvents: readonly string[]
}

/**
 * Polyphonic sound detection score over every threshold there is (Ebbers, Serizel and Haeb-Umbach 2022, "Threshold-Independent Evaluation of
 * Sound Event Detection Scores"), not over a grid of them. Classes are read one after the other, each once, and only their curves are
 * kept: memory is the changes of one class, and without an interval only those down to the score below which every point has more false
 * alarms than the area is taken over. Effective false positives an hour are false alarms an hour + w · the mean over the other classes of
 * cross-triggers an hour of their events. Throws INVALID_ARGUMENT for scores of another length than the clips' frames or another number of
 * clips, INVALID_DATA for NaN scores and times that are none, or when no class has an event.
 */
export async function psds(
  clips: readonly DetectionClip[],
  classes: readonly string[],
  read: ReadClassScores,
  options: PsdsOptions = {},
): Promise<Psds> {
  const { scenario = psdsScenarios.psds1, interval = false, onClass } = checkOptions(options, 'psds')
  const truth = new Truth(clips, classes)
  const { groups = clips.map(({ id }) => id) } = options
  if (groups.length !== clips.length) throw expected(`${clips.length} groups, one a clip`, 'groups', groups)
  const changes = new DetectionChanges(scenario)
  // The least number of false alarms that is past the rate up to which the area is taken.
  const tooMany = Math.floor((scenario.maxFalseRate * truth.seconds()) / 3600) + 1
  const kept: ClassChanges[] = []
  const curves = new Map<string, RocSteps>()
  let list = new ChangeList()
  for (const [index, label] of classes.entries()) {
    const events = truth.eventsOf(label)
    if (events > 0) {
      list.clear()
      const floor = new ScoreFloor(interval ? Infinity : tooMany, clips.length)
      let clip = 0
      for await (const scores of read(label, index)) {
        const edges = truth.edgesOf(clip, label, scores)
        const at = clip++
        const own = truth.of(at, label)
        const others = (): OtherEvents[] => truth.others(at, label, scenario)
        let alarm = -Infinity
        changes.tell(scores, edges, own, others, floor.score, (score, hits, falseAlarms, crossTriggers) => {
          list.add(at, score, hits, falseAlarms, crossTriggers)
          if (falseAlarms > 0) alarm = Math.max(alarm, score)
        })
        // Where the class has no event, stretches grow and stay false alarms: from the first on there is one at every threshold.
        if (own.onsets.length === 0 && alarm > -Infinity) floor.add(alarm)
      }
      if (clip !== clips.length)
        throw expected(`scores of ${clips.length} clips`, `the class "${label}"`, clip)
      const ofClass = { label, list }
      curves.set(label, curveOf(ofClass, truth, scenario, list.order(floor.score)))
      if (interval) {
        kept.push(ofClass)
        list = new ChangeList()
      }
    }
    onClass?.(index + 1, classes.length)
  }
  const { maxFalseRate, instabilityWeight } = scenario
  const area = (all: readonly RocSteps[]): number => areaUnderMean(all, maxFalseRate, instabilityWeight)
  const value = area([...curves.values()])
  return {
    value,
    interval: interval ? jackknifeOf(value, leftOut(kept, truth, clustersOf(groups), scenario, area)) : null,
    perClass: new Map(
      Array.from(curves, ([label, curve]) => [label, areaUnderMean([curve], maxFalseRate, 0)]),
    ),
    withoutEvents: classes.filter((label) => truth.eventsOf(label) === 0),
  }
}

interface ClassChanges {
  readonly label: string
  readonly list: ChangeList
}

function curveOf(
  { label, list }: ClassChanges,
  truth: Truth,
  { maxFalseRate }: PsdsScenario,
  order: Uint32Array,
  weights?: Uint8Array,
): RocSteps {
  const hours = truth.seconds(weights) / 3600
  const rate = (falseAlarms: number, crossTriggers: number): number =>
    falseAlarms / hours + crossTriggers * 3600
  return list.steps(truth.eventsOf(label, weights), rate, maxFalseRate, order, weights)
}

const mostGroups = 100

/** The score without each group of clips. A class that has no event then is left out. */
function leftOut(
  all: readonly ClassChanges[],
  truth: Truth,
  clusters: Clusters,
  scenario: PsdsScenario,
  area: (curves: readonly RocSteps[]) => number,
): number[] {
  const groups = Math.min(mostGroups, clusters.count)
  const curves: RocSteps[][] = Array.from({ length: groups }, () => [])
  const weights = new Uint8Array(truth.clips)
  for (const changes of all) {
    const order = changes.list.order()
    for (let group = 0; group < groups; group++) {
      for (let clip = 0; clip < truth.clips; clip++)
        weights[clip] = clusters.of[clip]! % groups === group ? 0 : 1
      if (truth.eventsOf(changes.label, weights) > 0)
        curves[group]!.push(curveOf(changes, truth, scenario, order, weights))
    }
  }
  return curves.filter((some) => some.length > 0).map(area)
}

/** The events of all clips by class, in microseconds. */
class Truth {
  readonly #clips: readonly DetectionClip[]
  readonly #byLabel: readonly ReadonlyMap<string, OwnEvents>[]
  /** Seconds of events of each class that has any. */
  readonly #seconds = new Map<string, number>()
  #edges: { clip: DetectionClip; edges: Float64Array } | null = null

  constructor(clips: readonly DetectionClip[], classes: readonly string[]) {
    if (clips.length === 0) throw expected('one clip or more', 'clips', 'none')
    const known = new Set(classes)
    if (known.size < classes.length) throw expected('each class once', 'classes', classes)
    this.#clips = clips
    this.#byLabel = clips.map(({ id, duration, frameStep, frames, start = 0, events }) => {
      if (!(duration > 0 && duration < Infinity))
        throw expected('seconds above 0', `duration of "${id}"`, duration)
      if (!(frameStep > 0 && start >= 0 && Number.isSafeInteger(frames) && frames >= 0))
        throw expected('frames with a step above 0', `the frames of "${id}"`, frameStep)
      checkSpans(events, `clip "${id}"`)
      const byLabel = new Map<string, OwnEvents>()
      for (const { label, onset, offset } of events) {
        if (!known.has(label)) continue
        const own = byLabel.get(label) ?? { onsets: [], offsets: [] }
        own.onsets.push(micros(onset))
        own.offsets.push(micros(offset))
        byLabel.set(label, own)
        this.#seconds.set(label, (this.#seconds.get(label) ?? 0) + offset - onset)
      }
      return byLabel
    })
    if (this.#seconds.size === 0) {
      throw new SonotextError('INVALID_DATA', 'Expected events of the classes that are scored, got none.', {
        remedy: 'Check that truth and predictions name the classes and clips alike.',
      })
    }
  }

  get clips(): number {
    return this.#clips.length
  }

  eventsOf(label: string, weights?: Uint8Array): number {
    if (!this.#seconds.has(label)) return 0
    let count = 0
    for (const [clip, byLabel] of this.#byLabel.entries())
      if (weights?.[clip] !== 0) count += byLabel.get(label)?.onsets.length ?? 0
    return count
  }

  seconds(weights?: Uint8Array): number {
    return this.#clips.reduce((sum, { duration }, clip) => sum + (weights?.[clip] === 0 ? 0 : duration), 0)
  }

  of(clip: number, label: string): OwnEvents {
    return this.#byLabel[clip]!.get(label) ?? none
  }

  /** Events of the other classes in a clip, where they are counted. */
  others(clip: number, label: string, scenario: PsdsScenario): OtherEvents[] {
    if (scenario.cttc === null || scenario.crossTriggerWeight === 0) return []
    const others: OtherEvents[] = []
    for (const [other, events] of this.#byLabel[clip]!) {
      if (other === label) continue
      const weight = scenario.crossTriggerWeight / (this.#seconds.get(other)! * (this.#seconds.size - 1))
      others.push({ ...events, weight })
    }
    return others
  }

  edgesOf(clip: number, label: string, scores: Float32Array): Float64Array {
    const about = this.#clips[clip]
    if (about === undefined)
      throw expected(`scores of ${this.#clips.length} clips`, `the class "${label}"`, 'more')
    if (scores.length !== about.frames)
      throw expected(`${about.frames} scores`, `the class "${label}" in "${about.id}"`, scores.length)
    const last = this.#edges
    const { frames, frameStep, start = 0 } = about
    // Most clips of a collection have the same frames.
    const same =
      last !== null &&
      last.clip.frames === frames &&
      last.clip.frameStep === frameStep &&
      (last.clip.start ?? 0) === start
    if (same) return last.edges
    const edges = Float64Array.from({ length: frames + 1 }, (_, i) => micros(start + i * frameStep))
    this.#edges = { clip: about, edges }
    return edges
  }
}

interface OwnEvents {
  readonly onsets: number[]
  readonly offsets: number[]
}

const none: OwnEvents = { onsets: [], offsets: [] }

function micros(seconds: number): number {
  return Math.round(seconds * 1e6)
}
