import { SonotextError } from '../base/errors.js'
import { type Matrix, matrix, row } from '../base/matrix.js'
import { Rng } from '../base/rng.js'
import { checkOptions } from '../base/options.js'
import { lookedFor, standIns } from './variants.js'
import { PAD, UNK, type Vocabulary } from './vocabulary.js'
import { readWordVectors, type WordVectors } from './word-vectors.js'

/** A vector for every word of a vocabulary. */
export interface EmbeddingTable {
  /** [vocabulary.size × dim], row 0 zero, every other row of unit length. */
  readonly vectors: Matrix
  /** Words of the vocabulary without a vector: their rows equal that of the unknown word. */
  readonly missing: readonly string[]
  /** Words whose vector is that of other words, and which. */
  readonly mapped: ReadonlyMap<string, readonly string[]>
  /** Largest |cosine| of the unknown word's vector with a known one. */
  readonly unknownOverlap: number
}

/** Options of {@link embeddingTable}. */
export interface EmbeddingTableOptions {
  seed: number
  /** Accepted overlap of the unknown word's vector with the known ones; default 0.25. */
  maxOverlap?: number
}

/** Draws of the unknown word's vector before the best of them is taken. */
const draws = 1000

/**
 * Frozen vectors of a vocabulary as in Xie, Räsänen and Virtanen's experiments: known words unit vectors, words missing from the file
 * the mean of spellings and parts that are there, all others ONE random vector u = normalise(μ + σ∘N(0, 1)) with the mean
 * and deviation of the known ones, drawn again until max|u·v| ≤ `maxOverlap`. Where vectors are too few-dimensional or too
 * alike for that, the best of 1,000 draws is taken and `unknownOverlap` tells. Throws INVALID_DATA when no word is known.
 */
export function embeddingTable(
  vocabulary: Vocabulary,
  { words, vectors }: WordVectors,
  options: EmbeddingTableOptions,
): EmbeddingTable {
  checkOptions(options, 'embeddingTable')
  const { seed, maxOverlap = 0.25 } = options
  const rows = new Map(words.map((word, index) => [word, row(vectors, index)]))
  const isKnown = (word: string) => rows.get(word)?.some((x) => x !== 0) === true
  const table = matrix(vocabulary.size, vectors.cols)
  const missing: string[] = []
  const mapped = new Map<string, readonly string[]>()
  const known: Float32Array[] = []
  vocabulary.tokens.forEach((token, index) => {
    if (index === PAD || index === UNK) return
    const found = standIns(token, isKnown)
    const target = row(table, index)
    if (
      found.length === 0 ||
      !meanDirection(
        found.map((word) => rows.get(word)!),
        target,
      )
    ) {
      missing.push(token)
      return
    }
    known.push(target)
    if (found.length > 1 || found[0] !== token) mapped.set(token, found)
  })
  if (known.length === 0) {
    throw new SonotextError(
      'INVALID_DATA',
      `none of the ${vocabulary.words.length} words of the vocabulary has a vector.`,
      {
        remedy: 'Check that the word vectors are of the language of the captions.',
      },
    )
  }
  const unknown = drawUnknown(known, new Rng(seed, 'unknown-word'), maxOverlap)
  row(table, UNK).set(unknown.vector)
  for (const word of missing) row(table, vocabulary.indexOf(word)).set(unknown.vector)
  return { vectors: table, missing, mapped, unknownOverlap: unknown.overlap }
}

/** {@link embeddingTable} from a file, of which only the words that can matter are held in memory. */
export async function readEmbeddingTable(
  vocabulary: Vocabulary,
  path: string,
  options: EmbeddingTableOptions & { signal?: AbortSignal },
): Promise<EmbeddingTable> {
  checkOptions(options, 'readEmbeddingTable')
  const { signal } = options
  const words = lookedFor(vocabulary.words)
  const vectors = await readWordVectors(path, signal === undefined ? { words } : { words, signal })
  return embeddingTable(vocabulary, vectors, options)
}

/** target = unit vector along the sum of the unit vectors; false when they cancel. */
function meanDirection(vectors: readonly Float32Array[], target: Float32Array): boolean {
  const sum = new Float64Array(target.length)
  for (const vector of vectors) {
    const norm = normOf(vector)
    for (let d = 0; d < sum.length; d++) sum[d]! += vector[d]! / norm
  }
  const norm = normOf(sum)
  if (!(norm > 1e-6)) return false
  for (let d = 0; d < sum.length; d++) target[d] = sum[d]! / norm
  return true
}

function drawUnknown(
  known: readonly Float32Array[],
  rng: Rng,
  maxOverlap: number,
): { vector: Float64Array; overlap: number } {
  const dim = known[0]!.length
  const mean = new Float64Array(dim)
  const square = new Float64Array(dim)
  for (const vector of known) {
    for (let d = 0; d < dim; d++) {
      mean[d]! += vector[d]! / known.length
      square[d]! += vector[d]! ** 2 / known.length
    }
  }
  const deviation = square.map((x, d) => Math.sqrt(Math.max(0, x - mean[d]! ** 2)))
  let best = { vector: new Float64Array(dim), overlap: Infinity }
  for (let draw = 0; draw < draws && best.overlap > maxOverlap; draw++) {
    const vector = mean.map((x, d) => x + deviation[d]! * rng.normal())
    const norm = normOf(vector)
    if (norm === 0) continue
    for (let d = 0; d < dim; d++) vector[d]! /= norm
    const overlap = largestOverlap(vector, known, best.overlap)
    if (overlap < best.overlap) best = { vector, overlap }
  }
  return best
}

/** max|u·v|, given up once it reaches `enough`. */
function largestOverlap(u: Float64Array, known: readonly Float32Array[], enough: number): number {
  let largest = 0
  for (const v of known) {
    let sum = 0
    for (let d = 0; d < u.length; d++) sum += u[d]! * v[d]!
    largest = Math.max(largest, Math.abs(sum))
    if (largest >= enough) break
  }
  return largest
}

function normOf(vector: Float32Array | Float64Array): number {
  let sum = 0
  for (let d = 0; d < vector.length; d++) sum += vector[d]! ** 2
  return Math.sqrt(sum)
}
