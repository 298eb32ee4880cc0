import { expected } from '../base/errors.js'
import { frameWord, type FrameWordOptions } from './frame-word.js'
import { pooled, type PooledOptions } from './pooled.js'
import type { Similarity, SimilarityConfig } from './similarity.js'

/** Every similarity by kind, made from its options. */
const similarities: Readonly<Record<string, (options: Record<string, string>) => Similarity>> = {
  pooled: (options) => pooled(options as PooledOptions),
  'frame-word': (options) => frameWord(options as FrameWordOptions),
}

const paddings = ['masked', 'padded-compat']

/** The similarity a configuration or a checkpoint describes. Throws INVALID_ARGUMENT listing what there is. */
export function similarityFromConfig(config: SimilarityConfig): Similarity {
  const { kind, ...options } = config
  if (!Object.hasOwn(similarities, kind)) {
    throw expected(`one of ${Object.keys(similarities).join(', ')}`, 'similarity.kind', kind)
  }
  const { padding } = options
  if (padding !== undefined && !paddings.includes(padding)) {
    throw expected(`one of ${paddings.join(', ')}`, 'similarity.padding', padding)
  }
  return similarities[kind]!(options)
}
