import { createHash } from 'node:crypto'
import { abortedError, throwIfAborted } from '../base/abort.js'
import { expected, isSonotextError, SonotextError } from '../base/errors.js'
import type { ClipFeatures } from '../audio/index.js'
import { Rng } from '../base/rng.js'
import { hasOneGroup, type PlannedClip, type PlannedItem, planEpoch } from './batch-plan.js'
import { cropRows, type FeatureCrop, type FeatureSource } from './feature-source.js'
import { type Caption, type Clip, groupOf } from './manifest.js'
import { isAboutClip, Quarantine } from './quarantine.js'
import { type PaddedFeatures, type PaddedTokens, padFeatures, padTokens } from './padding.js'

export interface BatchesOptions {
  clips: readonly Clip[]
  features: FeatureSource
  /** Token indices of a caption; captions without any are left out. */
  encode: (caption: Caption) => Int32Array
  batchSize: number
  seed: number
  /** `clip`: an epoch visits each clip once, with one of its captions at random; `pair` (default): every clip–caption pair. */
  items?: 'clip' | 'pair'
  /** Default true. */
  shuffle?: boolean
  /** Leaves out a last batch that is not full (unless it is the only one); default false. */
  dropLast?: boolean
  /** Longer clips are cropped to so many frames; default no limit. */
  maxFrames?: number
  /** Where a crop starts; default `random` with shuffle, else `start`. */
  crop?: 'random' | 'start'
  /** Features of padding frames; default 0, as in the published experiments. */
  padValue?: number
  /** Frames a batch must have at least; default 1. */
  leastFrames?: number
  /** Batches whose features are read ahead; default 2. */
  prefetch?: number
  /** A clip whose features cannot be had is set aside; past this share of the clips the epoch ends with an error. Default 0.05. */
  maxBadShare?: number
}

/** One pair of a batch. */
export interface BatchItem extends PlannedItem {
  /** Seconds between its feature frames. */
  readonly frameStep: number
  /** Length of the whole clip in seconds. */
  readonly duration: number
}

/** n pairs: row i of every array belongs to items[i]. */
export interface Batch {
  readonly audio: PaddedFeatures
  readonly text: PaddedTokens
  readonly items: readonly BatchItem[]
  readonly epoch: number
  /** Number of the batch in its epoch, from 0. */
  readonly index: number
}

/** A batch of the plan; null when none of its clips can be used. */
interface Loaded {
  readonly index: number
  readonly batch: Batch | null
}

/** The position of a sampler, as JSON. */
export interface BatchesState {
  readonly epoch: number
  /** Batches of the epoch that have been handed out. */
  readonly batch: number
  /** Of clips, captions and options, so that a state is not restored onto other data. */
  readonly fingerprint: string
}

/**
 * Batches of clip–caption pairs. The plan of an epoch (order, chosen captions, crops) is a pure function of seed, data and
 * epoch number, so that a restored state goes on with the same batches bit for bit. A batch whose pairs share one group has
 * no negatives: shuffled plans are mended by exchanging pairs between batches where that is possible.
 */
export class Batches {
  readonly #options: Required<Omit<BatchesOptions, 'clips'>>
  readonly #clips: readonly PlannedClip[]
  readonly #rng: Rng
  readonly #fingerprint: string
  #epoch = 0
  #batch = 0
  #plan: { epoch: number; batches: PlannedItem[][] } | undefined
  /** Captions without words, left out. */
  readonly emptyCaptions: number
  /** Clips without any caption that has words, left out. */
  readonly captionlessClips: number
  /** Clips whose features could not be had, with their reasons: their pairs are left out. */
  readonly quarantine: Quarantine

  /**
   * Throws INVALID_ARGUMENT for a bad option, INVALID_DATA when no pair is left or all clips share one group, since then no
   * batch has a negative.
   */
  constructor(options: BatchesOptions) {
    const { clips, shuffle = true, ...rest } = options
    this.#options = {
      items: 'pair',
      shuffle,
      dropLast: false,
      maxFrames: Infinity,
      crop: shuffle ? 'random' : 'start',
      padValue: 0,
      leastFrames: 1,
      prefetch: 2,
      maxBadShare: 0.05,
      ...rest,
    }
    const { batchSize, maxFrames, prefetch, encode } = this.#options
    if (!Number.isInteger(batchSize) || batchSize < 2)
      throw expected('an integer of at least 2', 'batchSize', batchSize)
    if (!(maxFrames === Infinity || (Number.isInteger(maxFrames) && maxFrames >= 1)))
      throw expected('an integer of at least 1', 'maxFrames', maxFrames)
    if (!Number.isInteger(prefetch) || prefetch < 0) throw expected('a whole number', 'prefetch', prefetch)
    const planned = planClips(clips, encode)
    this.#clips = planned.filter(({ captions }) => captions.length > 0)
    this.captionlessClips = planned.length - this.#clips.length
    const pairs = this.#clips.reduce((sum, { captions }) => sum + captions.length, 0)
    this.emptyCaptions = clips.reduce((sum, { captions }) => sum + captions.length, 0) - pairs
    refuseOneGroup(this.#clips, clips.length)
    this.quarantine = new Quarantine(this.#clips.length, this.#options.maxBadShare)
    this.#rng = new Rng(this.#options.seed, 'batches')
    this.#fingerprint = fingerprintOf(this.#clips, this.#options)
  }

  /** Pairs an epoch visits (before dropLast). */
  get itemsPerEpoch(): number {
    if (this.#options.items === 'clip') return this.#clips.length
    return this.#clips.reduce((sum, { captions }) => sum + captions.length, 0)
  }

  get batchesPerEpoch(): number {
    const { batchSize, dropLast } = this.#options
    const batches = this.itemsPerEpoch / batchSize
    return dropLast ? Math.max(1, Math.floor(batches)) : Math.ceil(batches)
  }

  /** Batches of the current epoch in which all pairs share a group; a loss counts them and they contribute nothing. */
  get batchesWithoutNegatives(): number {
    return this.#planOf(this.#epoch).filter(hasOneGroup).length
  }

  /** The position after the batches handed out so far, for a checkpoint. */
  get state(): BatchesState {
    return { epoch: this.#epoch, batch: this.#batch, fingerprint: this.#fingerprint }
  }

  /** Goes on from a saved state. Throws INVALID_DATA when it belongs to other clips, captions or options; `file` is named in the message. */
  restore(state: BatchesState, file?: string): void {
    if (state.fingerprint !== this.#fingerprint) {
      throw new SonotextError(
        'INVALID_DATA',
        'the saved position belongs to other data or other batch options.',
        {
          ...(file === undefined ? {} : { file }),
          remedy:
            'Go on with the manifest, batch size and seed the run was started with, or start a new run.',
        },
      )
    }
    this.rewind(state.epoch, state.batch)
  }

  /** Goes to a batch of an epoch. An evaluation that must always see the same batches rewinds to epoch 0 first. */
  rewind(epoch: number, batch = 0): void {
    if (!Number.isInteger(epoch) || epoch < 0) throw expected('a whole number', 'epoch', epoch)
    if (!Number.isInteger(batch) || batch < 0 || batch > this.batchesPerEpoch) {
      throw expected(`a whole number up to ${this.batchesPerEpoch}`, 'batch', batch)
    }
    this.#epoch = epoch
    this.#batch = batch
    this.#settle()
  }

  /**
   * The batches left in the current epoch; afterwards the next epoch is the current one. Features are read ahead. Leaving
   * the loop early keeps the position: the next call goes on there. Throws what the feature source throws when it is not about one
   * clip, and INVALID_DATA when too many clips have to be set aside.
   */
  async *epoch(options: { signal?: AbortSignal } = {}): AsyncGenerator<Batch, void, undefined> {
    throwIfAborted(options.signal)
    const epoch = this.#epoch
    const plan = this.#planOf(epoch)
    const stop = new AbortController()
    const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal])
    const ahead: Promise<Loaded>[] = []
    let next = this.#batch
    const fill = () => {
      while (next < plan.length && ahead.length <= this.#options.prefetch) {
        const loading = this.#load(plan[next]!, epoch, next++, signal)
        // A failure is met when its turn comes; until then it must not end the process.
        loading.catch(() => {})
        ahead.push(loading)
      }
    }
    try {
      for (fill(); ahead.length > 0; fill()) {
        const { index, batch } = await ahead.shift()!
        if (options.signal?.aborted) throw abortedError(options.signal)
        this.#batch = index + 1
        this.#settle()
        if (batch !== null) yield batch
      }
    } finally {
      stop.abort()
    }
  }

  /** A finished epoch is the start of the next one. */
  #settle(): void {
    if (this.#batch < this.batchesPerEpoch) return
    this.#epoch++
    this.#batch = 0
  }

  #planOf(epoch: number): PlannedItem[][] {
    if (this.#plan?.epoch !== epoch) {
      this.#plan = { epoch, batches: planEpoch(this.#clips, this.#options, this.#rng.fork(epoch)) }
    }
    return this.#plan.batches
  }

  async #load(
    planned: readonly PlannedItem[],
    epoch: number,
    index: number,
    signal: AbortSignal,
  ): Promise<Loaded> {
    const { padValue, leastFrames } = this.#options
    const crops = this.#cropsOf(planned.length, epoch, index)
    const asked = new Map<string, Promise<ClipFeatures | null>>()
    const loaded = await Promise.all(
      planned.map(({ clip }, i) => {
        const crop = crops?.[i]
        const key = `${crop?.at} ${clip.id}`
        const loading = asked.get(key) ?? this.#orSetAside(clip, this.#featuresOf(clip, crop, signal))
        asked.set(key, loading)
        return loading
      }),
    )
    const good = planned.flatMap((item, i) => {
      const given = loaded[i]!
      if (given === null) return []
      return { item, given, cut: crops === null ? given.features : cropRows(given.features, crops[i]!) }
    })
    if (good.length === 0) return { index, batch: null }
    const batch = {
      audio: padFeatures(
        good.map(({ cut }) => cut),
        { padValue, leastFrames },
      ),
      text: padTokens(good.map(({ item }) => item.tokens)),
      items: good.map(({ item, given: { frameStep, duration } }) => ({ ...item, frameStep, duration })),
      epoch,
      index,
    }
    return { index, batch }
  }

  /** Null for a clip that cannot be used: one of many does not end an epoch. */
  async #orSetAside(clip: Clip, features: Promise<ClipFeatures>): Promise<ClipFeatures | null> {
    try {
      return await features
    } catch (error) {
      if (!isAboutClip(error)) throw error
      this.quarantine.add(clip, error.message)
      this.quarantine.refuseExceeded()
      return null
    }
  }

  async #featuresOf(clip: Clip, crop: FeatureCrop | undefined, signal: AbortSignal): Promise<ClipFeatures> {
    throwIfAborted(signal)
    try {
      const given = await this.#options.features(clip, { signal, ...(crop && { crop }) })
      if (given.features.rows === 0)
        throw new SonotextError('INVALID_DATA', 'the clip gives no frame of features.', { file: clip.audio })
      return given
    } catch (cause) {
      throwIfAborted(signal)
      if (isSonotextError(cause)) throw cause
      throw new SonotextError(
        'INVALID_DATA',
        `the features of clip "${clip.id}" could not be had (${String(cause)}).`,
        {
          file: clip.audio,
          cause,
        },
      )
    }
  }

  /** Every item draws, cropped or not, so that one clip's length does not move the others' crops. */
  #cropsOf(n: number, epoch: number, index: number): FeatureCrop[] | null {
    const { maxFrames, crop } = this.#options
    if (maxFrames === Infinity) return null
    const rng = this.#rng.fork(epoch).fork('crops').fork(index)
    return Array.from({ length: n }, () => {
      const draw = rng.uniform()
      return { frames: maxFrames, at: crop === 'random' ? draw : 0 }
    })
  }
}

function planClips(clips: readonly Clip[], encode: BatchesOptions['encode']): PlannedClip[] {
  const groups = new Map<string, number>()
  return clips.map((clip) => {
    const name = groupOf(clip)
    const group = groups.get(name) ?? groups.size
    groups.set(name, group)
    const captions = clip.captions.map((caption) => ({ caption, tokens: encode(caption) }))
    return { clip, group, captions: captions.filter(({ tokens }) => tokens.length > 0) }
  })
}

function refuseOneGroup(clips: readonly PlannedClip[], given: number): void {
  const [first] = clips
  if (first === undefined) {
    throw new SonotextError(
      'INVALID_DATA',
      `Expected clips with captions for the batches, got ${given} clips without any.`,
      {
        remedy: 'Check that the manifest has captions in this split.',
      },
    )
  }
  if (hasOneGroup(clips)) {
    throw new SonotextError(
      'INVALID_DATA',
      `all ${clips.length} clips share the group "${groupOf(first.clip)}", and a batch whose clips share one group has no negatives.`,
      { remedy: 'Give clips of different recordings different groups.' },
    )
  }
}

function fingerprintOf(
  clips: readonly PlannedClip[],
  options: Required<Omit<BatchesOptions, 'clips'>>,
): string {
  const hash = createHash('sha256')
  const { batchSize, seed, items, shuffle, dropLast, maxFrames, crop, padValue, leastFrames } = options
  hash.update(
    JSON.stringify([
      batchSize,
      seed,
      items,
      shuffle,
      dropLast,
      String(maxFrames),
      crop,
      padValue,
      leastFrames,
    ]),
  )
  for (const { clip, group, captions } of clips) {
    hash.update(
      JSON.stringify([clip.id, group, captions.map(({ caption, tokens }) => [caption.id, ...tokens])]),
    )
  }
  return hash.digest('hex').slice(0, 32)
}
