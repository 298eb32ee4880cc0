import { describe, expected, SonotextError } from '../base/errors.js'
import type { RaggedIndices } from '../base/ragged.js'
import type { Rng } from '../base/rng.js'
import { type Plane, planeNames } from './planes.js'
import { partOf } from '../registry/index.js'
import type { CaptionOrder, CaptionWriter } from '../text/index.js'
import type { NegativeQuery } from './query.js'

/** What a strategy wants of the batches that are made for training with it; whoever makes them asks. */
export interface BatchWishes {
  /** Which pairs stand together. */
  readonly order?: CaptionOrder
  /** Captions that are no clip's, as further candidates. */
  readonly writer?: CaptionWriter
}

/**
 * What a strategy chose for a batch of n pairs: a list for each anchor pair in both directions, empty where every other item is barred.
 * {@link fromPicks} makes one of a single pick an anchor.
 */
export interface NegativeSet {
  /** Clips set against the anchor's caption, by their place in the batch: n lists. */
  readonly audio: RaggedIndices
  /** Captions set against the anchor's clip, n lists; numbers from n on are written captions of the query. */
  readonly text: RaggedIndices
  /** Anchors with no possible negative: they contribute nothing to a loss. */
  readonly empty: number
}

/**
 * How negatives are chosen inside a batch (Xie, Räsänen, Virtanen, ICASSP 2023, arXiv 2211.04070). `strategyCases` of
 * `@sonotext/core/testing` holds one to its contract.
 */
export interface NegativeStrategy {
  readonly name: string
  /** Planes of scores that `select` reads: `audio-text`, `text-text`, `audio-audio`; empty for none. */
  readonly needs: readonly Plane[]
  /** Options that matter when a run is resumed, as JSON. */
  readonly config?: object
  /**
   * Whether a hinge on its picks stays near the margin however well the model does, because it looks for the score that is
   * closest to the pair's own. Then a loss that stands there says nothing of collapse.
   */
  readonly nearPositive?: boolean
  /** Strategies that are easier to learn from, to be named when training goes wrong. */
  readonly easier?: readonly string[]
  /**
   * How many pairs of earlier batches it wants to choose from besides those of the batch. Whoever asks it remembers them and adds them to
   * the items of a query, behind those of the batch.
   */
  readonly earlierPairs?: number
  /** How batches are to be made for it. Without them it chooses from any batch. */
  readonly batches?: BatchWishes
  /**
   * Deterministic in the query, the stream and the state. Never picks what `query.barred` bars. Throws NUMERIC when a score
   * it reads is not finite, INVALID_ARGUMENT when a plane is missing: `planeOf` does both.
   * @param query the batch: `items`, `planes`, `barred.has(clip, caption)`, `step`, `epoch`
   * @param rng the stream to draw from; another place in it for every batch
   * @returns lists of clips and of captions for every pair: {@link fromPicks}
   */
  select(query: NegativeQuery, rng: Rng): NegativeSet
  /** For a strategy that remembers from batch to batch: a new one with nothing in its memory. */
  start?(): RememberingStrategy
}

/** A strategy in use, with a state that checkpoints keep. */
export interface RememberingStrategy extends NegativeStrategy {
  /** Everything it remembers, as JSON. */
  state(): unknown
  restore(state: unknown): void
}

/** For a strategy's row in its family, next to its code. */
export const strategyPart = partOf<NegativeStrategy>()

/**
 * One pick for each anchor.
 * @param audio [n] place in the batch of the clip that is set against caption i; -1 for none
 * @param text [n] place of the caption that is set against clip i; -1 for none
 */
export function fromPicks(audio: Int32Array, text: Int32Array): NegativeSet {
  let empty = 0
  for (let i = 0; i < audio.length; i++) if (audio[i]! < 0 && text[i]! < 0) empty++
  return { audio: listsOf(audio), text: listsOf(text), empty }
}

function listsOf(picks: Int32Array): RaggedIndices {
  const offsets = new Int32Array(picks.length + 1)
  for (let i = 0; i < picks.length; i++) offsets[i + 1] = offsets[i]! + (picks[i]! < 0 ? 0 : 1)
  return { offsets, index: picks.filter((pick) => pick >= 0) }
}

/** Throws INVALID_ARGUMENT naming the strategy when it needs scores that there are none of, or is none. */
export function checkStrategy(strategy: NegativeStrategy): void {
  const { name, needs, select } = strategy
  if (typeof select !== 'function') throw expected('a function', `select of strategy ${name}`, select)
  if (Array.isArray(needs) && needs.every((plane) => (planeNames as readonly unknown[]).includes(plane)))
    return
  const wanted = `a list of ${planeNames.map((plane) => `'${plane}'`).join(', ')}, or an empty one,`
  throw expected(wanted, `needs of strategy ${name}`, Array.isArray(needs) ? needs.join(', ') : needs)
}

/** What a strategy selected, as it is, or INVALID_ARGUMENT naming the strategy when it is no {@link NegativeSet}. */
export function asNegativeSet(selected: NegativeSet, strategy: string): NegativeSet {
  const { audio, text, empty } = (selected ?? {}) as Partial<NegativeSet>
  if (isLists(audio) && isLists(text) && Number.isInteger(empty)) return selected
  const got = `{ audio: ${describe(audio)}, text: ${describe(text)}, empty: ${describe(empty)} }`
  throw new SonotextError(
    'INVALID_ARGUMENT',
    `Expected select of strategy ${strategy} to return { audio, text, empty } with lists as { offsets, index } (Int32Array), got ${got}.`,
    { remedy: 'fromPicks(audio, text) of @sonotext/core/negatives makes it of one pick for each pair.' },
  )
}

function isLists(lists: Partial<RaggedIndices> | undefined): boolean {
  return lists?.offsets instanceof Int32Array && lists.index instanceof Int32Array
}

/**
 * Refuses lists that a loss could not use: wrong shapes, indices outside the batch, and barred pairs. Throws
 * INVALID_ARGUMENT naming the strategy.
 */
export function checkNegatives(
  set: NegativeSet,
  { items, barred, written = [] }: NegativeQuery,
  strategy: string,
): void {
  const n = items.length
  asNegativeSet(set, strategy)
  for (const side of ['audio', 'text'] as const) {
    const { offsets, index } = set[side]
    const name = `the ${side} negatives of strategy ${strategy}`
    if (offsets.length !== n + 1 || offsets[0] !== 0 || offsets[n] !== index.length) {
      throw expected(`offsets of ${n} lists over ${index.length} indices`, name, offsets)
    }
    for (let i = 0; i < n; i++) {
      if (offsets[i + 1]! < offsets[i]!)
        throw expected('ascending offsets', name, `${offsets[i + 1]} after ${offsets[i]}`)
      for (let p = offsets[i]!; p < offsets[i + 1]!; p++) {
        const j = index[p]!
        if (side === 'text' && j >= n && j < n + written.length) {
          if (written[j - n]!.of !== i)
            throw expected(`written captions of anchor ${i}`, name, `one of anchor ${written[j - n]!.of}`)
          continue
        }
        if (j < 0 || j >= n) throw expected(`indices below ${n}`, name, j)
        if (items[j]!.group === items[i]!.group)
          throw expected(`items of other groups than anchor ${i}`, name, `item ${j} of the same group`)
        if (side === 'audio' ? barred.has(j, i) : barred.has(i, j))
          throw expected(`items that no guard bars for anchor ${i}`, name, `item ${j}`)
      }
    }
  }
}
