import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  decodeSafetensors,
  encodeSafetensors,
  type NamedTensor,
  readSafetensors,
  writeSafetensors,
} from './safetensors.js'

let folder: string
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'sonotext-'))))
afterAll(() => rm(folder, { recursive: true }))

const sample = (): Map<string, NamedTensor> =>
  new Map<string, NamedTensor>([
    ['odd', { shape: [3], data: Int8Array.of(-1, 0, 7) }],
    ['weight', { shape: [2, 3], data: Float32Array.of(1, -2.5, 3e-40, Infinity, -0, 0.1) }],
    ['none', { shape: [0, 4], data: new Float32Array(0) }],
    ['scalar', { shape: [], data: Float64Array.of(Math.PI) }],
    ['big', { shape: [1], data: BigInt64Array.of(-(2n ** 60n)) }],
  ])

const file = (): Uint8Array => Buffer.concat(encodeSafetensors(sample(), { note: 'ä "quoted"' }))

/** A file of any header, to plant faults in. */
function forged(header: unknown, data = new Uint8Array(0)): Uint8Array {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(BigInt(json.length))
  return Buffer.concat([size, json, data])
}

describe('safetensors', () => {
  it('reads back exactly what it wrote', async () => {
    const path = join(folder, 'whole.safetensors')
    await writeSafetensors(path, sample(), { note: 'ä "quoted"' })
    const { tensors, metadata } = await readSafetensors(path)
    expect([...tensors]).toEqual([...sample()])
    expect(metadata).toEqual({ note: 'ä "quoted"' })
    expect((await readFile(path)).readBigUInt64LE() % 8n).toBe(0n)
  })

  it('keeps every bit of random tensors', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.float32Array()), (all) => {
        const tensors = new Map(
          Object.entries(all).map(([name, data]) => [name, { shape: [data.length], data }]),
        )
        fc.pre(!tensors.has('__metadata__') && !tensors.has('__proto__'))
        const back = decodeSafetensors(Buffer.concat(encodeSafetensors(tensors))).tensors
        expect(back.size).toBe(tensors.size)
        for (const [name, { data }] of tensors) {
          expect(Buffer.from((back.get(name)!.data as Float32Array).buffer)).toEqual(
            Buffer.from(data.buffer, data.byteOffset, data.byteLength),
          )
        }
      }),
    )
  })

  it('widens half precision', () => {
    const bits = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0xfc00, 0x3f80)
    const data = new Uint8Array(bits.buffer)
    const header = {
      a: { dtype: 'F16', shape: [5], data_offsets: [0, 10] },
      b: { dtype: 'BF16', shape: [1], data_offsets: [10, 12] },
    }
    const { tensors } = decodeSafetensors(forged(header, data))
    expect([...(tensors.get('a')!.data as Float32Array)]).toEqual([1, -2, 2 ** -24, 65504, -Infinity])
    expect([...(tensors.get('b')!.data as Float32Array)]).toEqual([1])
  })

  it('refuses a file cut short at any byte', () => {
    const whole = file()
    for (let length = 0; length < whole.length; length++) {
      expect(() => decodeSafetensors(whole.subarray(0, length), 'last.safetensors')).toThrow(
        /^last\.safetensors: Expected a complete safetensors file.*earlier checkpoint/,
      )
    }
  })

  it.each([
    [
      'bytes after the end',
      () => Buffer.concat([file(), Buffer.alloc(4)]),
      /4 bytes that belong to no tensor/,
    ],
    ['a header size past the end', () => Buffer.from('ffffffffffff0000', 'hex'), /header of/],
    ['a header that is no JSON', () => forged('{"a":'), /not JSON/],
    ['a header that is a list', () => forged([1]), /not a JSON object/],
    ['an unknown type', () => forged({ a: { dtype: 'F7', shape: [], data_offsets: [0, 0] } }), /type F7/],
    [
      'a type from the prototype',
      () => forged({ a: { dtype: 'toString', shape: [], data_offsets: [0, 0] } }),
      /type toString/,
    ],
    [
      'a negative extent',
      () => forged({ a: { dtype: 'F32', shape: [-1], data_offsets: [0, 0] } }),
      /invalid shape/,
    ],
    [
      'offsets that do not fit the shape',
      () => forged({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 4] } }, Buffer.alloc(4)),
      /4 bytes for shape \[2\]/,
    ],
    [
      'overlapping tensors',
      () =>
        forged(
          {
            a: { dtype: 'U8', shape: [2], data_offsets: [0, 2] },
            b: { dtype: 'U8', shape: [2], data_offsets: [1, 3] },
          },
          Buffer.alloc(3),
        ),
      /tensor b at 1 where 2/,
    ],
    [
      'a gap',
      () => forged({ a: { dtype: 'U8', shape: [1], data_offsets: [1, 2] } }, Buffer.alloc(2)),
      /tensor a at 1 where 0/,
    ],
    [
      'a tensor past the end',
      () => forged({ a: { dtype: 'U8', shape: [9], data_offsets: [0, 9] } }, Buffer.alloc(2)),
      /tensor a ends at/,
    ],
    ['metadata of another kind', () => forged({ __metadata__: { a: 1 } }), /map of strings\. Save it again/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes())).toThrow(message)
    expect(() => decodeSafetensors(bytes())).toThrow(expect.objectContaining({ code: 'INVALID_FILE' }))
  })

  it.each(['F8_E4M3', 'F8_E5M2', 'C64', 'F4'])(
    'says that %s is not read, not that the file is damaged',
    (dtype) => {
      const bytes = forged({ a: { dtype, shape: [8], data_offsets: [0, 8] } }, Buffer.alloc(8))
      expect(() => decodeSafetensors(bytes)).toThrow(`Tensor a holds numbers of the type ${dtype}`)
      expect(() => decodeSafetensors(bytes)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }))
    },
  )

  it('names a file that is missing, and refuses to write a wrong shape', async () => {
    const path = join(folder, 'nothing.safetensors')
    await expect(readSafetensors(path)).rejects.toMatchObject({ code: 'MISSING_FILE', file: path })
    expect(() => encodeSafetensors(new Map([['a', { shape: [2], data: new Float32Array(3) }]]))).toThrow(
      /tensor a/,
    )
  })

  it('leaves the earlier file when the folder cannot be written', async () => {
    const path = join(folder, 'kept.safetensors')
    await writeSafetensors(path, sample())
    const blocked = join(path, 'below-a-file.safetensors')
    await expect(writeSafetensors(blocked, sample())).rejects.toMatchObject({
      code: 'WRITE_FAILED',
      file: blocked,
    })
    expect((await readSafetensors(path)).tensors.size).toBe(5)
    await writeFile(join(folder, 'empty.safetensors'), '')
    await expect(readSafetensors(join(folder, 'empty.safetensors'))).rejects.toThrow(
      /empty\.safetensors.*0 bytes/,
    )
  })
})
