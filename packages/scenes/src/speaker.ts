import type { Rng } from '@sonotext/core/base'
import type { DescribedGroup } from './scene-description.js'
import { numberWord, timesWord, withArticle } from './english.js'
import type { Clause, Lexeme, NounPhrase } from './lexeme.js'

/** Puts groups and backgrounds into words, choosing among the ways the lexicon knows. */
export class Speaker {
  readonly #rng: Rng
  readonly #lexeme: (label: string) => Lexeme

  constructor(rng: Rng, lexeme: (label: string) => Lexeme) {
    this.#rng = rng
    this.#lexeme = lexeme
  }

  choose<T>(items: readonly T[]): T {
    return this.#rng.pick(items)
  }

  /** "a dog barks twice", "a clock is ticking", "someone knocks on a door three times" */
  finite(group: DescribedGroup): string {
    const lexeme = this.#lexeme(group.label)
    const clause = this.choose(lexeme.clauses)
    if (group.count === null && clause.gerund !== '' && this.#rng.uniform() < 0.25) return progressive(clause)
    return words(clause.subject, clause.verb, clause.rest, this.#times(group.count))
  }

  /** "a dog barking twice", "a clock ticking"; the noun where the class has no verb of its own */
  gerund(group: DescribedGroup): string {
    const lexeme = this.#lexeme(group.label)
    const clause = this.choose(lexeme.clauses)
    if (clause.gerund === '') return this.noun(group).text
    return words(clause.subject, clause.gerund, clause.rest, this.#times(group.count))
  }

  /** "two dog barks", "a phone ring", "the ticking of a clock" */
  noun({ label, count }: DescribedGroup): NounPhrase {
    const { unit, nouns } = this.#lexeme(label)
    if (!unit || count === null) return this.choose(nouns)
    if (count === 1) return { text: withArticle(unit[0]), plural: false }
    const number = count >= 3 && this.#rng.uniform() < 0.2 ? 'several' : numberWord(count)
    return { text: `${number} ${unit[1]}`, plural: true }
  }

  /** "rain falls", "waves are rolling ashore" */
  backgroundFinite(label: string): string {
    const clause = this.choose(this.#lexeme(label).clauses)
    if (clause.gerund !== '' && this.#rng.uniform() < 0.3) return progressive(clause)
    return words(clause.subject, clause.verb, clause.rest)
  }

  /** "rain falling" */
  backgroundGerund(label: string): string {
    const clause = this.choose(this.#lexeme(label).clauses)
    return clause.gerund === ''
      ? this.backgroundNoun(label).text
      : words(clause.subject, clause.gerund, clause.rest)
  }

  /** "falling rain" */
  backgroundNoun(label: string): NounPhrase {
    return this.choose(this.#lexeme(label).nouns)
  }

  #times(count: number | null): string {
    if (count === null) return ''
    if (count === 1) return this.#rng.uniform() < 0.25 ? 'once' : ''
    if (count === 2) return this.#rng.uniform() < 0.2 ? 'two times' : 'twice'
    return this.#rng.uniform() < 0.2 ? 'several times' : timesWord(count)
  }
}

function progressive(clause: Clause): string {
  return words(clause.subject, clause.plural ? 'are' : 'is', clause.gerund, clause.rest)
}

function words(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(' ')
}
