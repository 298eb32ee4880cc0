import { splitPhrases } from '@sonotext/core/text'

/** Phrases that people or another program found in a caption, with their times. */
export interface AnnotatedCaption {
  readonly caption: string
  readonly phrases: readonly AnnotatedPhrase[]
}

export interface AnnotatedPhrase {
  readonly start: number
  readonly end: number
  readonly segments: readonly (readonly [onset: number, offset: number])[]
}

/** What our phrase is to an annotated one that it is not equal to. */
export type PhraseError = 'longer' | 'shorter' | 'longer and shorter' | 'missed'

/** How often what a caption says of two phrases is so in their annotated times. */
export interface RelationTruth {
  readonly kind: 'before' | 'while'
  readonly words: string
  readonly count: number
  /** Shares of the pairs: the first begins before the second; it has ended when the second begins, to a quarter of a second; they overlap. */
  readonly begins: number
  readonly ends: number
  readonly overlap: number
}

export interface PhraseAgreement {
  readonly captions: number
  readonly annotated: number
  readonly found: number
  /** Annotated phrases that were found exactly, and that share characters with one that was found. */
  readonly exact: number
  readonly partial: number
  /** Phrases found where none is annotated. */
  readonly extra: number
  readonly errors: Readonly<
    Record<PhraseError, { readonly count: number; readonly examples: readonly string[] }>
  >
  readonly relations: readonly RelationTruth[]
}

const examplesOfEach = 5
const touching = 0.25

/** Compares our phrases and relations with annotated ones. */
export function phraseAgreement(captions: readonly AnnotatedCaption[]): PhraseAgreement {
  const errors = new Map<PhraseError, string[]>()
  const pairs: {
    kind: 'before' | 'while'
    words: string
    first: AnnotatedPhrase
    second: AnnotatedPhrase
  }[] = []
  let [annotated, found, exact, partial, extra] = [0, 0, 0, 0, 0]
  for (const { caption, phrases: truth } of captions) {
    const { phrases, relations } = splitPhrases(caption)
    annotated += truth.length
    found += phrases.length
    const matched = new Map<number, AnnotatedPhrase>()
    for (const real of truth) {
      const shares = phrases.map(({ start, end }) => Math.min(end, real.end) - Math.max(start, real.start))
      const most = Math.max(0, ...shares)
      const p = shares.indexOf(most)
      const own = most > 0 ? phrases[p]! : undefined
      if (own?.start === real.start && own.end === real.end) {
        exact++
        matched.set(p, real)
        continue
      }
      if (own !== undefined) {
        partial++
        if (!matched.has(p)) matched.set(p, real)
      }
      const kind = errorOf(own, real)
      const text = caption.slice(real.start, real.end)
      errors.set(kind, [
        ...(errors.get(kind) ?? []),
        `“${text}”${own === undefined ? '' : ` / “${own.text}”`}`,
      ])
    }
    extra += phrases.filter(({ start, end }) =>
      truth.every((real) => real.end <= start || real.start >= end),
    ).length
    for (const { kind, words, first, second } of relations) {
      const [a, b] = [matched.get(first), matched.get(second)]
      if (a !== undefined && b !== undefined) pairs.push({ kind, words, first: a, second: b })
    }
  }
  const kinds: readonly PhraseError[] = ['longer', 'shorter', 'longer and shorter', 'missed']
  return {
    ...{ captions: captions.length, annotated, found, exact, partial, extra },
    errors: Object.fromEntries(
      kinds.map((kind) => {
        const all = errors.get(kind) ?? []
        const step = Math.max(1, Math.floor(all.length / examplesOfEach))
        const examples = all.filter((_, i) => i % step === 0).slice(0, examplesOfEach)
        return [kind, { count: all.length, examples }]
      }),
    ) as unknown as PhraseAgreement['errors'],
    relations: [...Map.groupBy(pairs, ({ kind, words }) => `${kind} ${words}`).values()]
      .map(truthOf)
      .sort((a, b) => b.count - a.count),
  }
}

function errorOf(own: { start: number; end: number } | undefined, real: AnnotatedPhrase): PhraseError {
  if (own === undefined) return 'missed'
  const longer = own.start < real.start || own.end > real.end
  const shorter = own.start > real.start || own.end < real.end
  return longer && shorter ? 'longer and shorter' : longer ? 'longer' : 'shorter'
}

function truthOf(
  pairs: readonly {
    kind: 'before' | 'while'
    words: string
    first: AnnotatedPhrase
    second: AnnotatedPhrase
  }[],
): RelationTruth {
  const { kind, words } = pairs[0]!
  const onset = ({ segments }: AnnotatedPhrase) => Math.min(...segments.map(([from]) => from))
  const offset = ({ segments }: AnnotatedPhrase) => Math.max(...segments.map(([, to]) => to))
  const share = (holds: (first: AnnotatedPhrase, second: AnnotatedPhrase) => boolean) =>
    pairs.filter(({ first, second }) => holds(first, second)).length / pairs.length
  return {
    ...{ kind, words, count: pairs.length },
    begins: share((a, b) => onset(a) < onset(b)),
    ends: share((a, b) => offset(a) <= onset(b) + touching),
    overlap: share((a, b) =>
      a.segments.some(([from, to]) =>
        b.segments.some(([other, end]) => Math.min(to, end) > Math.max(from, other)),
      ),
    ),
  }
}

/**
 * Captions of AudioGrounding v1 (column-oriented JSON: an object of columns, each an object from row to value), with the offsets of their
 * phrases in the caption. Throws where a phrase is not the caption's own text.
 */
export function audioGroundingV1(
  json: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): AnnotatedCaption[] {
  const captions = new Map<string, { caption: string; phrases: AnnotatedPhrase[] }>()
  for (const [row, file] of Object.entries(json['filename']!)) {
    const caption = json['caption']![row] as string
    const own = captions.get(file as string) ?? { caption, phrases: [] }
    captions.set(file as string, own)
    const text = json['soundtag']![row] as string
    const start = tokenStart(caption, json['tokens']![row] as string[], json['start_word']![row] as number)
    if (!caption.startsWith(text, start)) throw new Error(`"${text}" is not at ${start} of "${caption}".`)
    own.phrases.push({
      ...{ start, end: start + text.length },
      segments: json['timestamps']![row] as [number, number][],
    })
  }
  return [...captions.values()]
}

function tokenStart(caption: string, tokens: readonly string[], index: number): number {
  let at = 0
  for (const [t, token] of tokens.entries()) {
    at = caption.indexOf(token, at)
    if (t === index) return at
    at += token.length
  }
  throw new Error(`"${caption}" has no token ${index}.`)
}
