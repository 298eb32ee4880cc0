import { expected, SonotextError } from '../base/errors.js'
import { type Matrix, matrix, row } from '../base/matrix.js'
import { Rng } from '../base/rng.js'
import { checkOptions } from '../base/options.js'
import { type InPieces, inTurns } from '../base/turn.js'
import { sparseFromRows, type SparseMatrix } from './sparse.js'
import { mostDimensions, truncatedSvd } from './truncated-svd.js'
import { Vocabulary } from './vocabulary.js'
import type { WordVectors } from './word-vectors.js'

/** Options of {@link trainWordVectors}. */
export interface TrainWordVectorsOptions {
  /** Length of a vector, at most 1024; default 300. Where the captions support fewer dimensions the rest are zero. */
  dim?: number
  seed: number
  /** Neighbours on each side that count as context, weighted by 1/distance; default 10. */
  window?: number
  /** Rarer words get no vector; default 1. */
  minCount?: number
  /** Exponent of the context counts, which tames rare contexts; default 0.75. */
  smoothing?: number
  /** Exponent of the singular values; default 0.5. */
  power?: number
  signal?: AbortSignal
}

/**
 * Small word vectors from tokenised captions: positive pointwise mutual information of words and their neighbours, then a
 * truncated singular value decomposition (Levy, Goldberg and Dagan, TACL 2015). For when there is no file of vectors.
 * Same captions, options and seed give the same bits. Throws INVALID_DATA when there is but one word.
 */
export async function trainWordVectors(
  captions: Iterable<readonly string[]>,
  options: TrainWordVectorsOptions,
): Promise<WordVectors> {
  checkOptions(options, 'trainWordVectors')
  const { dim = 300, seed, window = 10, minCount = 1, smoothing = 0.75, power = 0.5, signal } = options
  if (!Number.isInteger(dim) || dim < 1 || dim > mostDimensions)
    throw expected(`a whole number from 1 to ${mostDimensions}`, 'dim', dim)
  if (!Number.isInteger(window) || window < 1) throw expected('a positive integer', 'window', window)
  const texts = [...captions]
  const vocabulary = await Vocabulary.buildAsync(texts, { minCount, signal })
  const counts = await inTurns(cooccurrences(texts, vocabulary, window), signal)
  const information = positiveInformation(counts, smoothing)
  if (information.values.length === 0) {
    throw new SonotextError(
      'INVALID_DATA',
      'Expected captions of several words for training word vectors, got one word only.',
      {
        remedy: 'Give more captions, or a file of word vectors.',
      },
    )
  }
  const { singularValues, left } = await truncatedSvd(information, dim, new Rng(seed, 'word-vectors'), {
    signal,
  })
  const words = vocabulary.words
  const vectors = matrix(words.length, dim)
  left.forEach((column, d) => {
    const scale = singularValues[d]! ** power
    for (let w = 0; w < words.length; w++) vectors.data[w * dim + d] = column[w]! * scale
  })
  centre(vectors)
  return { words, vectors }
}

/**
 * Unit length, then less their mean: what all words have in common tells none of them apart (Mu and Viswanath, "All-but-
 * the-top", ICLR 2018). A zero vector stays zero.
 */
function centre(vectors: Matrix): void {
  const mean = new Float64Array(vectors.cols)
  const told: Float32Array[] = []
  for (let w = 0; w < vectors.rows; w++) {
    const vector = row(vectors, w)
    const norm = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0))
    if (norm === 0) continue
    told.push(vector)
    for (let d = 0; d < vector.length; d++) {
      vector[d]! /= norm
      mean[d]! += vector[d]!
    }
  }
  for (const vector of told) for (let d = 0; d < vector.length; d++) vector[d]! -= mean[d]! / told.length
}

/** Weighted counts of words within `window` places of each other; symmetric. Row and column w stand for vocabulary.words[w]. */
function* cooccurrences(
  texts: readonly (readonly string[])[],
  vocabulary: Vocabulary,
  window: number,
): InPieces<Map<number, number>[]> {
  const first = vocabulary.size - vocabulary.words.length
  const rows = vocabulary.words.map(() => new Map<number, number>())
  const add = (a: number, b: number, weight: number) => rows[a]!.set(b, (rows[a]!.get(b) ?? 0) + weight)
  for (const [t, text] of texts.entries()) {
    if (t % 256 === 255) yield
    const known = Array.from(vocabulary.encode(text), (index) => index - first).filter((w) => w >= 0)
    for (let i = 0; i < known.length; i++) {
      // A word counts as its own neighbour: words then come to lie near those they stand beside, not only near those that
      // could take their place.
      add(known[i]!, known[i]!, 1)
      for (let j = i + 1; j < known.length && j - i <= window; j++) {
        add(known[i]!, known[j]!, 1 / (j - i))
        add(known[j]!, known[i]!, 1 / (j - i))
      }
    }
  }
  return rows
}

/** max(0, ln(p(w, c) / (p(w)·p(c)^smoothing))) of every pair that occurs. */
function positiveInformation(rows: readonly Map<number, number>[], smoothing: number): SparseMatrix {
  const sums = rows.map((row) => [...row.values()].reduce((a, b) => a + b, 0))
  const smoothed = sums.map((sum) => sum ** smoothing)
  const smoothedTotal = smoothed.reduce((a, b) => a + b, 0)
  return sparseFromRows(
    rows.map((row, w) => {
      const kept = new Map<number, number>()
      for (const [c, count] of row) {
        const value = Math.log((count * smoothedTotal) / (sums[w]! * smoothed[c]!))
        if (value > 0) kept.set(c, value)
      }
      return kept
    }),
    rows.length,
  )
}
