import { type ClipFeatures, type DecodePolicy, type FeatureKind, isGiven } from '../audio/index.js'
import { openBackend } from '../backend/open.js'
import type { Backend } from '../backend/port.js'
import { throwIfAborted } from '../base/abort.js'
import { expected, SonotextError } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import { type Clip, type FeatureSource, isAboutClip, Quarantine } from '../data/index.js'
import type { EntryFacts } from './cache-file.js'
import { inOrder } from './in-order.js'
import { type Part, placeOf } from './part.js'
import { type CorpusStats, Recordings } from './recordings.js'
import {
  checkWindows,
  type ClipWindow,
  windowAt,
  type WindowOptions,
  windowPlaces,
  windowsOfBlocks,
} from './windows.js'

/** What a corpus needs of a clip. */
export type CorpusClip = Pick<Clip, 'id' | 'audio' | 'duration'>

/** Options of {@link openCorpus}. */
export interface CorpusOptions {
  /** What is made of every clip: `logMelFeatures({ preset: 'thesis' })`, or features that were made elsewhere. */
  features: FeatureKind
  /** Where features are kept, anywhere on disk; several processes may share it. Without one nothing is kept. */
  cacheFolder?: string
  /** The cache is only read; what is not in it is computed and not kept. Default false. A cache that may not be written to is treated so. */
  readOnly?: boolean
  /**
   * Threads that read ahead: they decode, hash and compute, so that the main thread does not. Ops of all of them share the process's one
   * thread pool, whose size does not change. Default: half of the processors, at most 4. 0: all in the main thread.
   */
  workers?: number
  /** Which recordings are read, and by whom. */
  decode?: DecodePolicy
  /** How {@link Corpus.windows} cuts long recordings. */
  windows?: WindowOptions
  /** Default: what openBackend() gives. */
  backend?: Backend
  /** Told once each, as sentences: what is not as it was asked for (features that cannot be kept, threads that cannot be started). */
  onNote?: (note: string) => void
}

/** Options of {@link Corpus.read}. */
export interface ReadOptions {
  signal?: AbortSignal
}

/** Features of a clip or a part of it. */
export interface CorpusFeatures extends ClipFeatures {
  /** Frames of the whole clip. */
  readonly frames: number
  /** Number of the first frame here. */
  readonly from: number
  /** Whether the audio was decoded for it; else it comes from the cache. */
  readonly computed: boolean
  /** Rate of the recording, Hz; known when it was decoded. */
  readonly sampleRate?: number
}

/** A clip that was read, and its place among those that were asked for. */
export interface ClipWithFeatures<C extends CorpusClip> extends CorpusFeatures {
  readonly clip: C
  readonly index: number
}

/** What is known of a clip's features without reading them. */
export interface ClipFacts extends EntryFacts {
  /** Hash of the recording; of features that were made elsewhere a name of them all. */
  readonly content: string
}

/** Clips with usable features, and those without. */
export interface SiftedClips<C extends Clip> {
  readonly clips: readonly C[]
  /** {@link ClipFacts.content} of every clip that could be read. */
  readonly contents: ReadonlyMap<C, string>
  readonly quarantine: Quarantine
}

/** Options of {@link Corpus.sift}. */
export interface SiftOptions extends ReadOptions {
  /** Past this share of bad clips the work is refused. Default 0.05. */
  maxBadShare?: number
  /** Sets aside clips of digital silence. Default true. */
  silent?: boolean
  /** A further reason to set a clip aside. */
  refuse?: (clip: Clip) => string | undefined
  onProgress?: (done: number, total: number) => void
}

/** The features of clips, streamed: see {@link Corpus}. Reads the table of known recordings. */
export async function openCorpus(options: CorpusOptions & ReadOptions): Promise<Corpus> {
  checkOptions(options, 'openCorpus')
  const { features: kind, workers, signal } = options
  if (workers !== undefined && !(Number.isInteger(workers) && workers >= 0 && workers <= 64))
    throw expected('an integer from 0 to 64', 'workers', workers)
  const { onNote = () => {}, windows } = options
  if (windows !== undefined) checkWindows(windows)
  if (isGiven(kind)) return new Corpus(kind, undefined, windows)
  const { cacheFolder, readOnly = false, decode = {}, backend = openBackend() } = options
  const settings = { kind, backend, decode, cacheFolder, readOnly, workers, onNote }
  return new Corpus(kind, await Recordings.open(settings, signal), windows)
}

/**
 * Clips with their features, of which only those in work are in memory. Recordings whose path, size and time of change are known are not
 * opened: their features are read from the cache, and of a part only that part. Whoever reads many at once reads ahead: {@link read} and
 * {@link features} keep worker threads busy while the main thread computes.
 */
export class Corpus implements AsyncDisposable {
  readonly kind: FeatureKind
  /** Left out where the features were made elsewhere. */
  readonly #recordings: Recordings | undefined
  readonly #windows: WindowOptions | undefined

  /** @internal */
  constructor(kind: FeatureKind, recordings: Recordings | undefined, windows: WindowOptions | undefined) {
    this.kind = kind
    this.#recordings = recordings
    this.#windows = windows
  }

  get stats(): CorpusStats {
    return this.#recordings?.stats ?? { audioFiles: 0, audioBytes: 0, cacheBytes: 0, computed: 0 }
  }

  /**
   * Features of a clip, or of a part of it.
   * @throws SonotextError as decoding and computing do, with the file's name; {@link isAboutClip} tells whether the next clip can be had.
   *   WRITE_FAILED when features cannot be kept although they should be
   */
  async features(clip: CorpusClip, { signal, ...part }: Part & ReadOptions = {}): Promise<CorpusFeatures> {
    throwIfAborted(signal)
    if (isGiven(this.kind)) return givenFeatures(this.kind, clip, part, signal)
    const { facts, features, from, computed, sampleRate } = await this.#recordings!.read(
      clip.audio,
      part,
      signal,
    )
    const { frameStep, duration, frames } = facts
    return {
      ...{ features: features!, frameStep, duration, frames, from, computed },
      ...(sampleRate === undefined ? {} : { sampleRate }),
    }
  }

  /** What a clip and its features are like, without reading those that are kept. Throws as {@link features}. */
  async describe(clip: CorpusClip, { signal }: ReadOptions = {}): Promise<ClipFacts> {
    throwIfAborted(signal)
    if (!isGiven(this.kind)) return (await this.#recordings!.read(clip.audio, undefined, signal)).facts
    const { frameStep } = this.kind
    const frames = this.kind.framesOf(clip.id)
    if (frames === undefined) throw notGiven(clip)
    return {
      frames,
      frameStep,
      duration: clip.duration ?? frames * frameStep,
      constant: false,
      content: this.kind.id,
    }
  }

  /** As the features of {@link Batches} and evaluateModel: a crop is read without the rest of the clip. */
  readonly source: FeatureSource = (clip, { signal, crop }) =>
    this.features(clip, { ...crop, ...(signal === undefined ? {} : { signal }) })

  /**
   * Features of many clips in their order, so many ahead that every reader has work; waiting for them when the loop is slow. A clip that
   * cannot be used is given to `onBad` and passed over; without it the loop ends with its error.
   */
  read<C extends CorpusClip>(
    clips: readonly C[],
    { signal, onBad }: ReadOptions & { onBad?: (clip: C, error: SonotextError) => void } = {},
  ): AsyncGenerator<ClipWithFeatures<C>, void, undefined> {
    return inOrder(clips, this.#ahead, signal, onBad && bad(onBad), async (clip, index, inner) => ({
      ...(await this.features(clip, { signal: inner })),
      clip,
      index,
    }))
  }

  /**
   * Goes through clips and sets aside those without usable features, with their reasons; the features of the others are in the cache
   * afterwards. Known recordings are not read.
   * @throws SonotextError INVALID_DATA when more than `maxBadShare` of the clips are bad or none is left
   */
  async sift<C extends Clip>(clips: readonly C[], options: SiftOptions = {}): Promise<SiftedClips<C>> {
    const { maxBadShare, silent = true, refuse, signal, onProgress } = options
    const quarantine = new Quarantine(clips.length, maxBadShare)
    const contents = new Map<C, string>()
    const one = async (clip: C, _: number, inner: AbortSignal) => {
      try {
        const { constant, frames, content } = await this.describe(clip, { signal: inner })
        contents.set(clip, content)
        const isSilent = silent && constant && frames > 0
        return { clip, reason: isSilent ? `${clip.audio}: the clip is silent.` : refuse?.(clip) }
      } catch (error) {
        if (!isAboutClip(error)) throw error
        return { clip, reason: error.message }
      }
    }
    let done = 0
    for await (const { clip, reason } of inOrder(clips, this.#ahead, signal, undefined, one)) {
      if (reason !== undefined) quarantine.add(clip, reason)
      onProgress?.(++done, clips.length)
    }
    await this.#recordings?.flush()
    quarantine.refuseExceeded()
    const kept = quarantine.keep(clips)
    if (kept.length > 0) return { clips: kept, contents, quarantine }
    throw new SonotextError('INVALID_DATA', `none of ${clips.length} clips can be used.`, {
      remedy: 'Run sonotext check on the manifest: it names what is wrong with each.',
    })
  }

  /**
   * A recording of any length in windows, as `windows` of {@link openCorpus} says: pieces of equal length of its features, the last one
   * shorter. It is decoded as a stream and never lies in memory whole. Where features are kept, windows are read from there; elsewhere
   * they are cut from the features as they are computed, in this thread.
   */
  async *windows(
    clip: CorpusClip,
    { signal }: ReadOptions = {},
  ): AsyncGenerator<ClipWindow, void, undefined> {
    const options = this.#windows
    if (options === undefined)
      throw expected('seconds and hop of the windows', 'windows of openCorpus', undefined)
    const abortable = signal === undefined ? {} : { signal }
    if (this.#recordings?.keeps === false) {
      await using open = await this.#recordings.stream(clip.audio, signal)
      yield* windowsOfBlocks(open.blocks, open.frameStep, options, open.duration)
      return
    }
    const facts = await this.describe(clip, abortable)
    const places = windowPlaces(facts, options).map((place, index) => ({ ...place, index }))
    yield* inOrder(places, this.#ahead, signal, undefined, async ({ from, frames, index }, _, inner) => {
      const { features } = await this.features(clip, { from, frames, signal: inner })
      const last = from + features.rows >= facts.frames
      return windowAt({ index, from }, features, facts.frameStep, last ? facts.duration : undefined)
    })
  }

  /** What is newly known of recordings is written; the threads are ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#recordings?.[Symbol.asyncDispose]()
  }

  get #ahead(): number {
    return 2 * (this.#recordings?.slots ?? 4)
  }
}

function bad<C extends CorpusClip>(onBad: (clip: C, error: SonotextError) => void) {
  return (clip: C, error: unknown) => {
    if (!isAboutClip(error)) throw error
    onBad(clip, error)
  }
}

async function givenFeatures(
  kind: Extract<FeatureKind, { read: unknown }>,
  clip: CorpusClip,
  part: Part,
  signal: AbortSignal | undefined,
): Promise<CorpusFeatures> {
  const frames = kind.framesOf(clip.id)
  if (frames === undefined) throw notGiven(clip)
  const { from, count } = placeOf(frames, part)
  const features = await kind.read(clip.id, {
    from,
    frames: count,
    ...(signal === undefined ? {} : { signal }),
  })
  const duration = clip.duration ?? frames * kind.frameStep
  return { features, frameStep: kind.frameStep, duration, frames, from, computed: false }
}

function notGiven({ id, audio }: CorpusClip): SonotextError {
  return new SonotextError('INVALID_DATA', `Expected features for the clip "${id}", there are none.`, {
    file: audio,
    remedy: 'Check that the features are named by the ids of the manifest.',
  })
}
