import { expected } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import { type CaptionPhrases, splitPhrases } from '../text/index.js'
import { decodeSegments, type SegmentOptions, segmentSettings } from './decode-segments.js'
import type { PhraseRelation } from './joint-decode.js'
import { type AlignScorer, scoreClip, type WordReduction } from './scorer.js'
import type { AlignedSegment } from './segment.js'

/** Options of {@link align}. */
export interface AlignOptions extends Omit<SegmentOptions, 'relations'> {
  /** Whether the order words of a caption count: "then", "while" and their like. Default false: it made segments worse. */
  joint?: boolean
  /** How the scores of a phrase's words become one. Default mean. */
  words?: WordReduction
  signal?: AbortSignal
}

/**
 * Where the phrases of a caption are heard in a clip. A caption is split into phrases and relations ({@link splitPhrases}); phrases that are
 * given have none. In the order of the phrases, and of time within each; a phrase that is not there has no segment.
 * @throws SonotextError INVALID_ARGUMENT for a caption without a word, or no phrase at all
 */
export async function align<Clip>(
  scorer: AlignScorer<Clip>,
  clip: Clip,
  captionOrPhrases: string | readonly string[],
  options: AlignOptions = {},
): Promise<AlignedSegment[]> {
  const { joint = false, words, signal, ...decoding } = checkOptions(options, 'align')
  segmentSettings(decoding)
  const { phrases, relations } = phrasesOf(captionOrPhrases)
  const abortable = signal === undefined ? {} : { signal }
  using prepared = await scorer.prepare(phrases, abortable)
  const map = await scoreClip(prepared, clip, { ...(words === undefined ? {} : { words }), ...abortable })
  return decodeSegments(map, phrases, { ...decoding, relations: joint ? relations : [] })
}

/** The phrases to look for in a text, with their relations, or those that are given, with none. */
export function phrasesOf(captionOrPhrases: string | readonly string[]): {
  readonly phrases: readonly string[]
  readonly relations: readonly PhraseRelation[]
  /** Where the phrases stand in the caption. */
  readonly split?: CaptionPhrases
} {
  if (typeof captionOrPhrases === 'string') {
    const split = splitPhrases(captionOrPhrases)
    if (split.phrases.length === 0) throw expected('a caption with words', 'the caption', captionOrPhrases)
    return { phrases: split.phrases.map(({ text }) => text), relations: split.relations, split }
  }
  const empty = captionOrPhrases.findIndex((phrase) => !/[\p{L}\p{N}]/u.test(phrase))
  if (empty >= 0) throw expected('words', `phrase ${empty}`, captionOrPhrases[empty])
  if (captionOrPhrases.length === 0) throw expected('one phrase or more', 'phrases', 'none')
  return { phrases: captionOrPhrases, relations: [] }
}
