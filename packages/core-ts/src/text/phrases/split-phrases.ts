import english from './english.json' with { type: 'json' }
import { EntryTable, type TextPiece, textPieces } from './word-spans.js'

/** Some words of a caption: `text` is `caption.slice(start, end)`. */
export interface CaptionPhrase {
  readonly text: string
  readonly start: number
  readonly end: number
}

/** What a caption says about the time of two phrases. */
export interface CaptionRelation {
  /** `before`: the first begins before the second does. `while`: they share some time. */
  readonly kind: 'before' | 'while'
  /** Places among the phrases. */
  readonly first: number
  readonly second: number
  /** The words that say so, in lower case. */
  readonly words: string
}

/** The phrases of a caption and how they relate in time. */
export interface CaptionPhrases {
  readonly caption: string
  readonly phrases: readonly CaptionPhrase[]
  readonly relations: readonly CaptionRelation[]
}

/** Rules of a language, words in lower case; `english.json` has those of English. */
export interface PhraseRules {
  /** Order words by what they say of the phrase before them and the one behind. */
  readonly relations: Readonly<Record<'before' | 'after' | 'while', readonly string[]>>
  /** Order words that may lead a sentence and tie its first two phrases. */
  readonly heads: readonly string[]
  /** What separates phrases without ordering them. */
  readonly separators: readonly string[]
  /** What begins a place, which is no sound. */
  readonly places: readonly string[]
  /** What is cut off before a phrase. */
  readonly leading: readonly string[]
  /** What is cut off behind a phrase. */
  readonly trailing: readonly string[]
  /** Ending of adverbs, which are cut off behind a phrase. */
  readonly adverbEnding: string
  /** Words of that ending that are none. */
  readonly notAdverbs: readonly string[]
}

type Link = 'before' | 'after' | 'while' | 'and' | 'place'

/** A phrase with how the caption gets to it. */
interface Clause extends CaptionPhrase {
  readonly link: Exclude<Link, 'place'>
  readonly words: string
  /** Whether the link leads a sentence in which it ties this phrase to the next: "After a dog barks, …". */
  readonly heads: boolean
}

/**
 * Cuts a caption into phrases that stand for one sound each, by rules: at order words, conjunctions and commas; without the place
 * ("in the background"), a count before them or an adverb behind them. Order words become relations. What holds no letter, such as the
 * 1 of "alert(1)", is no phrase: a caption without words has none.
 */
export function splitPhrases(caption: string, rules: PhraseRules = english): CaptionPhrases {
  const splitter = rules === english ? (standard ??= new Splitter(english)) : new Splitter(rules)
  const clauses = splitter.clauses(caption)
  const phrases = clauses.map(({ text, start, end }) => ({ text, start, end }))
  return { caption, phrases, relations: relationsOf(clauses) }
}

let standard: Splitter | undefined

const hasLetter = ({ lower }: TextPiece): boolean => /\p{L}/u.test(lower)

class Splitter {
  readonly #links: EntryTable<Link>
  readonly #leading: EntryTable<true>
  readonly #trailing: EntryTable<true>
  readonly #heads: ReadonlySet<string>
  readonly #isAdverb: (word: string) => boolean

  constructor({
    relations,
    heads,
    separators,
    places,
    leading,
    trailing,
    adverbEnding,
    notAdverbs,
  }: PhraseRules) {
    const links: [string, Link][] = [
      ...Object.entries(relations).flatMap(([kind, entries]) =>
        entries.map((entry): [string, Link] => [entry, kind as Link]),
      ),
      ...separators.map((entry): [string, Link] => [entry, 'and']),
      ...places.map((entry): [string, Link] => [entry, 'place']),
    ]
    this.#links = new EntryTable(links)
    this.#leading = new EntryTable(leading.map((entry) => [entry, true]))
    this.#trailing = new EntryTable(trailing.map((entry) => [entry, true]))
    this.#heads = new Set(heads)
    const others = new Set(notAdverbs)
    this.#isAdverb = (word) => word.length > 4 && word.endsWith(adverbEnding) && !others.has(word)
  }

  clauses(caption: string): Clause[] {
    const text = textPieces(caption)
    const clauses: Clause[] = []
    let link: Clause['link'] = 'and'
    let words = ''
    let heads = false
    let from = 0
    /** Within "in the background" until the next link. */
    let place = false
    let sentence = true
    const close = (end: number): void => {
      const [first, last] = place ? [end, end] : this.#trim(text, from, end)
      place = false
      if (!text.slice(first, last).some(hasLetter)) return
      const [start, stop] = [text[first]!.start, text[last - 1]!.end]
      clauses.push({ text: caption.slice(start, stop), start, end: stop, link, words, heads })
      ;[link, words, heads, sentence] = ['and', '', false, false]
    }
    for (let at = 0; at < text.length;) {
      if (!text[at]!.isWord) {
        close(at)
        if (/[.!?]/.test(text[at]!.lower)) [link, words, sentence] = ['and', '', true]
        from = ++at
        continue
      }
      const found = this.#links.match(text, at, text.length)
      if (found === undefined) at++
      else if (found.kind === 'place') {
        // What stands before is a phrase; the place itself is none. A place at the very beginning, "in the distance a dog barks", may hold one.
        const opens = at === from && !place
        if (!opens) {
          close(at)
          place = true
        }
        at += found.length
        from = at
      } else {
        close(at)
        const said = text
          .slice(at, at + found.length)
          .map(({ lower }) => lower)
          .join(' ')
        // "and then": what orders counts.
        if (found.kind !== 'and' || link === 'and')
          [link, words, heads] = [found.kind, said, sentence && this.#heads.has(said)]
        at += found.length
        from = at
      }
    }
    close(text.length)
    return clauses
  }

  /** Pieces of a phrase without what stands around it; nothing when no other word is left. */
  #trim(text: readonly TextPiece[], from: number, end: number): [number, number] {
    let [first, last] = [from, end]
    for (;;) {
      const leading = this.#leading.match(text, first, last)
      if (leading === undefined || leading.length === last - first) break
      first += leading.length
    }
    while (last - first > 1) {
      const trailing = this.#trailing.matchBefore(text, first + 1, last)
      if (trailing !== undefined) last -= trailing.length
      else if (this.#isAdverb(text[last - 1]!.lower)) last--
      else break
    }
    return [first, last]
  }
}

/**
 * Order runs along the main line: what is said to happen "while" something does stands aside of it, so that "A while B, then C" puts C
 * behind A alone, and B may go on. Phrases joined by "and" or a comma share their place in the order. What stands at the head of a
 * sentence ("after A, B") is tied to the first phrase behind its comma.
 */
function relationsOf(clauses: readonly Clause[]): CaptionRelation[] {
  const relations: CaptionRelation[] = []
  const before = (first: readonly number[], second: readonly number[], words: string): void => {
    for (const a of first)
      for (const b of second) relations.push({ kind: 'before', first: a, second: b, words })
  }
  let main: number[] = []
  let head: { readonly link: Clause['link']; readonly words: string; readonly phrases: number[] } | undefined
  for (const [i, { link, words, heads }] of clauses.entries()) {
    if (heads) head = { link, words, phrases: [i] }
    else if (head !== undefined && words === 'and') head.phrases.push(i)
    else if (head !== undefined && link === 'and') {
      if (head.link === 'before') before([i], head.phrases, head.words)
      else if (head.link === 'after') before(head.phrases, [i], head.words)
      else relations.push({ kind: 'while', first: head.phrases.at(-1)!, second: i, words: head.words })
      head = undefined
      main = [i]
    } else if (link === 'before') {
      before(main, [i], words)
      main = [i]
    } else if (link === 'after') before([i], main, words)
    else if (link === 'while' && i > 0) relations.push({ kind: 'while', first: i - 1, second: i, words })
    else main.push(i)
  }
  return relations
}
