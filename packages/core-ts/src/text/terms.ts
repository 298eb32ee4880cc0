import { stemmer } from 'stemmer'
import { expected } from '../base/errors.js'
import { tokenize } from './tokenize.js'

/**
 * What counts as a term of a text: its words; their stems (Porter 1980), so that "barks" and "barking" are one; stems and pairs of
 * neighbouring stems; or runs of three to five characters within a word, its ends marked, which forgive spelling.
 */
export type TermKind = 'words' | 'stems' | 'pairs' | 'characters'

/** Names of the kinds of terms. */
export const termKinds = ['words', 'stems', 'pairs', 'characters'] as const satisfies readonly TermKind[]

/** The terms of a text, with repetitions. */
export function termsOf(text: string, kind: TermKind): string[] {
  const words = tokenize(text)
  switch (kind) {
    case 'words':
      return words
    case 'stems':
      return words.map(stemmer)
    case 'pairs': {
      const stems = words.map(stemmer)
      return [...stems, ...stems.slice(1).map((stem, i) => `${stems[i]} ${stem}`)]
    }
    case 'characters':
      return words.flatMap((word) => {
        const marked = `<${word}>`
        return [3, 4, 5].flatMap((n) =>
          Array.from({ length: Math.max(0, marked.length - n + 1) }, (_, i) => marked.slice(i, i + n)),
        )
      })
  }
  throw expected(`one of ${termKinds.join(', ')}`, 'terms', kind)
}
