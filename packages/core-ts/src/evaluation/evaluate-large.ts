import type { Matrix } from '../base/matrix.js'
import type { Clip, FeatureSource } from '../data/index.js'
import type { rankBothWays } from '../metrics/index.js'
import { StreamedRanks } from '../metrics/index.js'
import {
  bytesOf,
  type DualEncoder,
  type PassOptions,
  preparedCaptions,
  preparedClips,
  type PreparedItems,
  scoreTiles,
} from '../models/index.js'

/** Bytes of prepared clips, and of prepared captions, that are kept; what is more is made again when it is needed again. */
const KEPT = 2 ** 29
/** Bytes of prepared clips that captions are scored against at once. */
const AT_ONCE = 2 ** 26
/** Clips whose features are read at once; the next ones are read while these are encoded. */
const portion = 64

export interface LargeOptions extends PassOptions {
  onProgress?: (done: number, total: number) => void
  /** Instead of what is kept by default, for tests. */
  kept?: number
}

/**
 * The ranks of a split both ways without its matrix of scores: every score is computed, compared and forgotten. Memory is that of clips
 * and captions, where each is a vector; sequences are encoded anew.
 */
export async function rankSplit(
  model: DualEncoder,
  clips: readonly Clip[],
  features: FeatureSource,
  { signal, padding = 0, onProgress, kept = KEPT }: LargeOptions = {},
): Promise<ReturnType<typeof rankBothWays>> {
  const options = { padding, ...(signal && { signal }) }
  const texts = captionsOf(clips)
  const captionClip = Int32Array.from(clips.flatMap(({ captions }, row) => captions.map(() => row)))
  const ranks = new StreamedRanks(clips.length, captionClip)
  const audio = new Replayed(
    () => grouped(preparedClips(model, portions(clips, features, options), options)),
    (group) => group.reduce((sum, block) => sum + bytesOf(block), 0),
    kept,
  )
  const text = new Replayed(() => preparedCaptions(model, texts, options), bytesOf, kept)
  const total = 2 * clips.length
  let done = 0
  const told = (group: readonly PreparedItems[]) => {
    done += group.reduce((sum, { items }) => sum + items.length, 0)
    onProgress?.(Math.floor(done / 2), total / 2)
  }
  for await (const group of audio) {
    const own = (some: PreparedItems, { items }: PreparedItems) => {
      const rows = new Set(some.items)
      return items.some((caption) => rows.has(captionClip[caption]!))
    }
    for await (const tile of scoreTiles(model, group, text, own, options)) ranks.noteRelevant(tile)
    told(group)
  }
  for await (const group of audio) {
    for await (const tile of scoreTiles(model, group, text, () => true, options)) ranks.count(tile)
    told(group)
  }
  return ranks.ranks()
}

/** All captions of clips as a text encoder takes them; their own tokens are for training alone. */
export function captionsOf(clips: readonly Clip[]): { readonly id: string; readonly text: string }[] {
  return clips.flatMap(({ captions }) => captions.map(({ id, text }) => ({ id, text })))
}

/** Features a few at a time; the next ones are asked for before these are taken. */
export async function* portions(
  clips: readonly Clip[],
  features: FeatureSource,
  options: { readonly signal?: AbortSignal },
): AsyncGenerator<Matrix[], void, undefined> {
  const read = (first: number) => {
    const some = clips.slice(first, first + portion)
    const reading = Promise.all(some.map(async (clip) => (await features(clip, options)).features))
    // A failure is met when its turn comes.
    reading.catch(() => {})
    return reading
  }
  let next = read(0)
  for (let first = 0; first < clips.length; first += portion) {
    const some = await next
    next = read(first + portion)
    yield some
  }
}

async function* grouped(
  blocks: AsyncIterable<PreparedItems>,
): AsyncGenerator<PreparedItems[], void, undefined> {
  let group: PreparedItems[] = []
  let bytes = 0
  for await (const block of blocks) {
    group.push(block)
    bytes += bytesOf(block)
    if (bytes < AT_ONCE) continue
    yield group
    group = []
    bytes = 0
  }
  if (group.length > 0) yield group
}

/** What is gone through several times: kept where it is small enough, made again where it is not. */
class Replayed<T> implements AsyncIterable<T> {
  readonly #make: () => AsyncIterable<T>
  readonly #bytesOf: (item: T) => number
  readonly #limit: number
  #kept: readonly T[] | undefined

  constructor(make: () => AsyncIterable<T>, bytesOf: (item: T) => number, limit: number) {
    this.#make = make
    this.#bytesOf = bytesOf
    this.#limit = limit
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    if (this.#kept !== undefined) {
      yield* this.#kept
      return
    }
    let kept: T[] | undefined = []
    let bytes = 0
    for await (const item of this.#make()) {
      bytes += this.#bytesOf(item)
      if (bytes > this.#limit) kept = undefined
      kept?.push(item)
      yield item
    }
    this.#kept = kept
  }
}
