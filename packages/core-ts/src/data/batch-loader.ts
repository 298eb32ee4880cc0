import type { ClipFeatures } from '../audio/index.js'
import { throwIfAborted } from '../base/abort.js'
import { isSonotextError, SonotextError } from '../base/errors.js'
import type { Rng } from '../base/rng.js'
import type { PlannedItem } from './batch-plan.js'
import { cropRows, type FeatureCrop, type FeatureSource } from './feature-source.js'
import type { CaptionWriter } from '../text/index.js'
import type { Caption, Clip } from './manifest.js'
import { type PaddedFeatures, type PaddedTokens, padFeatures, padTokens } from './padding.js'
import { isAboutClip, type Quarantine } from './quarantine.js'

/** One pair of a batch. */
export interface BatchItem extends PlannedItem {
  /** Seconds between its feature frames. */
  readonly frameStep: number
  /** Length of the whole clip in seconds. */
  readonly duration: number
}

/** A caption that was written for a batch: made from that of item `of`, and not true of its clip. */
export interface WrittenItem {
  readonly of: number
  readonly caption: Caption
}

/** n pairs: row i of every array belongs to items[i]. */
export interface Batch {
  readonly audio: PaddedFeatures
  readonly text: PaddedTokens
  readonly items: readonly BatchItem[]
  /** Captions written for this batch: further rows of its text, behind those of the items. */
  readonly written?: readonly WrittenItem[]
  readonly epoch: number
  /** Number of the batch in its epoch, from 0. */
  readonly index: number
}

/** A batch of the plan; null when none of its clips can be used. */
export interface Loaded {
  readonly index: number
  readonly batch: Batch | null
}

export interface BatchLoaderOptions {
  readonly features: FeatureSource
  readonly encode: (caption: Caption) => Int32Array
  readonly writer: CaptionWriter | undefined
  readonly maxFrames: number
  readonly crop: 'random' | 'start'
  readonly padValue: number
  readonly leastFrames: number
}

/** Makes planned pairs into batches: features read, cropped and padded. */
export class BatchLoader {
  readonly #options: BatchLoaderOptions
  readonly #rng: Rng
  readonly #quarantine: Quarantine

  /** Clips whose features cannot be had go to the quarantine. */
  constructor(options: BatchLoaderOptions, rng: Rng, quarantine: Quarantine) {
    this.#options = options
    this.#rng = rng
    this.#quarantine = quarantine
  }

  async load(
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
    const items = good.map(({ item, given: { frameStep, duration } }) => ({ ...item, frameStep, duration }))
    const written = this.#write(items, epoch, index)
    const batch = {
      audio: padFeatures(
        good.map(({ cut }) => cut),
        { padValue, leastFrames },
      ),
      text: padTokens([...items, ...written].map(({ tokens }) => tokens)),
      items,
      ...(written.length > 0 && { written }),
      epoch,
      index,
    }
    return { index, batch }
  }

  #write(
    items: readonly BatchItem[],
    epoch: number,
    index: number,
  ): (WrittenItem & { readonly tokens: Int32Array })[] {
    const { writer, encode } = this.#options
    if (writer === undefined) return []
    const texts = items.map(({ caption }) => caption.text)
    return writer
      .write(texts, this.#rng.fork(epoch).fork('written').fork(index))
      .map(({ of, text, rule }) => ({ of, caption: { id: `${items[of]!.caption.id}~${rule}`, text } }))
      .map((one) => ({ ...one, tokens: encode(one.caption) }))
      .filter(({ tokens }) => tokens.length > 0)
  }

  /** Null for a clip that cannot be used: one of many does not end an epoch. */
  async #orSetAside(clip: Clip, features: Promise<ClipFeatures>): Promise<ClipFeatures | null> {
    try {
      return await features
    } catch (error) {
      if (!isAboutClip(error)) throw error
      this.#quarantine.add(clip, error.message)
      this.#quarantine.refuseExceeded()
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
