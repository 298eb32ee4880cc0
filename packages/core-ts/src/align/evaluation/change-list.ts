import { grown } from './grown.js'
import { type RocSteps, StepsBelow } from './roc-steps.js'
import { ScoreOrder } from './score-order.js'

/** The changes of one class in all clips, in the order of the clips. */
export class ChangeList {
  #room = 1024
  #length = 0
  #scores = new Float32Array(this.#room)
  #hits = new Int32Array(this.#room)
  #falseAlarms = new Int32Array(this.#room)
  #crossTriggers = new Float64Array(this.#room)
  /** Which clip each change is of. */
  #clips = new Int32Array(this.#room)
  readonly #sorter = new ScoreOrder()

  get length(): number {
    return this.#length
  }

  clear(): void {
    this.#length = 0
  }

  add(clip: number, score: number, hits: number, falseAlarms: number, crossTriggers: number): void {
    if (this.#length === this.#room) this.#grow()
    const at = this.#length++
    this.#clips[at] = clip
    this.#scores[at] = score
    this.#hits[at] = hits
    this.#falseAlarms[at] = falseAlarms
    this.#crossTriggers[at] = crossTriggers
  }

  /**
   * Steps of the curve that the thresholds of `order` give, clips counting as often as `weights` says (default: once). `falseRate` turns
   * counts into the axis of false positives.
   */
  steps(
    events: number,
    falseRate: (falseAlarms: number, crossTriggers: number) => number,
    most: number,
    order: Uint32Array,
    weights?: ArrayLike<number>,
  ): RocSteps {
    const steps = new StepsBelow(events, most)
    let [hits, falseAlarms, crossTriggers] = [0, 0, 0]
    for (let i = 0; i < order.length;) {
      const score = this.#scores[order[i]!]!
      for (; i < order.length && this.#scores[order[i]!] === score; i++) {
        const at = order[i]!
        const weight = weights === undefined ? 1 : weights[this.#clips[at]!]!
        hits += weight * this.#hits[at]!
        falseAlarms += weight * this.#falseAlarms[at]!
        crossTriggers += weight * this.#crossTriggers[at]!
      }
      steps.add(hits, falseRate(falseAlarms, crossTriggers))
    }
    return steps.steps()
  }

  /** From the largest score down to `least`; valid until the next call. */
  order(least = -Infinity): Uint32Array {
    return this.#sorter.of(this.#scores, this.#length, least)
  }

  #grow(): void {
    this.#room *= 2
    this.#scores = grown(this.#scores, new Float32Array(this.#room))
    this.#hits = grown(this.#hits, new Int32Array(this.#room))
    this.#falseAlarms = grown(this.#falseAlarms, new Int32Array(this.#room))
    this.#crossTriggers = grown(this.#crossTriggers, new Float64Array(this.#room))
    this.#clips = grown(this.#clips, new Int32Array(this.#room))
  }
}
