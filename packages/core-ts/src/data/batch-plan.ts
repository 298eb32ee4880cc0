import type { Rng } from '../base/rng.js'
import type { InPieces } from '../base/turn.js'
import type { CaptionOrder } from '../text/index.js'
import type { Caption, Clip } from './manifest.js'

/** One pair to train on, before its features are read. */
export interface PlannedItem {
  readonly clip: Clip
  readonly caption: Caption
  /** Token indices of the caption, at least one. */
  readonly tokens: Int32Array
  /** Number of the clip's group: pairs of one group are never negatives of each other. */
  readonly group: number
  /** Number of the pair in its epoch, from 0. */
  readonly position: number
}

/** A pair of a batch before its place in the epoch is known. */
export type ChosenItem = Omit<PlannedItem, 'position'>

/** A clip with the captions that have words. */
export interface PlannedClip {
  readonly clip: Clip
  readonly group: number
  readonly captions: readonly { readonly caption: Caption; readonly tokens: Int32Array }[]
}

/** What the batches of an epoch are made of, where it is not every clip or pair in a random order. */
export interface BatchPlan {
  readonly itemsPerEpoch: number
  readonly batchesPerEpoch: number
  /** Everything that the batches follow from besides the clips, as JSON: a saved position of another one is refused. */
  readonly config: object
  /** The batches of one epoch: a pure function of the stream. */
  batches(rng: Rng): readonly (readonly ChosenItem[])[]
}

export interface PlanOptions {
  readonly items: 'clip' | 'pair'
  readonly batchSize: number
  readonly shuffle: boolean
  readonly dropLast: boolean
  /** Which pairs stand together, when they are shuffled. */
  readonly order?: CaptionOrder | undefined
}

/** Items planned between two places where the work may pause. */
const piece = 5000

/** The batches of one epoch: a pure function of clips, options and stream. */
export function* planEpoch(
  clips: readonly PlannedClip[],
  options: PlanOptions,
  rng: Rng,
): InPieces<PlannedItem[][]> {
  const { items, batchSize, shuffle, dropLast, order } = options
  const captions = rng.fork('captions')
  const pool: ChosenItem[] = []
  for (const [i, { clip, group, captions: all }] of clips.entries()) {
    if (i % piece === piece - 1) yield
    for (const chosen of items === 'pair' ? all : [captions.pick(all)]) pool.push({ clip, group, ...chosen })
  }
  if (shuffle) yield* rng.fork('order').shuffling(pool)
  const ordered =
    shuffle && order !== undefined ? yield* inOrder(pool, order, batchSize, rng.fork('clusters')) : pool
  const batches: ChosenItem[][] = []
  for (let at = 0; at < ordered.length; at += batchSize) {
    if (dropLast && at > 0 && ordered.length - at < batchSize) break
    batches.push(ordered.slice(at, at + batchSize))
  }
  yield
  if (shuffle) mixGroups(batches)
  return yield* plannedItems(batches)
}

/** The items of an epoch with their places in it. */
export function* plannedItems(batches: readonly (readonly ChosenItem[])[]): InPieces<PlannedItem[][]> {
  const plan: PlannedItem[][] = []
  let position = 0
  for (const batch of batches) {
    plan.push(batch.map((item) => ({ ...item, position: position++ })))
    if (position % piece < batch.length) yield
  }
  return plan
}

function* inOrder(
  pool: readonly ChosenItem[],
  order: CaptionOrder,
  batchSize: number,
  rng: Rng,
): InPieces<ChosenItem[]> {
  const texts = pool.map(({ caption }) => caption.text)
  const places = yield* order.order(texts, batchSize, rng)
  return Array.from(places, (place) => pool[place]!)
}

/** Whether the items of a batch all belong to one group: nothing in it can be a negative. */
export function hasOneGroup(items: readonly { readonly group: number }[]): boolean {
  return items.every(({ group }) => group === items[0]!.group)
}

/**
 * Gives every batch of a single group an item of another group, in exchange with a batch that can spare one; a last batch
 * of one item first takes one from the batch before. What cannot be mended stays as it is.
 */
function mixGroups(batches: ChosenItem[][]): void {
  const last = batches.at(-1)
  const before = batches.at(-2)
  if (last?.length === 1 && before !== undefined && before.length > 2) last.push(before.pop()!)
  const hopeless = new Set<number>()
  for (const batch of batches) {
    const { group } = batch[0]!
    if (batch.length < 2 || !hasOneGroup(batch) || hopeless.has(group)) continue
    if (!exchange(batch, batches)) hopeless.add(group)
  }
}

/** False when no other batch has an item to spare. */
function exchange(batch: ChosenItem[], batches: readonly ChosenItem[][]): boolean {
  const { group } = batch[0]!
  for (const other of batches) {
    if (other === batch) continue
    for (let j = 0; j < other.length; j++) {
      if (other[j]!.group === group) continue
      const given = batch.at(-1)!
      const rest = other.filter((_, k) => k !== j)
      // A batch of one pair has no negatives either way, so it can always give.
      if (rest.length > 0 && hasOneGroup([...rest, given])) continue
      batch[batch.length - 1] = other[j]!
      other[j] = given
      return true
    }
  }
  return false
}
