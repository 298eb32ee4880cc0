/** One way to say that a sound happens; subject and verb agree. */
export interface Clause {
  /** "a dog" */
  readonly subject: string
  /** "barks" */
  readonly verb: string
  /** "barking"; empty where the subject alone names the sound. */
  readonly gerund: string
  /** What follows the verb: "on a door". */
  readonly rest: string
  readonly plural: boolean
}

/** A noun with its article and adjectives, as a caption says it. */
export interface NounPhrase {
  readonly text: string
  readonly plural: boolean
}

/** What a class of sounds is and how English speaks of it. */
export interface Lexeme {
  /** Whether the class can stand in front ('event'), lie under a whole scene ('texture'), or both. */
  readonly role: 'event' | 'texture' | 'both'
  readonly clauses: readonly Clause[]
  /** Noun phrases for the sound as a whole: "rain", "the ticking of a clock". */
  readonly nouns: readonly NounPhrase[]
  /** Singular and plural of one occurrence ("dog bark", "dog barks"); null where occurrences are not counted. */
  readonly unit: readonly [string, string] | null
  /** For counted classes: how long one occurrence lasts, shortest and longest, in seconds. */
  readonly unitSeconds: readonly [number, number]
}

/**
 * A lexeme as it is written down. A clause is `subject|verb|gerund` or `subject|verb|gerund|rest`: 'a dog|barks|barking',
 * 'someone|knocks|knocking|on a door'. A `+` marks a plural subject or noun: '+people|clap|clapping', '+footsteps'.
 */
export interface LexiconEntry {
  readonly role: Lexeme['role']
  readonly clauses: readonly string[]
  readonly nouns: readonly string[]
  /** 'dog bark|dog barks' */
  readonly unit?: string
  /** Default 0.05 to 4 s. */
  readonly unitSeconds?: readonly [number, number]
}

/** Own words for labels, by label; they go before the built-in ones. */
export type Lexicon = Readonly<Record<string, LexiconEntry>>
