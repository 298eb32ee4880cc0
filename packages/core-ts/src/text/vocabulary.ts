import { expected, SonotextError } from '../base/errors.js'
import { atOnce, type InPieces, inTurns } from '../base/turn.js'

/** How the padding token is written. */
export const PAD_TOKEN = '<pad>'
/** How a word that is not in the vocabulary is written. */
export const UNK_TOKEN = '<unk>'
/** Index of the padding token: its vector is zero. */
export const PAD = 0
/** Index of every word that is not in the vocabulary. */
export const UNK = 1

/** Captions counted between two places where the work may pause. */
const piece = 1000

/** Options of {@link Vocabulary.build}. */
export interface VocabularyOptions {
  /** Words that occur less often become unknown; default 1. */
  minCount?: number
  /** Most words kept, without padding and unknown; default no limit. */
  maxWords?: number
}

/** What {@link Vocabulary.toJSON} gives: the words after padding and unknown, with their counts. */
export interface SerializedVocabulary {
  readonly words: readonly string[]
  readonly counts: readonly number[]
}

/**
 * Words and their indices. Index 0 is padding, 1 the unknown word; the others follow by falling count, equal counts in
 * code-unit order, so that the same captions give the same indices in whatever order they come.
 */
export class Vocabulary {
  /** All tokens by index, padding and unknown included. */
  readonly tokens: readonly string[]
  /** How often each word occurred where the vocabulary was built; 0 for padding and unknown. */
  readonly counts: readonly number[]
  readonly #indices: ReadonlyMap<string, number>

  private constructor(words: readonly string[], counts: readonly number[]) {
    this.tokens = [PAD_TOKEN, UNK_TOKEN, ...words]
    this.counts = [0, 0, ...counts]
    this.#indices = new Map(this.tokens.map((token, index) => [token, index]))
  }

  /** Counts the words of tokenised captions. Throws INVALID_DATA when there is no word at all. */
  static build(captions: Iterable<readonly string[]>, options: VocabularyOptions = {}): Vocabulary {
    return atOnce(Vocabulary.#inPieces(captions, options))
  }

  /** The same for a great many captions, with turns of the event loop in between. Throws ABORTED when the signal fires. */
  static buildAsync(
    captions: Iterable<readonly string[]>,
    { signal, ...options }: VocabularyOptions & { signal?: AbortSignal | undefined } = {},
  ): Promise<Vocabulary> {
    return inTurns(Vocabulary.#inPieces(captions, options), signal)
  }

  static *#inPieces(captions: Iterable<readonly string[]>, options: VocabularyOptions): InPieces<Vocabulary> {
    const { minCount = 1, maxWords = Infinity } = options
    if (!(minCount >= 1)) throw expected('a number of at least 1', 'minCount', minCount)
    if (!(maxWords >= 1)) throw expected('a number of at least 1', 'maxWords', maxWords)
    const counts = new Map<string, number>()
    let seen = 0
    for (const caption of captions) {
      if (++seen % piece === 0) yield
      for (const token of caption) {
        if (token !== PAD_TOKEN && token !== UNK_TOKEN) counts.set(token, (counts.get(token) ?? 0) + 1)
      }
    }
    if (counts.size === 0) {
      throw new SonotextError('INVALID_DATA', 'Expected captions with words for the vocabulary, got none.', {
        remedy: 'Check that the manifest has captions in this split.',
      })
    }
    const sorted = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    const kept = sorted.filter(([, count], rank) => count >= minCount && rank < maxWords)
    return new Vocabulary(
      kept.map(([word]) => word),
      kept.map(([, count]) => count),
    )
  }

  /** Throws INVALID_DATA when a word is repeated or reserved, or the counts do not fit. */
  static fromJSON(json: SerializedVocabulary): Vocabulary {
    const { words, counts } = json ?? {}
    const isCount = (count: unknown): boolean => Number.isSafeInteger(count) && (count as number) >= 0
    const fault = !(Array.isArray(words) && words.every((word) => typeof word === 'string'))
      ? 'a list of words'
      : new Set([...words, PAD_TOKEN, UNK_TOKEN]).size !== words.length + 2
        ? `distinct words other than ${PAD_TOKEN} and ${UNK_TOKEN}`
        : !(Array.isArray(counts) && counts.length === words.length && counts.every(isCount))
          ? `${words.length} counts`
          : undefined
    if (fault !== undefined)
      throw new SonotextError('INVALID_DATA', `Expected ${fault} for a saved vocabulary.`)
    return new Vocabulary(words, counts)
  }

  toJSON(): SerializedVocabulary {
    return { words: this.words, counts: this.counts.slice(2) }
  }

  /** Number of tokens, padding and unknown included. */
  get size(): number {
    return this.tokens.length
  }

  /** The words proper, without padding and unknown. */
  get words(): readonly string[] {
    return this.tokens.slice(2)
  }

  has(word: string): boolean {
    return this.indexOf(word) > UNK
  }

  /** Index of a word; {@link UNK} when it is not known. */
  indexOf(word: string): number {
    return this.#indices.get(word) ?? UNK
  }

  /** Indices of a caption's words. */
  encode(tokens: readonly string[]): Int32Array {
    return Int32Array.from(tokens, (token) => this.indexOf(token))
  }

  /** Words of indices, padding left out. Throws INVALID_ARGUMENT for an index outside the vocabulary. */
  decode(indices: ArrayLike<number>): string[] {
    return Array.from(indices, (index) => {
      const token = this.tokens[index]
      if (token === undefined) throw expected(`an index below ${this.size}`, 'a token', index)
      return token
    }).filter((token) => token !== PAD_TOKEN)
  }
}
