import { expected, SonotextError } from './errors.js'
import { fileLength, readRange, writeFileAtomic } from './files.js'
import { halfToFloat } from './half.js'
import { matrix, type Matrix, transpose } from './matrix.js'

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] // \x93NUMPY

/** A matrix as an NPY file, version 1.0: little-endian float32, C order, shape (rows, cols). */
export function encodeNpy(m: Matrix): Uint8Array {
  const dictionary = `{'descr': '<f4', 'fortran_order': False, 'shape': (${m.rows}, ${m.cols}), }`
  const unpadded = 10 + dictionary.length + 1
  const length = Math.ceil(unpadded / 64) * 64
  const bytes = new Uint8Array(length + 4 * m.data.length)
  bytes.set(magic)
  bytes[6] = 1
  new DataView(bytes.buffer).setUint16(8, length - 10, true)
  bytes.set(Buffer.from(`${dictionary.padEnd(length - 11)}\n`, 'latin1'), 10)
  bytes.set(new Uint8Array(m.data.buffer, m.data.byteOffset, m.data.byteLength), length)
  return bytes
}

/** Whether bytes begin as an NPY file does. */
export function isNpy(bytes: Uint8Array): boolean {
  return magic.every((byte, i) => bytes[i] === byte)
}

/**
 * Reads a one- or two-dimensional NPY (versions 1 to 3, C or Fortran order) as float32; one dimension becomes one row. float64, float16
 * and integers, what NumPy makes without being told, are rounded to float32.
 * @throws SonotextError INVALID_FILE for anything else, and for files cut short or too long
 */
export function decodeNpy(bytes: Uint8Array, name = 'npy'): Matrix {
  const { type, rows, cols, columnsFirst, body } = parse(bytes, name, Object.keys(readers))
  if (type !== '<f4') {
    const { data } = decodeNpyNumbers(bytes, name)
    return matrix(rows, cols, Float32Array.from(data))
  }
  const data = new Float32Array(new Uint8Array(body).buffer)
  return columnsFirst ? transpose(matrix(cols, rows, data)) : matrix(rows, cols, data)
}

/** Numbers of a one- or two-dimensional NPY in row order: `at(row, col)` without loss, for what NumPy saves by default. */
export interface NpyNumbers {
  readonly rows: number
  readonly cols: number
  readonly data: Float64Array
}

/**
 * Reads an NPY of float16, float32, float64 or integers; those of 64 bits become the nearest double.
 * @throws SonotextError INVALID_FILE as {@link decodeNpy}
 */
export function decodeNpyNumbers(bytes: Uint8Array, name = 'npy'): NpyNumbers {
  const { type, rows, cols, columnsFirst, body } = parse(bytes, name, Object.keys(readers))
  const data = new Float64Array(rows * cols)
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  const { size, get } = readers[type]!
  for (let i = 0; i < data.length; i++) {
    const at = columnsFirst ? (i % rows) * cols + Math.floor(i / rows) : i
    data[at] = get(view, i * size)
  }
  return { rows, cols, data }
}

interface NumberReader {
  readonly size: number
  readonly get: (view: DataView, at: number) => number
}

const readers: Readonly<Record<string, NumberReader>> = {
  '<f4': { size: 4, get: (view, at) => view.getFloat32(at, true) },
  '<f8': { size: 8, get: (view, at) => view.getFloat64(at, true) },
  '<f2': { size: 2, get: (view, at) => halfToFloat(view.getUint16(at, true)) },
  '<i8': { size: 8, get: (view, at) => Number(view.getBigInt64(at, true)) },
  '<i4': { size: 4, get: (view, at) => view.getInt32(at, true) },
  '<i2': { size: 2, get: (view, at) => view.getInt16(at, true) },
  '|i1': { size: 1, get: (view, at) => view.getInt8(at) },
  '|u1': { size: 1, get: (view, at) => view.getUint8(at) },
}

/** What the header of an NPY says, and where its numbers begin. */
interface Layout {
  readonly type: string
  readonly rows: number
  readonly cols: number
  readonly columnsFirst: boolean
  readonly start: number
}

interface Parsed extends Layout {
  readonly body: Uint8Array
}

function parse(bytes: Uint8Array, name: string, types: readonly string[]): Parsed {
  const layout = parseHeader(bytes, bytes.length, name, types)
  return { ...layout, body: bytes.subarray(layout.start) }
}

/** An NPY of float32 of which only the header has been read. */
export interface NpyReader {
  readonly rows: number
  readonly cols: number
  /** Rows `from` … `from + count`, and no more bytes than those. */
  read(from?: number, count?: number): Promise<Matrix>
}

/** Reads the header of a file, to read rows of it later. Throws as {@link decodeNpy}, and INVALID_FILE for Fortran order. */
export async function openNpy(path: string): Promise<NpyReader> {
  const length = await fileLength(path)
  const { rows, cols, columnsFirst, start } = parseHeader(await readRange(path, 0, maxHeader), length, path, [
    '<f4',
  ])
  if (columnsFirst && rows > 1)
    throw new SonotextError('INVALID_FILE', 'Expected rows one behind the other, got Fortran order.', {
      file: path,
      remedy: 'Write it again, with numpy: np.save(path, np.ascontiguousarray(x)).',
    })
  return {
    rows,
    cols,
    async read(from = 0, count = rows - from) {
      const some = Math.min(count, rows - from)
      if (!Number.isInteger(from) || from < 0 || some < 0) throw expected(`a row up to ${rows}`, 'from', from)
      const bytes = await readRange(path, start + 4 * from * cols, 4 * some * cols)
      return matrix(some, cols, new Float32Array(bytes.buffer))
    },
  }
}

/** Every claim of the header is held against the length of the file before anything is allocated. */
function parseHeader(bytes: Uint8Array, length: number, name: string, types: readonly string[]): Layout {
  const bad = (what: string) =>
    new SonotextError('INVALID_FILE', what, {
      file: name,
      remedy: 'Write it again, with numpy: np.save(path, x.astype("<f4")).',
    })
  if (bytes.length < 12 || !isNpy(bytes)) throw bad('Expected an NPY file, found other bytes.')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const start = bytes[6] === 1 ? 10 : 12
  const end = start + (bytes[6] === 1 ? view.getUint16(8, true) : view.getUint32(8, true))
  if (end > length) throw bad(`Expected a header of ${end} bytes, found ${length}.`)
  if (end > maxHeader) throw bad(`Expected a header of at most ${maxHeader} bytes, found ${end}.`)
  const header = Buffer.from(bytes.subarray(start, end)).toString('latin1')
  const type = /'descr': {0,9}'([^']{0,80})'/.exec(header)?.[1]
  const shape = /'shape': {0,9}\(([^)]{0,80})\)/.exec(header)?.[1]
  if (type === undefined || !types.includes(type)) {
    const wanted = types.length === 1 ? "little-endian float32 ('<f4')" : `one of ${types.join(', ')}`
    throw bad(`Expected ${wanted}, got ${type ?? 'no type'}.`)
  }
  const extents = (shape ?? '').split(',').flatMap((part) => (part.trim() === '' ? [] : [Number(part)]))
  if (extents.length < 1 || extents.length > 2 || !extents.every((n) => Number.isSafeInteger(n) && n >= 0)) {
    throw bad(`Expected one or two dimensions, got (${shape ?? ''}).`)
  }
  const [rows, cols] = extents.length === 1 ? [1, extents[0]!] : (extents as [number, number])
  const size = readers[type]!.size * rows * cols
  if (length - end !== size) {
    throw bad(`Expected ${size} bytes for shape (${shape}), found ${length - end}.`)
  }
  return {
    type,
    rows,
    cols,
    columnsFirst: /'fortran_order': {0,9}True/.test(header),
    start: end,
  }
}

/** NumPy's own headers take some hundred bytes; this is where it stops reading them too. */
const maxHeader = 10_000

/** Writes a matrix as NPY, atomically. */
export async function writeNpy(path: string, m: Matrix): Promise<void> {
  if (m.data.length !== m.rows * m.cols) throw expected(`${m.rows * m.cols} elements`, 'data', m.data)
  await writeFileAtomic(path, encodeNpy(m))
}
