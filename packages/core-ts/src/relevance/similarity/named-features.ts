import type { SonotextError } from '../../base/index.js'
import { expected } from '../../base/index.js'
import {
  latentSemantics,
  mostDimensions,
  readWordVectors,
  type TermKind,
  termKinds,
  tokenize,
  trainWordVectors,
  weightedWords,
} from '../../text/index.js'
import type { SimilarityFeature } from './features.js'
import { openVectors, type OpenVectorsOptions } from './sources.js'
import type { CaptionVectors } from './vectors.js'

/** Options of {@link namedFeatures}. */
export interface NamedFeaturesOptions extends OpenVectorsOptions {
  /** Captions that term weights and LSA are learnt from. */
  readonly texts: readonly string[]
  readonly seed: number
  /** Told before each kind of vectors is made. */
  readonly onVectors?: (name: string) => void
  readonly signal?: AbortSignal
}

/**
 * Similarities by name: what gives captions their vectors, dimensions, and how those of a clip's captions become one. `words:200/mean`,
 * `stems:300/max`, `pairs`, `characters` are LSA over terms; `word-vectors:300` the mean of vectors trained on the captions,
 * `word-vectors=FILE` of given ones; `onnx=FILE.onnx` a sentence encoder with its tokenizer.json beside it, `use` that of the packages
 * @energetic-ai, `vectors=FILE.npy` vectors made elsewhere. Default 200 dimensions, at most 1024, and mean. Throws INVALID_ARGUMENT.
 */
export async function namedFeatures(
  names: readonly string[],
  options: NamedFeaturesOptions,
): Promise<SimilarityFeature[]> {
  const made = new Map<string, CaptionVectors>()
  const features: SimilarityFeature[] = []
  for (const name of names) {
    const { vectors: key, over } = parsed(name)
    let vectors = made.get(key)
    if (vectors === undefined) {
      options.onVectors?.(key)
      made.set(key, (vectors = await vectorsOf(key, options)))
    }
    features.push({ name: `${key}/${over}`, vectors, over })
  }
  return features
}

function parsed(name: string): { vectors: string; over: 'mean' | 'max' } {
  const at = name.lastIndexOf('/')
  const over = name.slice(at + 1)
  if (at > 0 && (over === 'mean' || over === 'max')) return { vectors: name.slice(0, at), over }
  return { vectors: name, over: 'mean' }
}

async function vectorsOf(
  key: string,
  { texts, seed, signal, cacheFolder }: NamedFeaturesOptions,
): Promise<CaptionVectors> {
  const abortable = { ...(signal && { signal }) }
  if (key === 'use') return openVectors({ type: 'use' }, { cacheFolder })
  const file = /^(word-vectors|vectors|onnx)=(.+)$/.exec(key)
  if (file?.[1] === 'vectors') return openVectors({ type: 'file', file: file[2]! })
  if (file?.[1] === 'onnx')
    return openVectors({ type: 'onnx', options: { model: file[2]! } }, { cacheFolder })
  if (file !== null) {
    const words = new Set(texts.flatMap(tokenize))
    return weightedWords(texts, await readWordVectors(file[2]!, { words, ...abortable }))
  }
  const [, kind, dimensions] = /^([a-z-]+)(?::(\d+))?$/.exec(key) ?? []
  const dim = dimensions === undefined ? 200 : Number(dimensions)
  if (!(dim >= 1 && dim <= mostDimensions))
    throw expected(`1 to ${mostDimensions} dimensions, as in ${kind}:200,`, 'a similarity', key)
  if (kind === 'word-vectors') {
    const trained = await trainWordVectors(texts.map(tokenize), { dim, seed, ...abortable })
    return weightedWords(texts, trained)
  }
  if ((termKinds as readonly string[]).includes(kind ?? ''))
    return latentSemantics(texts, { terms: kind as TermKind, dim, seed, ...abortable })
  throw unknownFeature(key)
}

function unknownFeature(name: string): SonotextError {
  const forms = [
    ...termKinds.map((kind) => `${kind}:200`),
    'word-vectors:200',
    'word-vectors=FILE',
    'onnx=FILE',
    'use',
    'vectors=FILE.npy',
  ]
  return expected(`${forms.join(', ')}, with /mean or /max behind it`, 'a similarity', name)
}
