/** Spellings of one word to look for in a file of vectors, best first: as it is, other case, American, digits masked. */
export function spellings(word: string): string[] {
  const forms = [word, ...americanForms(word)]
  const masked = word.replace(/\d/g, '#')
  if (masked !== word) forms.push(masked)
  return [
    ...new Set(
      forms.flatMap((form) => [form, form.charAt(0).toUpperCase() + form.slice(1), form.toUpperCase()]),
    ),
  ]
}

/**
 * The words that stand for `word` in a set of known words: itself or another spelling of it; for a compound with hyphens or
 * dashes the parts that are known ("walkie-talkie": walkie and talkie). Empty when nothing fits.
 */
export function standIns(word: string, isKnown: (spelling: string) => boolean): string[] {
  const whole = spellings(word).find(isKnown)
  if (whole !== undefined) return [whole]
  return partsOf(word).flatMap((part) => spellings(part).find(isKnown) ?? [])
}

/** Every spelling that {@link standIns} may ask for: what to look for in a large file. */
export function lookedFor(words: Iterable<string>): Set<string> {
  const all = new Set<string>()
  for (const word of words)
    for (const part of [word, ...partsOf(word)]) for (const form of spellings(part)) all.add(form)
  return all
}

function partsOf(word: string): string[] {
  const parts = word.split(/[-\u2010-\u2015]+/).filter(Boolean)
  return parts.length > 1 ? parts : []
}

/** British endings and stems with their American forms; tried only for words that are not known as they are. */
const american: readonly [RegExp, string][] = [
  [/our/, 'or'],
  [/is(e|es|ed|ing|ation)$/, 'iz$1'],
  [/ys(e|es|ed|ing)$/, 'yz$1'],
  [/ll(ed|er|ers|ing)$/, 'l$1'],
  [/tre(s?)$/, 'ter$1'],
  [/ogue(s?)$/, 'og$1'],
  [/grey/, 'gray'],
  [/tyre/, 'tire'],
  [/mould/, 'mold'],
  [/plough/, 'plow'],
  [/aluminium/, 'aluminum'],
]

function americanForms(word: string): string[] {
  return american.flatMap(([pattern, form]) => (pattern.test(word) ? word.replace(pattern, form) : []))
}
