import { expected } from '../base/errors.js'
import type { Rng } from '../base/rng.js'
import type { InPieces } from '../base/turn.js'
import { tokenize } from './tokenize.js'

/** Puts the captions of an epoch in the order that batches are cut from. Deterministic in captions, batch size and stream. */
export interface CaptionOrder {
  /** Options, as JSON: a run is gone on with only by the same order. */
  readonly config: object
  /** Every place once, in the new order; worked out in pieces, of very many captions. */
  order(captions: readonly string[], batchSize: number, rng: Rng): InPieces<Int32Array>
}

/** Captions among which neighbours are looked for, so that an epoch of n costs n times this and not n². */
const reach = 4096

/**
 * Neighbouring captions one after the other: a caption, then the `cluster` − 1 most like it of those that are left, and again. Likeness is
 * the cosine of their words weighed by rarity (tf·idf). Clusters come in random order, those that are not full at the end. Of very many
 * captions, neighbours are looked for in random parts of 4,096.
 */
export function neighbouringCaptions(cluster: number): CaptionOrder {
  if (!(Number.isInteger(cluster) && cluster >= 2))
    throw expected('a whole number from 2', 'cluster', cluster)
  return {
    config: { cluster },
    *order(captions, batchSize, rng) {
      const vectors = yield* wordVectorsOf(captions)
      const places = rng.fork('parts').shuffle(Array.from(captions.keys()))
      const size = Math.min(cluster, batchSize)
      const clusters: number[][] = []
      for (let at = 0; at < places.length; at += reach)
        clusters.push(...(yield* clustersOf(places.slice(at, at + reach), vectors, size)))
      const full = clusters.filter(({ length }) => length === size)
      const rest = clusters.filter(({ length }) => length < size)
      return Int32Array.from([...rng.fork('clusters').shuffle(full), ...rest].flat())
    },
  }
}

type WordVector = ReadonlyMap<string, number>

/** Unit vectors of words: how often, times the logarithm of how few captions have it. */
function* wordVectorsOf(captions: readonly string[]): InPieces<WordVector[]> {
  const words: string[][] = []
  const having = new Map<string, number>()
  for (const [i, caption] of captions.entries()) {
    if (i % reach === reach - 1) yield
    const own = tokenize(caption)
    words.push(own)
    for (const word of new Set(own)) having.set(word, (having.get(word) ?? 0) + 1)
  }
  const vectors: WordVector[] = []
  for (const [i, own] of words.entries()) {
    if (i % reach === reach - 1) yield
    const vector = new Map<string, number>()
    for (const word of own)
      vector.set(word, (vector.get(word) ?? 0) + Math.log((1 + captions.length) / having.get(word)!))
    const norm = Math.hypot(...vector.values())
    vectors.push(new Map([...vector].map(([word, weight]) => [word, norm === 0 ? 0 : weight / norm])))
  }
  return vectors
}

function* clustersOf(
  places: readonly number[],
  vectors: readonly WordVector[],
  size: number,
): InPieces<number[][]> {
  const having = new Map<string, number[]>()
  for (const place of places) {
    for (const word of vectors[place]!.keys()) {
      const own = having.get(word)
      if (own === undefined) having.set(word, [place])
      else own.push(place)
    }
  }
  const left = new Set(places)
  const clusters: number[][] = []
  for (const first of places) {
    if (!left.delete(first)) continue
    const likeness = new Map<number, number>()
    for (const [word, weight] of vectors[first]!)
      for (const place of having.get(word)!)
        if (left.has(place))
          likeness.set(place, (likeness.get(place) ?? 0) + weight * vectors[place]!.get(word)!)
    // Those without a common word come last, in the order of the part.
    const others = [...left].sort((a, b) => (likeness.get(b) ?? 0) - (likeness.get(a) ?? 0))
    const members = others.slice(0, size - 1)
    for (const place of members) left.delete(place)
    clusters.push([first, ...members])
    if (clusters.length % 100 === 0) yield
  }
  return clusters
}
