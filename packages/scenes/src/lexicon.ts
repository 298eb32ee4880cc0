import { expected } from '@sonotext/core/base'
import type { Clause, Lexeme, Lexicon, LexiconEntry, NounPhrase } from './lexeme.js'
import { entries, synonyms } from './lexicon-entries.js'

/** Labels that have words of their own; any other label gets words derived from it. */
export const knownLabels: readonly string[] = Object.keys(entries)

/** Lower case, blanks and hyphens to underscores, and synonyms to one name: "Dog bark" → "dog". */
export function canonicalLabel(label: string): string {
  const plain = label
    .trim()
    .toLowerCase()
    .replace(/[\s-]+/g, '_')
  return synonyms[plain] ?? plain
}

/** The words for a label: the user's, the built-in ones, or derived from the label itself ("the sound of a 3d printer"). */
export function lexemeOf(label: string, own: Lexicon = {}): Lexeme {
  const entry = own[label] ?? own[canonicalLabel(label)] ?? entries[canonicalLabel(label)]
  return entry ? parseEntry(entry, label) : derived(label)
}

/** Whether a label has words of its own, so that its role is known and not guessed. */
export function isKnown(label: string, own: Lexicon = {}): boolean {
  return label in own || canonicalLabel(label) in own || canonicalLabel(label) in entries
}

function parseEntry(entry: LexiconEntry, label: string): Lexeme {
  const clauses = entry.clauses.map((text): Clause => {
    const [subject, verb, gerund, rest = ''] = text.split('|')
    if (!subject || !verb || gerund === undefined) {
      throw expected('"subject|verb|gerund"', `a clause of the lexicon entry "${label}"`, text)
    }
    const { text: name, plural } = parseNoun(subject)
    return { subject: name, verb, gerund, rest, plural }
  })
  const unit = entry.unit?.split('|')
  if (clauses.length === 0)
    throw expected('at least one clause', `the lexicon entry "${label}"`, entry.clauses)
  if (entry.nouns.length === 0)
    throw expected('at least one noun', `the lexicon entry "${label}"`, entry.nouns)
  if (unit && unit.length !== 2)
    throw expected('"singular|plural"', `the unit of the lexicon entry "${label}"`, entry.unit)
  return {
    role: entry.role,
    clauses,
    nouns: entry.nouns.map(parseNoun),
    unit: unit ? [unit[0]!, unit[1]!] : null,
    unitSeconds: entry.unitSeconds ?? [0.05, 4],
  }
}

function parseNoun(text: string): NounPhrase {
  return text.startsWith('+') ? { text: text.slice(1), plural: true } : { text, plural: false }
}

/** Words for a label nobody described: "3d_printer" → "the sound of 3d printer", "a 3d printer sound". */
function derived(label: string): Lexeme {
  const words = label
    .trim()
    .toLowerCase()
    .replace(/[\s_-]+/g, ' ')
  const thing = /(sound|noise)$/.test(words) ? words : `${words} sound`
  const heard = (subject: string, verb: string): Clause => ({
    subject,
    verb,
    gerund: '',
    rest: '',
    plural: false,
  })
  return {
    role: 'event',
    clauses: [
      heard(`the sound of ${words}`, 'is heard'),
      heard(`the sound of ${words}`, 'rings out'),
      heard(`a sound of ${words}`, 'can be heard'),
    ],
    nouns: [`the sound of ${words}`, `a sound of ${words}`].map(parseNoun),
    unit: [thing, `${thing}s`],
    unitSeconds: [0.05, 4],
  }
}
