import { type Matrix, row } from '../../base/index.js'
import type { ClipCaption } from './captioned.js'
import type { CaptionVectors } from './vectors.js'

/** A number for a query and a clip: how similar the query is to the clip's captions, in their mean or in the most similar one. */
export interface SimilarityFeature {
  /** Such as `stems:300/mean`. */
  readonly name: string
  readonly vectors: CaptionVectors
  readonly over: 'mean' | 'max'
}

/** A query and the captions of a clip that it is compared with. */
export interface ComparedPair {
  readonly query: ClipCaption
  readonly captions: readonly ClipCaption[]
}

/** Similarities of pairs, a row a pair with a number a feature. Every caption gets its vector once. */
export async function similaritiesOf(
  pairs: readonly ComparedPair[],
  features: readonly SimilarityFeature[],
  options: { readonly signal?: AbortSignal } = {},
): Promise<Float64Array[]> {
  const captions = new Map<string, ClipCaption>()
  for (const pair of pairs)
    for (const caption of [pair.query, ...pair.captions]) captions.set(caption.id, caption)
  const placeOf = new Map([...captions.keys()].map((id, place) => [id, place]))
  const kept = new Map<CaptionVectors, Matrix>()
  const rows = pairs.map(() => new Float64Array(features.length))
  for (const [j, { vectors, over }] of features.entries()) {
    let embedded = kept.get(vectors)
    if (embedded === undefined)
      kept.set(vectors, (embedded = await vectors.embed([...captions.values()], options)))
    for (const [i, pair] of pairs.entries()) {
      const query = row(embedded, placeOf.get(pair.query.id)!)
      let [sum, most] = [0, -Infinity]
      for (const { id } of pair.captions) {
        const s = dot(query, row(embedded, placeOf.get(id)!))
        sum += s
        most = Math.max(most, s)
      }
      rows[i]![j] = over === 'mean' ? sum / pair.captions.length : most
    }
  }
  return rows
}

/** Inner product. */
export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let d = 0; d < a.length; d++) sum += a[d]! * b[d]!
  return sum
}
