/** A word or a mark of a text, and where it stands. */
export interface TextPiece {
  /** In lower case. */
  readonly lower: string
  readonly start: number
  /** Past its last character. */
  readonly end: number
  readonly isWord: boolean
}

const pieces = /[\p{L}\p{M}\p{N}]+(?:['’‐-][\p{L}\p{M}\p{N}]+)*|[.,;:!?…—–()]/gu

/** Words and marks of a text in their order; everything else separates words. */
export function textPieces(text: string): TextPiece[] {
  return Array.from(text.matchAll(pieces), (match) => ({
    lower: match[0].toLowerCase().replaceAll('’', "'"),
    start: match.index,
    end: match.index + match[0].length,
    isWord: /[\p{L}\p{N}]/u.test(match[0]),
  }))
}

/** Entries of one word or several, by their first word, the longest first. */
export class EntryTable<Kind> {
  readonly #byFirst = new Map<string, { words: readonly string[]; kind: Kind }[]>()

  constructor(entries: Iterable<readonly [string, Kind]>) {
    for (const [text, kind] of entries) {
      const words = text.split(' ')
      const list = this.#byFirst.get(words[0]!) ?? []
      list.push({ words, kind })
      list.sort((a, b) => b.words.length - a.words.length)
      this.#byFirst.set(words[0]!, list)
    }
  }

  /** The longest entry that begins with piece `at` and ends before piece `end`. */
  match(text: readonly TextPiece[], at: number, end: number): { length: number; kind: Kind } | undefined {
    const first = text[at]
    const fits = (words: readonly string[]) =>
      at + words.length <= end && words.every((word, i) => text[at + i]!.lower === word)
    const found = first && this.#byFirst.get(first.lower)?.find(({ words }) => fits(words))
    return found && { length: found.words.length, kind: found.kind }
  }

  /** The longest entry that ends with the piece before `end` and begins no earlier than `from`. */
  matchBefore(
    text: readonly TextPiece[],
    from: number,
    end: number,
  ): { length: number; kind: Kind } | undefined {
    for (let at = from; at < end; at++) {
      const found = this.match(text, at, end)
      if (found?.length === end - at) return found
    }
    return undefined
  }
}
