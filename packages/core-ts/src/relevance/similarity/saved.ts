import {
  decodeSafetensors,
  encodeSafetensors,
  matrix,
  type NamedTensor,
  readBytes,
  SonotextError,
  writeFileAtomic,
} from '../../base/index.js'
import { type TermKind, TermVectors } from '../../text/index.js'
import type { CalibrationCurve, LogisticConstants } from '../regression/index.js'
import type { SimilarityFeature } from './features.js'
import { RelevanceModel } from './model.js'
import { type NamedVectors, openVectors, type OpenVectorsOptions, type VectorsSource } from './sources.js'
import type { CaptionVectors } from './vectors.js'

const format = 'sonotext-relevance-1'

interface Saved {
  readonly constants: LogisticConstants
  readonly calibration: CalibrationCurve | null
  readonly features: readonly {
    readonly name: string
    readonly over: 'mean' | 'max'
    readonly vectors: number
  }[]
  readonly vectors: readonly (
    { readonly type: 'terms'; readonly kind: TermKind; readonly terms: readonly string[] } | VectorsSource
  )[]
}

/**
 * Writes a relevance model in one file (safetensors): constants, and the vectors of terms. Of sentence encoders and vectors from a file
 * only the name is kept. Throws INVALID_ARGUMENT for vectors that have neither.
 */
export async function saveRelevanceModel(path: string, model: RelevanceModel): Promise<void> {
  const all = [...new Set(model.features.map(({ vectors }) => vectors))]
  const tensors = new Map<string, NamedTensor>()
  const vectors = all.map((one, i): Saved['vectors'][number] => {
    if (one instanceof TermVectors) {
      const { rows, cols, data } = one.vectors
      tensors.set(`vectors.${i}`, { shape: [rows, cols], data })
      return { type: 'terms', kind: one.kind, terms: one.terms }
    }
    const { source } = one as Partial<NamedVectors>
    if (source !== undefined) return source
    throw new SonotextError('INVALID_ARGUMENT', 'Expected vectors that say where they come from, got none.', {
      remedy: 'Give vectors made by latentSemantics, weightedWords or openVectors.',
    })
  })
  const saved: Saved = {
    constants: model.constants,
    calibration: model.calibration,
    features: model.features.map(({ name, over, vectors: own }) => ({
      name,
      over,
      vectors: all.indexOf(own),
    })),
    vectors,
  }
  await writeFileAtomic(path, encodeSafetensors(tensors, { format, model: JSON.stringify(saved) }))
}

/**
 * Reads what {@link saveRelevanceModel} wrote. Throws MISSING_FILE, INVALID_FILE for a damaged file or one of another kind,
 * and what opening its sentence encoder throws.
 */
export async function loadRelevanceModel(
  path: string,
  options: OpenVectorsOptions = {},
): Promise<RelevanceModel> {
  return decodeRelevanceModel(await readBytes(path), path, options)
}

/** {@link loadRelevanceModel} from the bytes of the file. */
export async function decodeRelevanceModel(
  bytes: Uint8Array,
  file: string,
  options: OpenVectorsOptions = {},
): Promise<RelevanceModel> {
  const { tensors, metadata } = decodeSafetensors(bytes, file)
  if (metadata['format'] !== format || metadata['model'] === undefined)
    throw damaged(file, 'no relevance model')
  let saved: Saved
  try {
    saved = JSON.parse(metadata['model']) as Saved
  } catch (cause) {
    throw damaged(file, 'a description that is no JSON', cause)
  }
  const vectors: CaptionVectors[] = []
  for (const [i, one] of saved.vectors.entries()) {
    if (one.type !== 'terms') vectors.push(await openVectors(one, options))
    else {
      const tensor = tensors.get(`vectors.${i}`)
      if (!(tensor?.data instanceof Float32Array)) throw damaged(file, `no tensor vectors.${i}`)
      const [rows = 0, cols = 0] = tensor.shape
      vectors.push(new TermVectors(one.kind, one.terms, matrix(rows, cols, tensor.data)))
    }
  }
  const features = saved.features.map(({ name, over, vectors: at }): SimilarityFeature => {
    const own = vectors[at]
    if (own === undefined) throw damaged(file, `a similarity of vectors ${at}, which are not there`)
    return { name, over, vectors: own }
  })
  return new RelevanceModel(features, saved.constants, saved.calibration)
}

function damaged(file: string, found: string, cause?: unknown): SonotextError {
  return new SonotextError('INVALID_FILE', `Expected a relevance model, got ${found}.`, {
    file,
    remedy: 'Make it again: sonotext relevance fit.',
    ...(cause === undefined ? {} : { cause }),
  })
}
