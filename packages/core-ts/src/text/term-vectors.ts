import { expected, SonotextError } from '../base/errors.js'
import { matrix, type Matrix, row } from '../base/matrix.js'
import { checkOptions } from '../base/options.js'
import { Rng } from '../base/rng.js'
import { nextTurn } from '../base/turn.js'
import { sparseFromRows } from './sparse.js'
import { type TermKind, termsOf } from './terms.js'
import { mostDimensions, truncatedSvd } from './truncated-svd.js'
import type { WordVectors } from './word-vectors.js'

/**
 * Vectors of sentences from vectors of their terms: Σ (1 + ln count)·vector(term), then unit length. Terms that are not known count for
 * nothing; a sentence without known terms is zero.
 */
export class TermVectors {
  readonly kind: TermKind
  readonly terms: readonly string[]
  /** [terms × cols], with the weight of each term in it. */
  readonly vectors: Matrix
  readonly #rows: ReadonlyMap<string, number>

  constructor(kind: TermKind, terms: readonly string[], vectors: Matrix) {
    if (terms.length !== vectors.rows) throw expected(`${vectors.rows} terms`, 'terms', terms)
    this.kind = kind
    this.terms = terms
    this.vectors = vectors
    this.#rows = new Map(terms.map((term, i) => [term, i]))
  }

  get cols(): number {
    return this.vectors.cols
  }

  /** A unit vector for each sentence, or zeros. */
  async embed(
    sentences: readonly { readonly text: string }[],
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<Matrix> {
    const out = matrix(sentences.length, this.cols)
    for (const [i, { text }] of sentences.entries()) {
      if (i % 512 === 511) await nextTurn(signal)
      out.data.set(this.vectorOf(text), i * this.cols)
    }
    return out
  }

  /** The vector of one sentence. */
  vectorOf(text: string): Float32Array {
    const sum = new Float64Array(this.cols)
    for (const [term, count] of countsOf(termsOf(text, this.kind))) {
      const at = this.#rows.get(term)
      if (at === undefined) continue
      const weight = 1 + Math.log(count)
      const vector = row(this.vectors, at)
      for (let d = 0; d < sum.length; d++) sum[d]! += weight * vector[d]!
    }
    const norm = Math.sqrt(sum.reduce((squares, x) => squares + x * x, 0))
    return Float32Array.from(sum, (x) => (norm > 0 ? x / norm : 0))
  }
}

/** Options of {@link latentSemantics}. */
export interface LsaOptions {
  /** Default words. */
  terms?: TermKind
  /** Dimensions kept, at most 1024; default 200. */
  dim?: number
  /** Terms in fewer texts are left out; default 2. */
  minTexts?: number
  seed: number
  signal?: AbortSignal
}

/**
 * Latent semantic analysis (Deerwester et al. 1990): texts as (1 + ln count)·ln(N / texts with the term), and of that matrix the `dim`
 * right singular vectors of largest value; a text is its projection on them, at unit length. Same texts, options and seed give the same
 * bits. Throws INVALID_DATA when no term occurs in `minTexts` texts.
 */
export async function latentSemantics(texts: readonly string[], options: LsaOptions): Promise<TermVectors> {
  checkOptions(options, 'latentSemantics')
  const { terms: kind = 'words', dim = 200, minTexts = 2, seed, signal } = options
  if (!Number.isInteger(dim) || dim < 1 || dim > mostDimensions)
    throw expected(`a whole number from 1 to ${mostDimensions}`, 'dim', dim)
  const counts = texts.map((text) => countsOf(termsOf(text, kind)))
  const { terms, weights } = inverseFrequencies(counts, minTexts)
  const place = new Map(terms.map((term, t) => [term, t]))
  // Terms × texts: the left singular vectors are what a term adds to a text.
  const rows = terms.map(() => new Map<number, number>())
  for (const [text, ofText] of counts.entries()) {
    for (const [term, count] of ofText) {
      const t = place.get(term)
      if (t !== undefined) rows[t]!.set(text, (1 + Math.log(count)) * weights[t]!)
    }
  }
  const { left } = await truncatedSvd(sparseFromRows(rows, texts.length), dim, new Rng(seed, 'lsa'), {
    signal,
  })
  const vectors = matrix(terms.length, left.length)
  for (const [d, column] of left.entries())
    for (let t = 0; t < terms.length; t++) vectors.data[t * left.length + d] = weights[t]! * column[t]!
  return new TermVectors(kind, terms, vectors)
}

/** Sentences as the mean of word vectors, words weighted by ln(N / texts with the word) in these texts. */
export function weightedWords(texts: readonly string[], { words, vectors }: WordVectors): TermVectors {
  const { terms, weights } = inverseFrequencies(
    texts.map((text) => countsOf(termsOf(text, 'words'))),
    1,
  )
  const weightOf = new Map(terms.map((term, t) => [term, weights[t]!]))
  // A word that these texts do not have is rarer than any that they have.
  const rarest = Math.log(texts.length)
  const weighted = matrix(vectors.rows, vectors.cols)
  for (let w = 0; w < words.length; w++) {
    const weight = weightOf.get(words[w]!) ?? rarest
    row(vectors, w).forEach((x, d) => (weighted.data[w * vectors.cols + d] = weight * x))
  }
  return new TermVectors('words', words, weighted)
}

function countsOf(terms: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1)
  return counts
}

/** Terms of `minTexts` texts or more in code-unit order, with ln(N / texts with the term). */
function inverseFrequencies(
  counts: readonly ReadonlyMap<string, number>[],
  minTexts: number,
): { terms: string[]; weights: Float64Array } {
  const texts = new Map<string, number>()
  for (const ofText of counts) for (const term of ofText.keys()) texts.set(term, (texts.get(term) ?? 0) + 1)
  const terms = [...texts].flatMap(([term, count]) => (count >= minTexts ? [term] : [])).sort()
  if (terms.length === 0) {
    throw new SonotextError('INVALID_DATA', `Expected terms that ${minTexts} texts share, got none.`, {
      remedy: 'Give more texts, or ask for fewer texts a term.',
    })
  }
  return { terms, weights: Float64Array.from(terms, (term) => Math.log(counts.length / texts.get(term)!)) }
}
