import { expected, SonotextError } from '../base/errors.js'
import type { Matrix } from '../base/matrix.js'

/** How two phrases lie to each other in time. */
export interface PhraseRelation {
  /** `before`: see {@link Order}. `while`: they share some time. */
  readonly kind: 'before' | 'while'
  /** Places among the phrases. */
  readonly first: number
  readonly second: number
}

/**
 * What `before` means. `begins`: the first begins before the second does, and may last or come again; people write "then" for this. `ends`:
 * the first has ended for good when the second begins.
 */
export type Order = 'begins' | 'ends'

/** States that are followed at once, and bytes for the way back, at most. */
const mostStates = 3 ** 9
const mostBytes = 2 ** 29

/**
 * The activity of phrases that has the greatest sum of gains among all that keep to the relations. `gains` [frames × phrases] say what it
 * brings that a phrase is active in a frame; −Infinity where it must not be. A relation holds where one of its phrases is nowhere.
 *
 * Exact, by dynamic programming over frames. A phrase has not begun, is active, or has been active; a `while` is met or not yet. What a
 * relation forbids is then a property of a step: that A begins (`begins`) or is active (`ends`) although B has begun, or of the end: that
 * both have been active and never together.
 * Phrases without relations to each other are decoded apart, so that only those of one group multiply. Ties go to the earlier state: less
 * activity first.
 * @returns [frames × phrases], 1 where active
 * @throws SonotextError INVALID_ARGUMENT for relations that name no phrase; TOO_LONG for more phrases or frames than can be followed
 */
export function jointDecode(
  gains: Matrix,
  relations: readonly PhraseRelation[],
  order: Order = 'begins',
): Uint8Array {
  const { rows, cols } = gains
  for (const { first, second } of relations)
    for (const p of [first, second])
      if (!(Number.isInteger(p) && p >= 0 && p < cols) || first === second)
        throw expected(`two different phrases in [0, ${cols})`, 'a relation', `${first} and ${second}`)
  const active = new Uint8Array(rows * cols)
  for (const group of groupsOf(cols, relations)) {
    const place = new Map(group.map((p, i) => [p, i]))
    const own = relations
      .filter(({ first }) => place.has(first))
      .map(({ kind, first, second }) => ({ kind, first: place.get(first)!, second: place.get(second)! }))
    decodeGroup(gains, group, new States(group.length, own, order), active)
  }
  return active
}

/** Phrases that are tied by relations, each list ascending. */
function groupsOf(phrases: number, relations: readonly PhraseRelation[]): number[][] {
  const head = Array.from({ length: phrases }, (_, p) => p)
  for (const { first, second } of relations) {
    const [from, to] = [head[second]!, head[first]!]
    for (const [p, h] of head.entries()) if (h === from) head[p] = to
  }
  return [...Map.groupBy(head.keys(), (p) => head[p]!).values()]
}

const [idle, busy, done] = [0, 1, 2]

function decodeGroup(gains: Matrix, group: readonly number[], space: States, active: Uint8Array): void {
  const { rows, cols, data } = gains
  const { size } = space
  if (size > mostStates || size * rows * 2 > mostBytes) {
    throw new SonotextError(
      'TOO_LONG',
      `${group.length} related phrases over ${rows} frames are too many to decode together.`,
      {
        remedy: 'Align shorter recordings, fewer phrases at a time, or without relations.',
      },
    )
  }
  /** For each frame and state the state before. */
  const back = Array.from({ length: rows }, () => new Uint16Array(size))
  let value = new Float64Array(size).fill(-Infinity)
  value[0] = 0
  for (let t = 0; t < rows; t++) {
    const next = new Float64Array(size).fill(-Infinity)
    for (let from = 0; from < size; from++) {
      if (value[from] === -Infinity) continue
      for (const { to, activePhrases } of space.steps(from)) {
        let sum = value[from]!
        for (const i of activePhrases) sum += data[t * cols + group[i]!]!
        if (!(sum > next[to]!)) continue
        next[to] = sum
        back[t]![to] = from
      }
    }
    value = next
  }
  let best = 0
  for (let s = 0; s < size; s++) if (space.mayEnd(s) && value[s]! > value[best]!) best = s
  for (let t = rows - 1, state = best; t >= 0; t--) {
    for (const [i, p] of group.entries()) if (space.status(state, i) === busy) active[t * cols + p] = 1
    state = back[t]![state]!
  }
}

interface Step {
  readonly to: number
  readonly activePhrases: readonly number[]
}

/** States as numbers: a digit to base 3 for each phrase, and above them a bit for each `while` that has been met. */
class States {
  readonly size: number
  readonly #phrases: number
  readonly #digits: number
  readonly #before: readonly PhraseRelation[]
  readonly #order: Order
  readonly #overlaps: readonly PhraseRelation[]
  readonly #steps: (readonly Step[])[] = []

  constructor(phrases: number, relations: readonly PhraseRelation[], order: Order) {
    this.#order = order
    this.#phrases = phrases
    this.#digits = 3 ** phrases
    this.#before = relations.filter(({ kind }) => kind === 'before')
    this.#overlaps = relations.filter(({ kind }) => kind === 'while')
    this.size = this.#digits * 2 ** this.#overlaps.length
  }

  status(state: number, phrase: number): number {
    return Math.floor((state % this.#digits) / 3 ** phrase) % 3
  }

  /** Whether every `while` of two phrases that occur has been met. */
  mayEnd(state: number): boolean {
    return this.#overlaps.every(
      ({ first, second }, k) =>
        this.#met(state, k) || this.status(state, first) === idle || this.status(state, second) === idle,
    )
  }

  /** The states that may follow; worked out when first asked for. */
  steps(from: number): readonly Step[] {
    return (this.#steps[from] ??= this.#stepsOf(from))
  }

  #met(state: number, overlap: number): boolean {
    return Math.floor(state / this.#digits / 2 ** overlap) % 2 === 1
  }

  #stepsOf(from: number): Step[] {
    const steps: Step[] = []
    for (let choice = 0; choice < 2 ** this.#phrases; choice++) {
      const statuses = Array.from({ length: this.#phrases }, (_, i) =>
        (choice >> i) % 2 === 1 ? busy : this.status(from, i) === idle ? idle : done,
      )
      const forbidden = this.#before.some(
        ({ first, second }) =>
          statuses[first] === busy &&
          statuses[second] !== idle &&
          (this.#order === 'ends' || this.status(from, first) === idle),
      )
      if (forbidden) continue
      let to = statuses.reduce((sum, status, i) => sum + status * 3 ** i, 0)
      for (const [k, { first, second }] of this.#overlaps.entries()) {
        const met = this.#met(from, k) || (statuses[first] === busy && statuses[second] === busy)
        if (met) to += this.#digits * 2 ** k
      }
      steps.push({ to, activePhrases: statuses.flatMap((status, i) => (status === busy ? [i] : [])) })
    }
    return steps
  }
}
