import { createHash } from 'node:crypto'
import { abortedError, throwIfAborted } from '../base/abort.js'
import { expected, SonotextError } from '../base/errors.js'
import { Rng } from '../base/rng.js'
import { atOnce, type InPieces, inTurns } from '../base/turn.js'
import { type Batch, BatchLoader, type Loaded } from './batch-loader.js'
import {
  type BatchPlan,
  hasOneGroup,
  type PlannedClip,
  type PlannedItem,
  planEpoch,
  plannedItems,
} from './batch-plan.js'
import type { CaptionOrder, CaptionWriter } from '../text/index.js'
import type { FeatureSource } from './feature-source.js'
import type { Caption, Clip } from './manifest.js'
import { plannedClips, type PlannedClips } from './planned-clips.js'
import { Quarantine } from './quarantine.js'

/** Options of {@link Batches}. */
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
  /** Which pairs stand together in a batch, where they are shuffled; default as it comes. */
  order?: CaptionOrder | undefined
  /** Writes captions that are no clip's for every batch; default none. */
  writer?: CaptionWriter | undefined
  /** Batches whose features are read ahead; default 2. */
  prefetch?: number
  /** A clip whose features cannot be had is set aside; past this share of the clips the epoch ends with an error. Default 0.05. */
  maxBadShare?: number
  /** What batches are made of, in place of `items`, `batchSize`, `dropLast` and `order`: given the clips with captions that have words. */
  plan?: (clips: readonly PlannedClip[]) => BatchPlan
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
 * {@link Batches} of a great many clips, made with turns of the event loop in between. Throws as its constructor does, and ABORTED when
 * the signal fires.
 */
export async function openBatches(
  options: BatchesOptions,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<Batches> {
  return new Batches(options, await inTurns(planned(complete(options)), signal))
}

type CompleteOptions = Required<Omit<BatchesOptions, 'plan'>> & Pick<BatchesOptions, 'plan'>

/** With every default. Throws INVALID_ARGUMENT for a bad one. */
function complete(given: BatchesOptions): CompleteOptions {
  const { shuffle = true, ...rest } = given
  const options: CompleteOptions = {
    items: 'pair',
    shuffle,
    dropLast: false,
    maxFrames: Infinity,
    crop: shuffle ? 'random' : 'start',
    padValue: 0,
    leastFrames: 1,
    order: undefined,
    writer: undefined,
    prefetch: 2,
    maxBadShare: 0.05,
    ...rest,
  }
  const { batchSize, maxFrames, prefetch } = options
  if (!Number.isInteger(batchSize) || batchSize < 2)
    throw expected('an integer of at least 2', 'batchSize', batchSize)
  if (!(maxFrames === Infinity || (Number.isInteger(maxFrames) && maxFrames >= 1)))
    throw expected('an integer of at least 1', 'maxFrames', maxFrames)
  if (!Number.isInteger(prefetch) || prefetch < 0) throw expected('a whole number', 'prefetch', prefetch)
  return options
}

function planned(options: CompleteOptions): InPieces<PlannedClips> {
  return plannedClips(options.clips, options.encode, options)
}

/**
 * Batches of clip–caption pairs. The plan of an epoch (order, chosen captions, crops) is a pure function of seed, data and
 * epoch number, so that a restored state goes on with the same batches bit for bit. A batch whose pairs share one group has
 * no negatives: shuffled plans are mended by exchanging pairs between batches where that is possible.
 */
export class Batches {
  readonly #options: CompleteOptions
  readonly #planned: PlannedClips
  /** Null: every clip or pair in a random order. */
  readonly #own: BatchPlan | null
  readonly #fingerprint: string
  readonly #rng: Rng
  readonly #loader: BatchLoader
  #epoch = 0
  #batch = 0
  #plan: { epoch: number; batches: PlannedItem[][] } | undefined
  /** Clips whose features could not be had, with their reasons: their pairs are left out. */
  readonly quarantine: Quarantine

  /**
   * Encodes every caption at once: {@link openBatches} lets the event loop run. Throws INVALID_ARGUMENT for a bad option, INVALID_DATA
   * when no pair is left or all clips share one group, since then no batch has a negative.
   */
  constructor(given: BatchesOptions, ready?: PlannedClips) {
    const options = complete(given)
    this.#options = options
    this.#planned = ready ?? atOnce(planned(options))
    this.#own = options.plan?.(this.#planned.clips) ?? null
    this.#fingerprint = fingerprintOf(this.#planned, this.#own)
    this.quarantine = new Quarantine(this.#planned.clips.length, options.maxBadShare)
    this.#rng = new Rng(options.seed, 'batches')
    this.#loader = new BatchLoader(options, this.#rng, this.quarantine)
  }

  /** Captions without words, left out. */
  get emptyCaptions(): number {
    return this.#planned.emptyCaptions
  }

  /** Clips without any caption that has words, left out. */
  get captionlessClips(): number {
    return this.#planned.captionlessClips
  }

  /** Pairs an epoch visits (before dropLast). */
  get itemsPerEpoch(): number {
    if (this.#own !== null) return this.#own.itemsPerEpoch
    return this.#options.items === 'clip' ? this.#planned.clips.length : this.#planned.pairs
  }

  get batchesPerEpoch(): number {
    if (this.#own !== null) return this.#own.batchesPerEpoch
    const { batchSize, dropLast } = this.#options
    const batches = this.itemsPerEpoch / batchSize
    return dropLast ? Math.max(1, Math.floor(batches)) : Math.ceil(batches)
  }

  /** Batches of the current epoch in which all pairs share a group; a loss counts them and they contribute nothing. */
  get batchesWithoutNegatives(): number {
    return atOnce(this.#planOf(this.#epoch)).filter(hasOneGroup).length
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
    const plan = await inTurns(this.#planOf(epoch), options.signal)
    const stop = new AbortController()
    const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal])
    const ahead: Promise<Loaded>[] = []
    let next = this.#batch
    const fill = () => {
      while (next < plan.length && ahead.length <= this.#options.prefetch) {
        const loading = this.#loader.load(plan[next]!, epoch, next++, signal)
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

  *#planOf(epoch: number): InPieces<PlannedItem[][]> {
    if (this.#plan?.epoch === epoch) return this.#plan.batches
    const rng = this.#rng.fork(epoch)
    const batches = yield* this.#own === null
      ? planEpoch(this.#planned.clips, this.#options, rng)
      : plannedItems(this.#own.batches(rng))
    this.#plan = { epoch, batches }
    return batches
  }
}

function fingerprintOf({ fingerprint }: PlannedClips, plan: BatchPlan | null): string {
  if (plan === null) return fingerprint
  const hash = createHash('sha256').update(fingerprint).update(JSON.stringify(plan.config))
  return hash.digest('hex').slice(0, 32)
}
