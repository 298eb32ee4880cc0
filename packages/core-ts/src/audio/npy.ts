import { expected, SonotextError } from '../base/errors.js'
import { writeFileAtomic } from '../base/files.js'
import { matrix, type Matrix, transpose } from '../base/matrix.js'

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

/**
 * Reads a one- or two-dimensional little-endian float32 NPY (versions 1 to 3, C or Fortran order); one dimension becomes one
 * row.
 * @throws SonotextError INVALID_FILE for anything else, and for files cut short or too long
 */
export function decodeNpy(bytes: Uint8Array, name = 'npy'): Matrix {
  const bad = (what: string) =>
    new SonotextError('INVALID_FILE', what, {
      file: name,
      remedy: 'Write it again, with numpy: np.save(path, x.astype("<f4")).',
    })
  if (bytes.length < 12 || magic.some((byte, i) => bytes[i] !== byte))
    throw bad('Expected an NPY file, found other bytes.')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const start = bytes[6] === 1 ? 10 : 12
  const end = start + (bytes[6] === 1 ? view.getUint16(8, true) : view.getUint32(8, true))
  if (end > bytes.length) throw bad(`Expected a header of ${end} bytes, found ${bytes.length}.`)
  const header = Buffer.from(bytes.subarray(start, end)).toString('latin1')
  const descr = /'descr': *'([^']*)'/.exec(header)?.[1]
  const shape = /'shape': *\(([^)]*)\)/.exec(header)?.[1]
  if (descr !== '<f4') throw bad(`Expected little-endian float32 ('<f4'), got ${descr ?? 'no type'}.`)
  const extents = (shape ?? '').split(',').flatMap((part) => (part.trim() === '' ? [] : [Number(part)]))
  if (extents.length < 1 || extents.length > 2 || !extents.every(Number.isSafeInteger)) {
    throw bad(`Expected one or two dimensions, got (${shape ?? ''}).`)
  }
  const [rows, cols] = extents.length === 1 ? [1, extents[0]!] : (extents as [number, number])
  if (bytes.length - end !== 4 * rows * cols) {
    throw bad(`Expected ${4 * rows * cols} bytes for shape (${shape}), found ${bytes.length - end}.`)
  }
  const data = new Float32Array(new Uint8Array(bytes.subarray(end)).buffer)
  const columnsFirst = /'fortran_order': *True/.test(header)
  return columnsFirst ? transpose(matrix(cols, rows, data)) : matrix(rows, cols, data)
}

/** Writes a matrix as NPY, atomically. */
export async function writeNpy(path: string, m: Matrix): Promise<void> {
  if (m.data.length !== m.rows * m.cols) throw expected(`${m.rows * m.cols} elements`, 'data', m.data)
  await writeFileAtomic(path, encodeNpy(m))
}
