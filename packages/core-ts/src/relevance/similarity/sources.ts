import { decodeNpy, expected, readBytes, readText, row, SonotextError, matrix } from '../../base/index.js'
import type { CaptionText, CaptionVectors } from './vectors.js'

/** Where vectors come from that a model file only names. */
export type VectorsSource =
  /** NPY [captions × d] of float32 with ids, or the captions themselves, one a line in the file beside it (x.npy, x.ids.txt). */
  { readonly type: 'file'; readonly file: string }

/** Vectors that a model file can name. */
export interface NamedVectors extends CaptionVectors {
  readonly source: VectorsSource
}

/** Opens vectors by their source. Throws MISSING_FILE and INVALID_FILE. */
export async function openVectors(source: VectorsSource): Promise<NamedVectors> {
  if (source.type === 'file') return vectorsOfFile(source)
  throw expected('file', 'the type of vectors', (source as { type: unknown }).type)
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
