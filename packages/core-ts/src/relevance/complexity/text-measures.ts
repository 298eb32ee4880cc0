import { functionWords, splitPhrases, tokenize } from '../../text/index.js'
import type { CaptionedClips, ClipCaption } from '../similarity/index.js'
import { NgramModel } from './ngram-model.js'

/** Measures of a caption, see {@link textMeasures}. */
export const textMeasureNames = [
  'words',
  'content words',
  'phrases',
  'frequent words',
  'frequent content words',
  'mean word length',
  'log₂ trigram perplexity',
] as const
/** One of {@link textMeasureNames}. */
export type TextMeasure = (typeof textMeasureNames)[number]

/** The most frequent words of a corpus that count as frequent. */
const frequent = 500

/**
 * What makes a caption complex, in numbers: words, content words (no function words), phrases (sounds that it names), how many of its words
 * and content words are among the 500 most frequent of all captions, mean length of its words in letters, and log₂ of the perplexity (bits a word) of a trigram
 * model of the captions of all other clips. After Xie et al. (arXiv 2408.14939), who take parts of speech from a tagger and perplexity
 * from GPT-2.
 */
export function textMeasures(
  captions: CaptionedClips,
): (caption: ClipCaption) => Record<TextMeasure, number> {
  const model = new NgramModel(
    captions.captions.map(({ clip, text }) => ({ group: clip, words: tokenize(text) })),
  )
  const words = captions.captions.flatMap(({ text }) => tokenize(text))
  const [common, commonContent] = [mostFrequent(words), mostFrequent(words.filter(isContent))]
  return ({ text, clip }) => {
    const own = tokenize(text)
    const content = own.filter(isContent)
    const letters = own.reduce((sum, word) => sum + word.length, 0)
    return {
      words: own.length,
      'content words': content.length,
      phrases: splitPhrases(text).phrases.length,
      'frequent words': own.filter((word) => common.has(word)).length,
      'frequent content words': content.filter((word) => commonContent.has(word)).length,
      'mean word length': own.length === 0 ? Number.NaN : letters / own.length,
      'log₂ trigram perplexity': Math.log2(model.perplexity(own, clip) ?? Number.NaN),
    }
  }
}

function isContent(word: string): boolean {
  return !functionWords.has(word)
}

/** Ties by the alphabet, so that it is the same everywhere. */
function mostFrequent(words: readonly string[]): Set<string> {
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  const order = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
  return new Set(order.slice(0, frequent).map(([word]) => word))
}
