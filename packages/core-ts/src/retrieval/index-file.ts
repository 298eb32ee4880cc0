import { matrix, type Matrix } from '../base/matrix.js'
import { SonotextError } from '../base/errors.js'
import { type IndexPrecision, isPrecision } from './narrow-items.js'
import { type NamedTensor, readSafetensors, type TensorFile, writeSafetensors } from '../base/safetensors.js'

/** What the file of an index holds. */
export interface IndexContents {
  readonly embeddings: Matrix
  /** One for each row. */
  readonly ids: readonly string[]
  /** Id of the model that made them. */
  readonly model?: string
  /** What they are looked through in; they are stored in float32. */
  readonly precision: IndexPrecision
}

const format = 'sonotext-index-2'
/** With the ids as JSON in the header, as 0.1 wrote them. */
const firstFormat = 'sonotext-index-1'

/** Writes it atomically, of any size. Throws WRITE_FAILED. */
export async function writeIndexFile(path: string, contents: IndexContents): Promise<void> {
  const { embeddings, ids, model, precision } = contents
  const { rows, cols, data } = embeddings
  const tensors = new Map<string, NamedTensor>([
    ['embeddings', { shape: [rows, cols], data }],
    ...idTensors(ids),
  ])
  await writeSafetensors(path, tensors, { format, precision, ...(model !== undefined && { model }) })
}

/** Throws MISSING_FILE; INVALID_FILE for a file that is cut short, damaged or of another kind. */
export async function readIndexFile(path: string): Promise<IndexContents> {
  const { tensors, metadata } = await readSafetensors(path)
  const stored = tensors.get('embeddings')
  const ids =
    metadata['format'] === format
      ? idsOf(tensors)
      : metadata['format'] === firstFormat
        ? parseIds(metadata['ids'])
        : undefined
  if (!(stored?.data instanceof Float32Array) || stored.shape.length !== 2 || ids === undefined) {
    throw new SonotextError('INVALID_FILE', 'Expected a Sonotext index, got another safetensors file.', {
      file: path,
      remedy: 'Name a file that index.save wrote.',
    })
  }
  const [rows, dim] = stored.shape as [number, number]
  const { model, precision = 'float32' } = metadata
  if (!isPrecision(precision)) {
    throw new SonotextError('INVALID_FILE', `The precision "${precision}" of this index is not known.`, {
      file: path,
      remedy: 'Load it with the version of Sonotext that wrote it.',
    })
  }
  return { embeddings: matrix(rows, dim, stored.data), ids, precision, ...(model !== undefined && { model }) }
}

/** Ids as UTF-8, one behind the other, and the bytes of each: millions fit, which the header of a file could not hold. */
function idTensors(ids: readonly string[]): [string, NamedTensor][] {
  const encoder = new TextEncoder()
  const lengths = Uint32Array.from(ids, (id) => encoder.encode(id).length)
  const all = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0))
  let at = 0
  for (const id of ids) at += encoder.encodeInto(id, all.subarray(at)).written
  return [
    ['ids', { shape: [all.length], data: all }],
    ['idLengths', { shape: [ids.length], data: lengths }],
  ]
}

function idsOf(tensors: TensorFile['tensors']): string[] | undefined {
  const [bytes, lengths] = [tensors.get('ids')?.data, tensors.get('idLengths')?.data]
  if (!(bytes instanceof Uint8Array && lengths instanceof Uint32Array)) return undefined
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  let at = 0
  const ids = Array.from(lengths, (length) => decoder.decode(bytes.subarray(at, (at += length))))
  return at === bytes.length ? ids : undefined
}

function parseIds(json: string | undefined): string[] | undefined {
  try {
    const ids: unknown = JSON.parse(json ?? 'null')
    return Array.isArray(ids) && ids.every((id) => typeof id === 'string') ? ids : undefined
  } catch {
    return undefined
  }
}
