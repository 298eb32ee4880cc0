import type { Clip } from '@sonotext/core/data'
import { lexemeOf } from '@sonotext/scenes'

/** A phrase that names the sound of a class: "a dog barks". */
export function classPhrase(label: string): string {
  const { clauses, nouns } = lexemeOf(label)
  const clause = clauses[0]
  return clause === undefined ? nouns[0]!.text : `${clause.subject} ${clause.verb}`
}

/** Labels of all events, ascending. */
export function labelsOf(clips: readonly Clip[]): string[] {
  return [...new Set(clips.flatMap(({ events = [] }) => events.map(({ label }) => label)))].sort()
}

const common = new Set('a an the of is are be it its on in someone something there sound noise'.split(' '))

function contentWords(text: string): string[] {
  return text
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word.length > 1 && !common.has(word))
}

/**
 * Which of the labels a phrase speaks of, by the words that the captions use for each; undefined where it is not one alone. Composed
 * captions only say what the lexicon says.
 */
export function labelOfPhrase(phrase: string, labels: readonly string[]): string | undefined {
  const said = new Set(contentWords(phrase))
  const fits = labels.map((label) => {
    const { clauses, nouns, unit } = lexemeOf(label)
    const own = new Set(
      [
        ...clauses.map(({ subject, verb, gerund, rest }) => `${subject} ${verb} ${gerund} ${rest}`),
        ...nouns.map(({ text }) => text),
        ...(unit ?? []),
      ].flatMap(contentWords),
    )
    return { label, shared: [...said].filter((word) => own.has(word)).length }
  })
  const most = Math.max(...fits.map(({ shared }) => shared))
  const best = fits.filter(({ shared }) => shared === most)
  return most > 0 && best.length === 1 ? best[0]!.label : undefined
}
