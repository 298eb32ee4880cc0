import { createHash } from 'node:crypto'
import { type DecodePolicy, readMono, resample } from '@sonotext/core/audio'
import type { Backend } from '@sonotext/core/backend'
import { checkOptions, isSonotextError, SonotextError, throwIfAborted, type Rng } from '@sonotext/core/base'
import { activeSegments, level, occurrences, type Segment } from './activity.js'
import { requireLabel, unknownSplit, type PickedSound, type SoundBank } from './bank.js'
import {
  fileSizes,
  labelledClips,
  readActivity,
  type FolderClipsOptions,
  type LabelledClip,
} from './folder-clips.js'
import type { Lexeme, Lexicon } from './lexeme.js'
import { isKnown, lexemeOf } from './lexicon.js'
import { fillWith } from './mix.js'

/** Options of {@link folderBank}. */
export interface FolderBankOptions extends FolderClipsOptions {
  /** CSV with the columns file, onset, offset: where the clips are active. Default: measured. */
  readonly activity?: string
  /** Words and roles for labels, before the built-in ones. */
  readonly lexicon?: Lexicon
  /** Computes the resampling; default: `openBackend()`. */
  readonly backend?: Backend
  /** Which recordings are read, and by whom. */
  readonly decode?: DecodePolicy
}

/** How many recordings one pick tries before it gives up. */
const tries = 24

/**
 * A bank of real recordings: a folder with a sub-folder for each class, or with a CSV that names class, fold and recording of each
 * file. No recording is in two splits. A file that is missing, broken or silent is noted in `unusable` and another is taken. Throws as
 * `labelledClips`, INVALID_DATA when none of the files is there.
 */
export async function folderBank(folder: string, options: FolderBankOptions = {}): Promise<SoundBank> {
  checkOptions(options, 'folderBank')
  const clips = await labelledClips(folder, options)
  const sizes = await fileSizes(clips)
  if (sizes.every((size) => size === undefined)) {
    throw new SonotextError(
      'INVALID_DATA',
      `none of the ${clips.length} files is there, such as "${clips[0]!.name}".`,
      {
        file: folder,
        remedy: 'Give the folder that the file names start from.',
      },
    )
  }
  const active = options.activity === undefined ? () => undefined : await readActivity(options.activity)
  return new FolderBank(clips, sizes, active, options)
}

class FolderBank implements SoundBank {
  readonly id: string
  readonly #bySplit: ReadonlyMap<string, ReadonlyMap<string, readonly LabelledClip[]>>
  readonly #active: (name: string) => readonly Segment[] | undefined
  readonly #backend: Backend | undefined
  readonly #lexicon: Lexicon | undefined
  readonly #decode: DecodePolicy
  readonly #unusable = new Map<string, string>()

  constructor(
    clips: readonly LabelledClip[],
    sizes: readonly (number | undefined)[],
    active: (name: string) => readonly Segment[] | undefined,
    options: FolderBankOptions,
  ) {
    const splits = Map.groupBy(clips, (clip) => clip.split)
    this.#bySplit = new Map(
      [...splits].map(([split, list]) => [split, Map.groupBy(list, (clip) => clip.label)]),
    )
    this.#active = active
    this.#backend = options.backend
    this.#lexicon = options.lexicon
    this.#decode = options.decode ?? {}
    const hash = createHash('sha256').update(JSON.stringify(options.lexicon ?? null))
    for (const [i, { name, label, group, split }] of clips.entries()) {
      hash.update(JSON.stringify([name, label, group, split, sizes[i] ?? null, active(name) ?? null]))
    }
    this.id = `folder-1:${hash.digest('hex').slice(0, 16)}`
  }

  get unusable(): { file: string; reason: string }[] {
    return Array.from(this.#unusable, ([file, reason]) => ({ file, reason }))
  }

  labels(split: string): readonly string[] {
    return [...this.#ofSplit(split).keys()].sort()
  }

  lexeme(label: string): Lexeme {
    const lexeme = lexemeOf(label, this.#lexicon)
    // Nobody said what an unknown class is: it may stand in front or lie underneath.
    return isKnown(label, this.#lexicon) ? lexeme : { ...lexeme, role: 'both' }
  }

  async pick(label: string, options: Parameters<SoundBank['pick']>[1]): Promise<PickedSound> {
    const { rng, split, as, signal } = options
    const clips = this.#ofSplit(split).get(requireLabel(label, this.labels(split)))!
    const { unit, unitSeconds } = this.lexeme(label)
    let uncounted: PickedSound | undefined
    let reason = ''
    // Drawn with replacement, so that what is picked depends on the stream alone and not on what failed before.
    for (let attempt = 0; attempt < Math.max(tries, 2 * clips.length); attempt++) {
      throwIfAborted(signal)
      const clip = rng.pick(clips)
      const samples = await this.#read(clip, options)
      if (typeof samples === 'string') {
        reason = samples
        continue
      }
      const sound = (takes: readonly Float32Array[], counted = false) => ({
        label,
        source: clip.group,
        counted,
        takes,
      })
      if (as === 'texture')
        return sound([fillWith(samples, Math.round(options.seconds * options.sampleRate), rng)])
      if (as === 'occurrences' && unit !== null) {
        const single = occurrences(samples, options.sampleRate, unitSeconds)
        if (single.length > 0)
          return sound(takesOf(samples, single, options.count ?? 1, options.sampleRate, rng), true)
        uncounted ??= sound([episode(samples, options, rng)])
        if (attempt < tries / 2) continue
        return uncounted
      }
      return sound([episode(samples, options, rng)])
    }
    if (uncounted) return uncounted
    throw new SonotextError(
      'INVALID_DATA',
      `no usable recording of "${label}" is left in the split "${split}" (${reason}).`,
      {
        remedy: 'Check the folder; `unusable` lists the files and their reasons.',
      },
    )
  }

  #ofSplit(split: string): ReadonlyMap<string, readonly LabelledClip[]> {
    const labels = this.#bySplit.get(split)
    if (labels === undefined) throw unknownSplit(split, this.#bySplit.keys())
    return labels
  }

  /** The active part of a clip at the wanted rate, or why it cannot be used. */
  async #read(
    clip: LabelledClip,
    { sampleRate, signal }: Parameters<SoundBank['pick']>[1],
  ): Promise<Float32Array | string> {
    const known = this.#unusable.get(clip.path)
    if (known !== undefined) return known
    try {
      const options = signal === undefined ? {} : { signal }
      const recording = await readMono(clip.path, { ...this.#decode, ...options })
      const segments = this.#active(clip.name) ?? activeSegments(recording.samples, recording.sampleRate)
      const [first, last] = [segments[0], segments[segments.length - 1]]
      if (first === undefined || level(recording.samples) < -70) return this.#refuse(clip, 'silent')
      const from = Math.floor(first.onset * recording.sampleRate)
      const active = recording.samples.slice(from, Math.ceil(last!.offset * recording.sampleRate))
      const backend = this.#backend === undefined ? {} : { backend: this.#backend }
      return await resample(active, recording.sampleRate, sampleRate, { ...backend, ...options })
    } catch (error) {
      if (!isSonotextError(error) || error.code === 'ABORTED') throw error
      return this.#refuse(clip, error.message)
    }
  }

  #refuse(clip: LabelledClip, reason: string): string {
    this.#unusable.set(clip.path, reason)
    return reason
  }
}

/** `count` of the single occurrences, different ones while there are enough. */
function takesOf(
  samples: Float32Array,
  single: readonly Segment[],
  count: number,
  sampleRate: number,
  rng: Rng,
): Float32Array[] {
  const order = rng.shuffle(single.slice())
  return Array.from({ length: count }, (_, i) => {
    const { onset, offset } = order[i % order.length]!
    return samples.slice(Math.floor(onset * sampleRate), Math.ceil(offset * sampleRate))
  })
}

/** A stretch of at most `seconds`, beginning where something begins. */
function episode(
  samples: Float32Array,
  { seconds, sampleRate }: { seconds: number; sampleRate: number },
  rng: Rng,
): Float32Array {
  const most = Math.round(seconds * sampleRate)
  if (samples.length <= most) return samples
  const begins = activeSegments(samples, sampleRate)
    .map(({ onset }) => Math.floor(onset * sampleRate))
    .filter((begin) => begin + most <= samples.length)
  const begin = begins.length > 1 ? rng.pick(begins) : rng.int(samples.length - most + 1)
  return samples.slice(begin, begin + most)
}
