import { SonotextError, expected } from './errors.js'
import { fileLength, readRange, writeFileAtomic } from './files.js'
import { halfToFloat } from './half.js'

/** Array types a tensor of a file can have. Half-precision numbers (F16, BF16) are read as Float32Array. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array

/** A tensor of a file: its shape and its values, row-major. */
export interface NamedTensor {
  readonly shape: readonly number[]
  readonly data: TensorData
}

/** What a safetensors file holds. */
export interface TensorFile {
  readonly tensors: Map<string, NamedTensor>
  /** Free strings of the header. */
  readonly metadata: Readonly<Record<string, string>>
}

const readers = {
  F64: { bytes: 8, view: (b: ArrayBuffer): TensorData => new Float64Array(b) },
  F32: { bytes: 4, view: (b: ArrayBuffer): TensorData => new Float32Array(b) },
  F16: { bytes: 2, view: (b: ArrayBuffer): TensorData => Float32Array.from(new Uint16Array(b), halfToFloat) },
  BF16: { bytes: 2, view: (b: ArrayBuffer): TensorData => bfloat16ToFloat(new Uint16Array(b)) },
  I64: { bytes: 8, view: (b: ArrayBuffer): TensorData => new BigInt64Array(b) },
  U64: { bytes: 8, view: (b: ArrayBuffer): TensorData => new BigUint64Array(b) },
  I32: { bytes: 4, view: (b: ArrayBuffer): TensorData => new Int32Array(b) },
  U32: { bytes: 4, view: (b: ArrayBuffer): TensorData => new Uint32Array(b) },
  I16: { bytes: 2, view: (b: ArrayBuffer): TensorData => new Int16Array(b) },
  U16: { bytes: 2, view: (b: ArrayBuffer): TensorData => new Uint16Array(b) },
  I8: { bytes: 1, view: (b: ArrayBuffer): TensorData => new Int8Array(b) },
  U8: { bytes: 1, view: (b: ArrayBuffer): TensorData => new Uint8Array(b) },
  BOOL: { bytes: 1, view: (b: ArrayBuffer): TensorData => new Uint8Array(b) },
} as const

/** Types of tensors, as the format calls them. */
export type Dtype = keyof typeof readers

/** Largest header the format allows, 100 MB. */
const maxHeader = 100_000_000

/**
 * Parses the safetensors format (a JSON header, then one gapless byte buffer). Every claim of the header is checked
 * against the bytes; anything wrong or missing throws INVALID_FILE naming the file, so a checkpoint cut short is never
 * half read.
 */
export function decodeSafetensors(bytes: Uint8Array, file = 'the safetensors data'): TensorFile {
  const start = headerEnd(bytes, bytes.length, file)
  if (start > bytes.length) throw damaged(file, `${bytes.length} bytes where the header alone needs ${start}`)
  const { places, metadata } = parseHeader(bytes.subarray(8, start), bytes.length - start, file)
  const tensors = new Map<string, NamedTensor>()
  for (const [name, { dtype, shape, begin, end }] of places) {
    const data = readers[dtype].view(new Uint8Array(bytes.subarray(start + begin, start + end)).buffer)
    tensors.set(name, { shape, data })
  }
  return { tensors, metadata }
}

/** A tensor of a file whose data have not been read. */
export interface TensorPlace {
  readonly dtype: Dtype
  readonly shape: readonly number[]
}

/** A file of which only the header has been read. */
export interface SafetensorsReader {
  readonly tensors: ReadonlyMap<string, TensorPlace>
  readonly metadata: Readonly<Record<string, string>>
  /** Of the header: another file has another. */
  readonly header: Uint8Array
  /** Elements `from` … `from + count` of a tensor, and no more bytes than those. */
  read(name: string, from?: number, count?: number): Promise<TensorData>
}

/** Reads the header of a file, to read parts of its tensors later. Throws as {@link readSafetensors}. */
export async function openSafetensors(path: string): Promise<SafetensorsReader> {
  const length = await fileLength(path)
  const start = headerEnd(await readRange(path, 0, 8), length, path)
  if (start > length) throw damaged(path, `${length} bytes where the header alone needs ${start}`)
  const header = await readRange(path, 8, start - 8)
  const { places, metadata } = parseHeader(header, length - start, path)
  return {
    tensors: places,
    metadata,
    header,
    async read(name, from = 0, count) {
      const place = places.get(name)
      if (place === undefined) throw expected(`a tensor of ${path}`, 'name', name)
      const { bytes, view } = readers[place.dtype]
      const elements = (place.end - place.begin) / bytes
      const some = Math.min(count ?? elements, elements - from)
      if (!Number.isInteger(from) || from < 0 || some < 0)
        throw expected(`elements below ${elements}`, 'from', from)
      const data = await readRange(path, start + place.begin + from * bytes, some * bytes)
      if (data.length < some * bytes) throw damaged(path, `a tensor ${name} that was cut`)
      return view(data.buffer as ArrayBuffer)
    },
  }
}

function damaged(file: string, problem: string): SonotextError {
  return new SonotextError('INVALID_FILE', `Expected a complete safetensors file, got ${problem}.`, {
    file,
    remedy: 'The file is damaged or was cut short: use an earlier checkpoint or copy it again.',
  })
}

/** Where the data begin, as the first 8 bytes of a file say. */
function headerEnd(head: Uint8Array, length: number, file: string): number {
  if (length < 8 || head.length < 8) throw damaged(file, `${length} bytes`)
  const size = new DataView(head.buffer, head.byteOffset, head.byteLength).getBigUint64(0, true)
  if (size > BigInt(maxHeader)) throw damaged(file, `a header of ${size} bytes`)
  return 8 + Number(size)
}

interface Place extends TensorPlace {
  readonly begin: number
  readonly end: number
}

/** The tensors of a header, which must fill `size` bytes of data without a gap. */
function parseHeader(
  json: Uint8Array,
  size: number,
  file: string,
): { places: Map<string, Place>; metadata: Record<string, string> } {
  const bad = (problem: string) => damaged(file, problem)
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json))
  } catch {
    throw bad('a header that is not JSON')
  }
  if (!isRecord(header)) throw bad('a header that is not a JSON object')
  const places = new Map<string, Place>()
  const spans: { name: string; begin: number; end: number }[] = []
  let metadata: Record<string, string> = {}
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') {
      if (!isRecord(entry) || !Object.values(entry).every((value) => typeof value === 'string')) {
        throw new SonotextError(
          'INVALID_FILE',
          'the metadata of the safetensors file are no map of strings.',
          {
            file,
            remedy: 'Save it again with every value of the metadata as a string, as the format asks.',
          },
        )
      }
      metadata = entry as Record<string, string>
      continue
    }
    refuseOtherNumbers(name, entry, file)
    const place = parseEntry(entry, (problem) => bad(`tensor ${name} with ${problem}`))
    const { begin, end } = place
    if (end > size)
      throw bad(`${8 + json.length + size} bytes where tensor ${name} ends at ${8 + json.length + end}`)
    spans.push({ name, begin, end })
    places.set(name, place)
  }
  spans.sort((a, b) => a.begin - b.begin || a.end - b.end)
  let reached = 0
  for (const { name, begin, end } of spans) {
    if (begin !== reached) throw bad(`tensor ${name} at ${begin} where ${reached} was expected`)
    reached = end
  }
  if (reached !== size) throw bad(`${size - reached} bytes that belong to no tensor`)
  return { places, metadata }
}

/** Types of the format that JavaScript has no numbers for: the file is intact. */
const otherNumbers = /^(F4|F6_\w+|F8_\w+|C64|C128)$/

function refuseOtherNumbers(name: string, entry: unknown, file: string): void {
  const dtype = isRecord(entry) ? entry['dtype'] : undefined
  if (typeof dtype !== 'string' || !otherNumbers.test(dtype)) return
  throw new SonotextError(
    'UNSUPPORTED',
    `Tensor ${name} holds numbers of the type ${dtype}, which is not read.`,
    {
      file,
      remedy:
        'Save it with another type, for example in PyTorch: tensor.float(), or torch.view_as_real for complex numbers.',
    },
  )
}

function parseEntry(
  entry: unknown,
  bad: (problem: string) => SonotextError,
): { dtype: Dtype; shape: number[]; begin: number; end: number } {
  if (!isRecord(entry)) throw bad('no description')
  const { dtype, shape, data_offsets: offsets } = entry
  if (typeof dtype !== 'string' || !Object.hasOwn(readers, dtype)) throw bad(`type ${String(dtype)}`)
  if (!isCounts(shape)) throw bad('an invalid shape')
  if (!isCounts(offsets) || offsets.length !== 2) throw bad('invalid offsets')
  const [begin, end] = offsets as [number, number]
  const need = shape.reduce((product, extent) => product * extent, readers[dtype as Dtype].bytes)
  if (end - begin !== need) throw bad(`${end - begin} bytes for shape [${shape}] of ${dtype} (${need})`)
  return { dtype: dtype as Dtype, shape, begin, end }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && (n as number) >= 0)
}

/** Reads a file of any size; MISSING_FILE when it is not there, INVALID_FILE when it is not whole. */
export async function readSafetensors(path: string): Promise<TensorFile> {
  const file = await openSafetensors(path)
  const tensors = new Map<string, NamedTensor>()
  for (const [name, { shape }] of file.tensors) tensors.set(name, { shape, data: await file.read(name) })
  return { tensors, metadata: file.metadata }
}

/** The parts of a file, in order, without copying the tensors. Tensors are laid out in the order of the map. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, NamedTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array[] {
  const header: Record<string, unknown> = { __metadata__: metadata }
  const parts: Uint8Array[] = []
  let offset = 0
  for (const [name, { shape, data }] of tensors) {
    const size = shape.reduce((product, extent) => product * extent, 1)
    if (size !== data.length) throw expected(`${size} elements for shape [${shape}]`, `tensor ${name}`, data)
    if (name === '__metadata__') throw expected('a tensor name', 'tensors', name)
    header[name] = { dtype: dtypeOf(data), shape, data_offsets: [offset, offset + data.byteLength] }
    offset += data.byteLength
    parts.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  }
  const json = new TextEncoder().encode(JSON.stringify(header))
  if (json.length > maxHeader - 8)
    throw expected(`names and metadata of at most ${maxHeader} bytes`, 'the header of the file', json.length)
  const padded = Math.ceil(json.length / 8) * 8
  const head = new Uint8Array(8 + padded).fill(0x20)
  new DataView(head.buffer).setBigUint64(0, BigInt(padded), true)
  head.set(json, 8)
  return [head, ...parts]
}

/** Writes a file atomically: a crash or a full disk leaves what was there before. Throws WRITE_FAILED. */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, NamedTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await writeFileAtomic(path, encodeSafetensors(tensors, metadata))
}

function dtypeOf(data: TensorData): Dtype {
  if (data instanceof Float32Array) return 'F32'
  if (data instanceof Float64Array) return 'F64'
  if (data instanceof Int32Array) return 'I32'
  if (data instanceof Uint32Array) return 'U32'
  if (data instanceof BigInt64Array) return 'I64'
  if (data instanceof BigUint64Array) return 'U64'
  if (data instanceof Int16Array) return 'I16'
  if (data instanceof Uint16Array) return 'U16'
  return data instanceof Int8Array ? 'I8' : 'U8'
}

function bfloat16ToFloat(values: Uint16Array): Float32Array {
  const wide = new Uint32Array(values.length)
  for (let i = 0; i < values.length; i++) wide[i] = values[i]! << 16
  return new Float32Array(wide.buffer)
}
