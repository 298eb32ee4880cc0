import { Family } from '../registry/index.js'
import { frameWordPart } from './frame-word.js'
import { pooledPart } from './pooled.js'
import type { Similarity, SimilarityConfig } from './similarity.js'

/** How clips and captions are compared: `similarities.build({ type: 'frame-word', reduction: 'MTSQ' })`. */
export const similarities = new Family<Similarity>('similarity', [frameWordPart, pooledPart])

/** The similarity a model file describes. Throws as `Family.get` does; `plugin` is the one it came from. */
export function savedSimilarity({ kind, ...options }: SimilarityConfig, plugin?: string): Similarity {
  similarities.get(kind, { plugin })
  return similarities.build({ type: kind, ...options }, undefined)
}
