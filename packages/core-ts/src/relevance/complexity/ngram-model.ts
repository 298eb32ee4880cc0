import { expected } from '../../base/index.js'

/** Places before the first word, and the one behind the last. */
const [start, end] = ['<s>', '</s>']

/**
 * A trigram model of texts with Witten and Bell's smoothing (1991): P(w|h) = (c(hw) + T(h)·P(w|h')) / (c(h) + T(h)), where c counts, T(h) is how
 * many different words follow h, and h' is h without its first word; below the words of the texts lies one share for any other word.
 * Texts come in groups, such as the captions of one clip, and a text is judged by a model without its own group.
 */
export class NgramModel {
  readonly #all = new Counts()
  readonly #groups = new Map<string, Counts>()

  /** Throws INVALID_ARGUMENT without a text that has words. */
  constructor(texts: Iterable<{ readonly group: string; readonly words: readonly string[] }>) {
    for (const { group, words } of texts) {
      let own = this.#groups.get(group)
      if (own === undefined) this.#groups.set(group, (own = new Counts()))
      this.#all.add(words)
      own.add(words)
    }
    if (this.#all.total === 0) throw expected('texts with words', 'texts', 'none')
  }

  /** 2 to the mean number of bits of a word and of the end, in a model of all texts but those of the group. null for a text without words. */
  perplexity(words: readonly string[], group: string): number | null {
    if (words.length === 0) return null
    const own = this.#groups.get(group)
    let bits = 0
    for (const gram of trigrams(words)) bits -= Math.log2(this.#probability(gram, own))
    return 2 ** (bits / (words.length + 1))
  }

  #probability([a, b, w]: Trigram, own: Counts | undefined): number {
    const vocabulary = this.#all.types('', own)
    let p = 1 / (vocabulary + 1)
    for (const history of ['', b, `${a} ${b}`]) {
      const types = this.#all.types(history, own)
      const seen = this.#all.count(history, own)
      if (seen === 0) break
      // Of no history there is one type more: the word that no text has.
      const unseen = history === '' ? types + 1 : types
      p = (this.#all.following(history, w, own) + unseen * p) / (seen + unseen)
    }
    return p
  }
}

type Trigram = readonly [string, string, string]

function* trigrams(words: readonly string[]): Generator<Trigram> {
  const padded = [start, start, ...words, end]
  for (let i = 2; i < padded.length; i++) yield [padded[i - 2]!, padded[i - 1]!, padded[i]!]
}

/** Words by what stands before them: nothing, a word, or two. */
class Counts {
  readonly #next = new Map<string, Map<string, number>>()
  readonly #sums = new Map<string, number>()

  get total(): number {
    return this.#sums.get('') ?? 0
  }

  add(words: readonly string[]): void {
    if (words.length === 0) return
    for (const [a, b, w] of trigrams(words)) {
      for (const history of ['', b, `${a} ${b}`]) {
        let next = this.#next.get(history)
        if (next === undefined) this.#next.set(history, (next = new Map()))
        next.set(w, (next.get(w) ?? 0) + 1)
        this.#sums.set(history, (this.#sums.get(history) ?? 0) + 1)
      }
    }
  }

  /** How often the history occurs, less what a part of the texts has. */
  count(history: string, part: Counts | undefined): number {
    return (this.#sums.get(history) ?? 0) - (part?.count(history, undefined) ?? 0)
  }

  following(history: string, word: string, part: Counts | undefined): number {
    return (this.#next.get(history)?.get(word) ?? 0) - (part?.following(history, word, undefined) ?? 0)
  }

  /** How many different words follow a history. */
  types(history: string, part: Counts | undefined): number {
    const next = this.#next.get(history)
    let types = next?.size ?? 0
    if (part !== undefined)
      for (const [word, count] of part.#next.get(history) ?? []) if (next!.get(word) === count) types--
    return types
  }
}
