import fc from 'fast-check'
import { expect, it } from 'vitest'
import { SonotextError } from './errors.js'
import { matrix } from './matrix.js'
import { decodeNpy, decodeNpyNumbers, encodeNpy } from './npy.js'

const npy = (header: string, floats: readonly number[], version = 1) => {
  const head = Buffer.from([0x93, ...Buffer.from('NUMPY'), version, 0])
  const size = Buffer.alloc(version === 1 ? 2 : 4)
  if (version === 1) size.writeUInt16LE(header.length)
  else size.writeUInt32LE(header.length)
  return Buffer.concat([
    head,
    size,
    Buffer.from(header, 'latin1'),
    Buffer.from(Float32Array.from(floats).buffer),
  ])
}

it('writes what numpy writes', () => {
  const bytes = Buffer.from(encodeNpy(matrix(2, 3, Float32Array.of(1, 2, 3, 4, 5, 6))))
  const dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
  expect(bytes.subarray(0, 10)).toEqual(Buffer.from('\x93NUMPY\x01\x00\x76\x00', 'latin1'))
  expect(bytes.subarray(10, 128).toString('latin1')).toBe(`${dictionary.padEnd(117)}\n`)
  expect([
    ...new Float32Array(bytes.buffer.slice(bytes.byteOffset + 128, bytes.byteOffset + bytes.length)),
  ]).toEqual([1, 2, 3, 4, 5, 6])
})

it('reads what it wrote, also at odd addresses', () => {
  fc.assert(
    fc.property(fc.nat(20), fc.nat(20), fc.nat(7), (rows, cols, shift) => {
      const m = matrix(
        rows,
        cols,
        Float32Array.from({ length: rows * cols }, (_, i) => i - 3.5),
      )
      const bytes = Buffer.concat([Buffer.alloc(shift), encodeNpy(m)]).subarray(shift)
      expect(decodeNpy(bytes)).toEqual(m)
    }),
  )
})

it('reads one dimension, later versions and Fortran order', () => {
  expect(decodeNpy(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", [1, 2]))).toEqual(
    matrix(1, 2, Float32Array.of(1, 2)),
  )
  expect(decodeNpy(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1)}", [1], 2))).toEqual(
    matrix(1, 1, Float32Array.of(1)),
  )
  const fortran = npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3)}", [1, 4, 2, 5, 3, 6])
  expect(decodeNpy(fortran)).toEqual(matrix(2, 3, Float32Array.of(1, 2, 3, 4, 5, 6)))
})

it('reads what NumPy makes without being told as float32', () => {
  const of = (type: string, body: ArrayBufferView) => {
    const head = npy(`{'descr': '${type}', 'fortran_order': False, 'shape': (1, 2), }`, [])
    return Buffer.concat([head, new Uint8Array(body.buffer)])
  }
  const two = (a: number, b: number) => matrix(1, 2, Float32Array.of(a, b))
  expect(decodeNpy(of('<f8', Float64Array.of(0.1, -2)))).toEqual(two(0.1, -2))
  expect(decodeNpy(of('<i8', BigInt64Array.of(5n, -7n)))).toEqual(two(5, -7))
  expect(decodeNpy(of('<i4', Int32Array.of(5, -7)))).toEqual(two(5, -7))
  // 1.5 and -2 ** -24, the least that there is.
  expect(decodeNpy(of('<f2', Uint16Array.of(0x3e00, 0x8001)))).toEqual(two(1.5, -(2 ** -24)))
  expect(decodeNpyNumbers(of('<i8', BigInt64Array.of(5n, -7n))).data).toEqual(Float64Array.of(5, -7))
})

it.each([
  ['other bytes', Buffer.from('hello, this is text'), /other bytes/],
  ['big-endian', npy("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", [1]), /got >f4.*astype/],
  [
    'three dimensions',
    npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1), }", [1]),
    /\(1, 1, 1\)/,
  ],
  [
    'a file cut short',
    npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 1), }", [1, 2]),
    /12 bytes .* found 8/,
  ],
  [
    'a file too long',
    npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1), }", [1, 2]),
    /4 bytes .* found 8/,
  ],
  ['a header cut short', npy("{'descr': '<f4'", []).subarray(0, 14), /header/],
])('refuses %s', (_, bytes, message) => {
  expect(() => decodeNpy(bytes, 'x.npy')).toThrow(SonotextError)
  expect(() => decodeNpy(bytes, 'x.npy')).toThrow(message)
  expect(() => decodeNpy(bytes, 'x.npy')).toThrow(/^x.npy: /)
})
