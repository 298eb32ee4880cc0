import { NestedStretches, type StretchCounts } from './nested-stretches.js'
import { notANumber, ScoreOrder } from './score-order.js'

/**
 * When a found stretch counts and a true event is found (Bilen et al. 2020): shares of lengths. All times below are whole microseconds, so that
 * what just meets a criterion does meet it.
 */
export interface DetectionCriteria {
  /** Detection tolerance: a found stretch is relevant when at least this share of it lies in events of its class. */
  readonly dtc: number
  /** Ground truth intersection: an event is found when relevant stretches cover at least this share of it. */
  readonly gtc: number
  /** Cross-trigger tolerance: a stretch that is not relevant triggers another class when this share lies in its events. null: not counted. */
  readonly cttc: number | null
}

/** True events of one class in one clip, in microseconds. */
export interface EventTimes {
  readonly onsets: readonly number[]
  readonly offsets: readonly number[]
}

/** Another class that has events in the clip, and what one cross-trigger of it weighs. */
export interface OtherEvents extends EventTimes {
  readonly weight: number
}

/** Told by how much the counts change where thresholds fall to a score; in no order of scores. */
export type OnChange = (score: number, hits: number, falseAlarms: number, crossTriggers: number) => void

/**
 * All thresholds of one class in one clip at once (Ebbers et al. 2022). With events of the class, frames are switched on from the largest
 * score down; a frame opens a stretch, extends one or joins two, and only these are judged again. Without, as in nearly all clips of a large
 * collection, nothing can be hit and each stretch counts by itself. Holds its memory for the next clip.
 */
export class DetectionChanges {
  readonly #order = new ScoreOrder()
  readonly #nested = new NestedStretches()
  /** Of a stretch that is on: at its first frame the last, and at its last the first; −1 where off. */
  #otherEnd = new Int32Array(0)
  readonly #criteria: DetectionCriteria

  constructor(criteria: DetectionCriteria) {
    this.#criteria = criteria
  }

  /**
   * `edges[i]` is where frame i begins and `edges[i + 1]` where it ends, in microseconds. Thresholds below `least` are left out; `others` is called
   * where a threshold is left.
   */
  tell(
    scores: Float32Array,
    edges: Float64Array,
    own: EventTimes,
    others: () => readonly OtherEvents[],
    least: number,
    onChange: OnChange,
  ): void {
    let largest = -Infinity
    for (let i = 0; i < scores.length; i++) {
      const score = scores[i]!
      if (score <= largest) continue
      if (Number.isNaN(score)) throw notANumber(i)
      largest = score
    }
    if (largest < least) return
    const stretches = new Stretches(this.#criteria, edges, own, others())
    if (own.onsets.length > 0) {
      this.#inOrder(scores, least, stretches, onChange)
      return
    }
    this.#nested.tell(
      scores,
      least,
      (first, last, into) => stretches.judge(first, last, into),
      (score, falseAlarms, crossTriggers) => onChange(score, 0, falseAlarms, crossTriggers),
    )
  }

  #inOrder(scores: Float32Array, least: number, stretches: Stretches, onChange: OnChange): void {
    const frames = scores.length
    const order = this.#order.of(scores, frames, least)
    if (this.#otherEnd.length < frames) this.#otherEnd = new Int32Array(2 * frames)
    const otherEnd = this.#otherEnd.fill(-1, 0, frames)
    let [hits, falseAlarms, crossTriggers] = [0, 0, 0]
    for (let i = 0; i < order.length;) {
      const score = scores[order[i]!]!
      for (; i < order.length && scores[order[i]!] === score; i++) {
        const frame = order[i]!
        let [first, last] = [frame, frame]
        if (frame > 0 && otherEnd[frame - 1]! >= 0) {
          first = otherEnd[frame - 1]!
          stretches.count(first, frame - 1, -1)
        }
        if (frame + 1 < frames && otherEnd[frame + 1]! >= 0) {
          last = otherEnd[frame + 1]!
          stretches.count(frame + 1, last, -1)
        }
        otherEnd[first] = last
        otherEnd[last] = first
        // A frame inside keeps some end, so that it is on.
        otherEnd[frame] = frame === first ? last : first
        stretches.count(first, last, 1)
      }
      const now = stretches.crossTriggers()
      if (stretches.hits !== hits || stretches.falseAlarms !== falseAlarms || now !== crossTriggers) {
        onChange(score, stretches.hits - hits, stretches.falseAlarms - falseAlarms, now - crossTriggers)
        hits = stretches.hits
        falseAlarms = stretches.falseAlarms
        crossTriggers = now
      }
    }
  }
}

const nowhere = new Float64Array(0)

/** Counts over the stretches that are on. */
class Stretches {
  hits = 0
  falseAlarms = 0
  readonly #criteria: DetectionCriteria
  readonly #edges: Float64Array
  readonly #own: EventTimes
  readonly #others: readonly OtherEvents[]
  /** Microseconds of events before each edge. */
  readonly #covered: Float64Array
  readonly #coveredByOthers: readonly Float64Array[]
  /** Microseconds of each event that relevant stretches cover, and how many are needed. */
  readonly #found: Float64Array
  readonly #needed: Float64Array
  readonly #triggers: Int32Array

  constructor(
    criteria: DetectionCriteria,
    edges: Float64Array,
    own: EventTimes,
    others: readonly OtherEvents[],
  ) {
    this.#criteria = criteria
    this.#edges = edges
    this.#own = own
    this.#others = criteria.cttc === null ? [] : others
    this.#covered = own.onsets.length === 0 ? nowhere : coverage(edges, own)
    this.#coveredByOthers = this.#others.map((other) => coverage(edges, other))
    this.#found = new Float64Array(own.onsets.length)
    this.#needed = Float64Array.from(own.onsets, (onset, event) =>
      Math.round(criteria.gtc * (own.offsets[event]! - onset)),
    )
    this.#triggers = new Int32Array(this.#others.length)
  }

  crossTriggers(): number {
    let sum = 0
    for (let other = 0; other < this.#others.length; other++)
      sum += this.#triggers[other]! * this.#others[other]!.weight
    return sum
  }

  /** What a stretch counts by itself, where the class has no event. */
  judge(first: number, last: number, into: StretchCounts): void {
    const length = this.#edges[last + 1]! - this.#edges[first]!
    // A tolerance of nothing is met where nothing is shared.
    into.falseAlarms = Math.round(this.#criteria.dtc * length) > 0 ? 1 : 0
    into.crossTriggers = 0
    if (into.falseAlarms === 0) return
    for (let other = 0; other < this.#others.length; other++)
      if (this.#triggersOther(other, first, last)) into.crossTriggers += this.#others[other]!.weight
  }

  /** Whether enough of a stretch that is not relevant lies in events of another class. */
  #triggersOther(other: number, first: number, last: number): boolean {
    const covered = this.#coveredByOthers[other]!
    const length = this.#edges[last + 1]! - this.#edges[first]!
    return covered[last + 1]! - covered[first]! >= Math.round(this.#criteria.cttc! * length)
  }

  /** Adds (1) or takes away (−1) the stretch of frames `first` … `last`. */
  count(first: number, last: number, sign: 1 | -1): void {
    const [onset, offset] = [this.#edges[first]!, this.#edges[last + 1]!]
    const inside = this.#covered[last + 1]! - this.#covered[first]!
    if (inside >= Math.round(this.#criteria.dtc * (offset - onset))) {
      this.#cover(onset, offset, sign)
      return
    }
    this.falseAlarms += sign
    for (let other = 0; other < this.#others.length; other++)
      if (this.#triggersOther(other, first, last)) this.#triggers[other]! += sign
  }

  #cover(onset: number, offset: number, sign: 1 | -1): void {
    const { onsets, offsets } = this.#own
    for (let event = 0; event < onsets.length; event++) {
      const shared = Math.min(offset, offsets[event]!) - Math.max(onset, onsets[event]!)
      if (shared <= 0) continue
      const before = this.#found[event]! >= this.#needed[event]!
      this.#found[event]! += sign * shared
      const after = this.#found[event]! >= this.#needed[event]!
      this.hits += Number(after) - Number(before)
    }
  }
}

/** Microseconds of events before each edge; where events overlap, each counts. */
function coverage(edges: Float64Array, { onsets, offsets }: EventTimes): Float64Array {
  const covered = new Float64Array(edges.length)
  for (let event = 0; event < onsets.length; event++) {
    const [onset, offset] = [onsets[event]!, offsets[event]!]
    for (let i = 0; i < edges.length; i++)
      covered[i]! += Math.max(0, Math.min(edges[i]!, offset) - Math.min(edges[i]!, onset))
  }
  return covered
}
