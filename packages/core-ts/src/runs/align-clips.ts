import { phrasesOf } from '../align/index.js'
import { SonotextError } from '../base/errors.js'
import { type Caption, type Clip, isAboutClip } from '../data/index.js'
import type { ClipAlignment, RunAligner, RunAlignOptions } from './run-aligner.js'

/** A caption of a clip with what was found of it. */
export interface AlignedCaption {
  readonly clip: Clip
  readonly caption: Caption
  readonly alignment: ClipAlignment
}

/** Options of an alignment of many clips. */
export interface AlignClipsOptions extends RunAlignOptions {
  /** Captions that are not to be done again. */
  skip?: (clip: Clip, caption: Caption) => boolean
  /** Told of a recording that cannot be read, and of captions in which nothing is said; the others go on. */
  onBad?: (clip: Clip, captions: readonly Caption[], error: SonotextError) => void
}

/**
 * Every caption of every clip, one clip after the other. All phrases of clips that are there are calibrated at the beginning, in one pass.
 * Without `onBad` what cannot be aligned ends it.
 */
export async function* alignClips(
  aligner: RunAligner,
  clips: readonly Clip[],
  { skip = () => false, onBad, ...options }: AlignClipsOptions = {},
): AsyncGenerator<AlignedCaption, void, undefined> {
  const bad = (clip: Clip, captions: readonly Caption[], error: unknown): void => {
    if (onBad === undefined || !(isAboutClip(error) || isAboutCaption(error))) throw error
    onBad(clip, captions, error)
  }
  const work = clips.map((clip) => {
    const captions = clip.captions.filter((caption) => !skip(clip, caption))
    const usable = captions.filter((caption) => {
      try {
        return phrasesOf(caption.text).phrases.length > 0
      } catch (error) {
        bad(clip, [caption], error)
        return false
      }
    })
    return { clip, captions: usable }
  })
  const phrases = work
    .filter(({ clip }) => aligner.has(clip))
    .flatMap(({ captions }) => captions.flatMap(({ text }) => phrasesOf(text).phrases))
  const { signal } = options
  await aligner.calibration(phrases, signal === undefined ? {} : { signal })
  for (const { clip, captions } of work) {
    if (captions.length === 0) continue
    try {
      const texts = captions.map(({ text }) => text)
      const alignments = await aligner.alignEach(clip, texts, options)
      for (const [c, alignment] of alignments.entries()) yield { clip, caption: captions[c]!, alignment }
    } catch (error) {
      bad(clip, captions, error)
    }
  }
}

/** A caption of no phrases, or of more related ones than can be decoded together. */
export function isAboutCaption(error: unknown): error is SonotextError {
  return error instanceof SonotextError && (error.code === 'INVALID_ARGUMENT' || error.code === 'TOO_LONG')
}
