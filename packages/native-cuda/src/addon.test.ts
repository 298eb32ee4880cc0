import { describe, expect, it } from 'vitest'
import { type Addon, type BufferHandle, type DeviceHandle, loadAddon, type NativeArgs } from './index.js'

const addon: Addon = loadAddon()
const cpu = addon.openDevice('cpu')
const sealed = addon.openDevice('sealed')

const scale = (x: unknown, out: unknown = x, factor: unknown = 2) =>
  ({ x, out, factor }) as NativeArgs<'scale'>
/** An object of a class with this name; null for one whose name throws. */
const named = (name: symbol | null): object => {
  const own = class {}
  const get = () => {
    if (name === null) throw new Error('no name')
    return name
  }
  Object.defineProperty(own, 'name', { get })
  return new own()
}
const floats = (...values: number[]) => Float32Array.from(values)

/** Code and message of what a call throws. */
function thrown(call: () => unknown): { code?: string; message: string; op?: string; argument?: string } {
  try {
    call()
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was thrown')
}

function uploaded(device: DeviceHandle, values: Float32Array): BufferHandle {
  const buffer = addon.alloc(device, values.length)
  addon.upload(values, buffer)
  return buffer
}

function downloaded(buffer: BufferHandle): number[] {
  const values = new Float32Array(buffer.length)
  addon.download(buffer, values)
  return [...values]
}

describe('arguments', () => {
  it('are views: a part of a larger array is read and written in place, its neighbours stay', () => {
    const memory = Float32Array.from({ length: 10 }, (_, i) => i)
    addon.run(cpu, 'scale', scale(memory.subarray(2, 5), memory.subarray(7, 10), 10))
    expect([...memory]).toEqual([0, 1, 2, 3, 4, 5, 6, 20, 30, 40])
    const shared = new Float32Array(new SharedArrayBuffer(16), 4, 2)
    shared.set([1, 2])
    addon.run(cpu, 'scale', scale(shared, shared, 3))
    expect([...new Float32Array(shared.buffer)]).toEqual([0, 3, 6, 0])
  })

  it('are named in errors, with op and argument as fields', () => {
    const error = thrown(() => addon.run(cpu, 'scale', scale(floats(1, 2), floats(1))))
    expect(error.message).toBe('Expected as many values as x (2) for scale.out, got 1.')
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', op: 'scale', argument: 'out' })
  })

  it.each<[string, unknown, RegExp]>([
    [
      'a wrong array type',
      scale(new Float64Array(1)),
      /a Float32Array for scale\.x, got Float64Array of length 1/,
    ],
    ['an array', scale([1, 2]), /a Float32Array for scale\.x, got array of length 2/],
    ['null where something is required', scale(null), /a Float32Array for scale\.x, got null/],
    ['a missing argument', { x: floats(1), out: floats(1) }, /a number for scale\.factor, got undefined/],
    [
      'an unknown argument',
      { ...scale(floats(1)), y: 1 },
      /only the arguments of scale \(x, out, factor\), got y/,
    ],
    ['a text for a number', scale(floats(1), floats(1), '2'), /a number for scale\.factor, got "2"/],
    ['NaN for a number', scale(floats(1), floats(1), NaN), /a finite number for scale\.factor/],
    ['a number infinite in float32', scale(floats(1), floats(1), 1e39), /at most 3\.40\d+e\+38 in magnitude/],
    ['a class named by a symbol', scale(named(Symbol('x'))), /a Float32Array for scale\.x, got object/],
    ['a class whose name throws', scale(named(null)), /a Float32Array for scale\.x, got object/],
    ['overlapping memory', overlap(), /memory that no other argument overlaps for scale\.out/],
    ['no object', 7, /an object with the op's arguments for args, got 7/],
  ])('refuse %s', (_, args, message) => {
    const error = thrown(() => addon.run(cpu, 'scale', args as NativeArgs<'scale'>))
    expect(error.message).toMatch(message)
    expect(error.code).toBe('INVALID_ARGUMENT')
  })

  it.each<[string, object, RegExp]>([
    ['fractions', { count: 1.5 }, /an integer for embedding\.count, got 1\.5/],
    ['negative sizes', { count: -1 }, /an integer from 0 to 2147483647 for embedding\.count, got -1/],
    ['huge sizes', { d: 2 ** 40 }, /an integer from 0 to 2147483647 for embedding\.d/],
    ['sizes that do not match', { d: 3 }, /vocabulary × d values \(12\) for embedding\.table, got 8/],
    [
      'tokens past the vocabulary',
      { tokens: Int32Array.of(0, 4) },
      /integers from 0 to vocabulary - 1 .*got 4/,
    ],
    ['negative tokens', { tokens: Int32Array.of(0, -1) }, /got -1/],
    ['tokens as floats', { tokens: floats(0, 1) }, /an Int32Array for embedding\.tokens, got Float32Array/],
  ])('refuse %s', (_, change, message) => {
    const table = new Float32Array(8)
    const fine = {
      table,
      tokens: Int32Array.of(0, 3),
      out: new Float32Array(4),
      vocabulary: 4,
      count: 2,
      d: 2,
    }
    addon.run(cpu, 'embedding', fine)
    expect(() => addon.run(cpu, 'embedding', { ...fine, ...change })).toThrow(message)
  })

  it('refuse a product of sizes that overflows', () => {
    const huge = 2 ** 31 - 1
    const x = floats()
    const args = { x, weight: x, out: x, n: huge, h: huge, w: huge, cin: 1, cout: 1, kh: 1, kw: 1, slope: 1 }
    expect(() => addon.run(cpu, 'conv2d', args)).toThrow(/fewer elements than .* for conv2d\.x/)
  })

  it.each<[string, object, RegExp]>([
    [
      'offsets that fall',
      { audioOffsets: Int32Array.of(0, 2, 1) },
      /offsets that never fall for triplet\.audioOffsets/,
    ],
    ['offsets from elsewhere', { audioOffsets: Int32Array.of(1, 1, 1) }, /offsets that start at 0/],
    [
      'offsets past the list',
      { textOffsets: Int32Array.of(0, 1, 3) },
      /last offset equal to the number .* \(2\).*got 3/,
    ],
    [
      'picked items past the batch',
      { textIndex: Int32Array.of(0, 2) },
      /integers from 0 to n - 1 .*textIndex, got 2/,
    ],
  ])('refuse ragged lists with %s', (_, change, message) => {
    const lists = { audioOffsets: Int32Array.of(0, 1, 1), audioIndex: Int32Array.of(1) }
    const text = { textOffsets: Int32Array.of(0, 1, 2), textIndex: Int32Array.of(1, 0) }
    const rest = { scores: new Float32Array(4), gradScores: new Float32Array(4), stats: new Float32Array(4) }
    const fine = { ...lists, ...text, ...rest, n: 2, margin: 0.5 }
    addon.run(cpu, 'triplet', fine)
    expect(() => addon.run(cpu, 'triplet', { ...fine, ...change })).toThrow(message)
  })

  it('are all known, also where an optional one is left out', () => {
    const product = { a: floats(1), b: floats(2), out: floats(0), m: 1, n: 1, k: 1, transA: 0, transB: 0 }
    const scalars = { alpha: 1, beta: 0, slope: 1 }
    const misspelt = { ...product, ...scalars, bais: floats(100) } as NativeArgs<'gemm'>
    const names = 'a, b, bias, out, m, n, k, transA, transB, alpha, beta, slope'
    for (const args of [
      misspelt,
      Object.create(misspelt),
      Object.assign(Object.create(product), scalars, { bais: 1 }),
      Object.defineProperty({ ...product, ...scalars }, 'bais', { value: 1, enumerable: false }),
    ]) {
      const error = thrown(() => addon.run(cpu, 'gemm', args))
      expect(error.message).toBe(`Expected only the arguments of gemm (${names}), got bais.`)
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', op: 'gemm', argument: 'bais' })
    }
    for (const bias of [{}, { bias: null }, { bias: undefined }]) {
      addon.run(cpu, 'gemm', { ...product, ...scalars, ...bias } as NativeArgs<'gemm'>)
      expect(product.out[0]).toBe(2)
    }
  })

  it('are refused when their memory is detached, wherever an array comes in', () => {
    const gone = floats(1, 2)
    structuredClone(gone, { transfer: [gone.buffer] })
    const tokens = Int32Array.of(1)
    structuredClone(tokens, { transfer: [tokens.buffer] })
    const embedding = { table: floats(), tokens, out: floats(), vocabulary: 0, count: 0, d: 0 }
    const taps = { taps: floats(1, 1), out: floats(0), up: 1, down: 1, width: 2 }
    const uses: [string, () => unknown][] = [
      ['scale.x', () => addon.run(cpu, 'scale', scale(gone, floats()))],
      ['scale.out', () => addon.runAsync(cpu, 'scale', scale(floats(), gone))],
      ['grad_norm.x', () => addon.run(cpu, 'grad_norm', { x: gone, out: floats(0), slot: 0 })],
      ['resample.pcm', () => addon.run(cpu, 'resample', { pcm: gone, ...taps })],
      ['embedding.tokens', () => addon.run(cpu, 'embedding', embedding)],
      ['source', () => addon.upload(gone, addon.alloc(sealed, 0))],
      ['target', () => addon.download(addon.alloc(sealed, 0), gone)],
      ['x', () => addon.vectorMath('scalar', 'exp', gone, floats())],
      ['out', () => addon.vectorMath('scalar', 'exp', floats(), gone)],
    ]
    for (const [name, use] of uses) {
      const error = thrown(use)
      expect(error.message).toBe(
        `Expected an array with memory for ${name}, got a detached one: its memory was transferred elsewhere.`,
      )
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', argument: name.split('.').at(-1) })
    }
  })

  it('are of the two kinds that ops take, wherever an array of another comes in', () => {
    const memory = new ArrayBuffer(64)
    const others = [
      Float64Array,
      Int8Array,
      Uint8Array,
      Uint8ClampedArray,
      Int16Array,
      Uint16Array,
      Uint32Array,
      BigInt64Array,
      BigUint64Array,
      // Node-API of Node 24 knows no name for this one.
      ...('Float16Array' in globalThis
        ? [globalThis.Float16Array as unknown as Float64ArrayConstructor]
        : []),
    ].map((Kind) => new Kind(memory, 0, 8) as unknown as Float32Array)
    const arrays = [...others, new DataView(memory) as unknown as Float32Array]
    const all = { x: floats(1, 2), out: floats(0, 0), factor: 2 }
    const table = { table: floats(1, 1), vocabulary: 1, count: 1, d: 2 }
    const asTokens = arrays as unknown as Int32Array[]
    for (const [i, other] of arrays.entries()) {
      const uses: [string, () => unknown][] = [
        ['scale.x', () => addon.run(cpu, 'scale', { ...all, x: other })],
        ['scale.out', () => addon.run(cpu, 'scale', { ...all, out: other })],
        ['scale.out', () => addon.runAsync(cpu, 'scale', { ...all, out: other })],
        [
          'embedding.tokens',
          () => addon.run(cpu, 'embedding', { ...table, tokens: asTokens[i]!, out: floats(0, 0) }),
        ],
        [
          'embedding.out',
          () => addon.run(cpu, 'embedding', { ...table, tokens: Int32Array.of(0), out: other }),
        ],
        ['source', () => addon.upload(other, addon.alloc(sealed, 8))],
        ['target', () => addon.download(addon.alloc(sealed, 8), other)],
        ['x', () => addon.vectorMath('scalar', 'exp', other, floats(...new Array<number>(8).fill(0)))],
        ['out', () => addon.vectorMath('scalar', 'exp', floats(...new Array<number>(8).fill(0)), other)],
      ]
      for (const [name, use] of uses) {
        const error = thrown(use)
        expect(error, `${name} as ${Object.prototype.toString.call(other)}`).toMatchObject({
          code: 'INVALID_ARGUMENT',
          argument: name.split('.').at(-1),
        })
      }
    }
    expect(new Uint8Array(memory).every((byte) => byte === 0)).toBe(true)
  })

  it('are refused when their memory can be resized; shared memory can only grow', () => {
    const resizable = () => new Float32Array(new ArrayBuffer(8, { maxByteLength: 16 }))
    // Own properties say something else than the engine knows.
    const hidden = (name: 'buffer' | 'resizable', value: unknown) => {
      const array = resizable()
      Object.defineProperty(name === 'buffer' ? array : array.buffer, name, { value })
      return array
    }
    const uses: [string, () => unknown][] = [
      ['scale.x', () => addon.run(cpu, 'scale', scale(resizable()))],
      ['scale.out', () => addon.runAsync(cpu, 'scale', scale(floats(1, 2), resizable()))],
      ['scale.x', () => addon.run(cpu, 'scale', scale(hidden('buffer', new ArrayBuffer(8))))],
      ['scale.x', () => addon.run(cpu, 'scale', scale(hidden('resizable', false)))],
      ['source', () => addon.upload(resizable(), addon.alloc(sealed, 2))],
      ['target', () => addon.download(addon.alloc(sealed, 2), resizable())],
      ['x', () => addon.vectorMath('scalar', 'exp', resizable(), floats(1, 2))],
      ['out', () => addon.vectorMath('scalar', 'exp', floats(1, 2), resizable())],
    ]
    for (const [name, use] of uses) {
      const error = thrown(use)
      expect(error.message).toContain(
        `an array of fixed memory for ${name}, got one over an ArrayBuffer that can be resized`,
      )
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', argument: name.split('.').at(-1) })
    }
    const growing = new Float32Array(new SharedArrayBuffer(8, { maxByteLength: 16 })).fill(2)
    addon.run(cpu, 'scale', scale(growing))
    expect([...growing]).toEqual([4, 4])
  })

  it('are all taken before any pointer is: a getter cannot pull memory away', () => {
    const x = new Float32Array(1 << 20).fill(7)
    const args = {
      x,
      out: new Float32Array(1 << 20),
      norms: new Float32Array(1 << 10),
      get rows() {
        structuredClone(x, { transfer: [x.buffer] })
        return 1 << 10
      },
      cols: 1 << 10,
      eps: 0,
    }
    expect(() => addon.run(cpu, 'l2_normalize', args)).toThrow(
      /an array with memory for l2_normalize\.x, got a detached/,
    )
    const mine = new TypeError('mine')
    const throwing = Object.defineProperty({ ...scale(floats(1)) }, 'factor', {
      get() {
        throw mine
      },
    })
    expect(() => addon.run(cpu, 'scale', throwing)).toThrow(mine)
  })

  it('of an op are listed by the table itself', () => {
    const gemm = addon.ops().find(({ name }) => name === 'gemm')!
    expect(gemm.args.find(({ name }) => name === 'bias')).toEqual({
      name: 'bias',
      direction: 'in',
      type: 'float32',
      optional: true,
    })
    expect(gemm.args.find(({ name }) => name === 'out')!.direction).toBe('inout')
    expect(gemm.args.filter(({ type }) => type === 'integer').map(({ name }) => name)).toEqual(
      'm n k transA transB'.split(' '),
    )
  })
})

function overlap() {
  const memory = floats(1, 2, 3)
  return scale(memory.subarray(0, 2), memory.subarray(1, 3))
}

describe('devices', () => {
  it('are opened by name, the same name giving the same device', () => {
    expect(cpu).toMatchObject({ name: 'cpu', hostMemory: true })
    expect(sealed).toMatchObject({ name: 'sealed', hostMemory: false })
    const buffer = uploaded(addon.openDevice('sealed'), floats(4))
    addon.run(sealed, 'scale', scale(buffer))
    expect(downloaded(buffer)).toEqual([8])
  })

  it('run the instruction set that was asked for', () => {
    for (const { name, supported } of addon.instructionSets()) {
      if (supported) expect(addon.openDevice('cpu', name).isa).toBe(name)
      else expect(thrown(() => addon.openDevice('cpu', name)).message).toContain('does not support')
    }
    const unknown = thrown(() => addon.openDevice('cpu', 'mmx'))
    expect(unknown.code).toBe('BACKEND_UNAVAILABLE')
    expect(unknown.message).toMatch(/Unknown instruction set "mmx": this build has scalar/)
  })

  it('that are not there say why', () => {
    expect(thrown(() => addon.openDevice('tpu')).message).toMatch(
      /Unknown device "tpu": there are cpu, sealed/,
    )
    const cuda = addon.devices().find(({ name }) => name.startsWith('cuda'))!
    if (!cuda.available) {
      const error = thrown(() => addon.openDevice('cuda'))
      expect(error.code).toBe('BACKEND_UNAVAILABLE')
      expect(error.message.length).toBeGreaterThan(20)
    }
    expect(thrown(() => addon.openDevice('cuda:99')).code).toBe('BACKEND_UNAVAILABLE')
  })

  it('must be devices', () => {
    expect(() => addon.run({} as DeviceHandle, 'scale', scale(floats(1)))).toThrow(
      /a device from openDevice\(\)/,
    )
    const token = addon.createCancelToken() as unknown as DeviceHandle
    expect(() => addon.supports(token, 'scale')).toThrow(/a device from openDevice\(\) for device/)
    expect(() => addon.launches(token)).toThrow(/a device from openDevice\(\) for device/)
    expect(addon.launches(addon.openDevice('sealed'))).toEqual({ alone: 0, byGraph: 0, graphs: 0 })
  })
})

describe('buffers of a device', () => {
  it('begin as NaN on the sealed device, are filled, copied, uploaded and downloaded', () => {
    const [a, b] = [addon.alloc(sealed, 3), addon.alloc(sealed, 3)]
    expect(downloaded(a)).toEqual([NaN, NaN, NaN])
    addon.fill(a, 1.5)
    addon.copy(a, b)
    expect(downloaded(b)).toEqual([1.5, 1.5, 1.5])
    expect(a).toMatchObject({ device: 'sealed', length: 3 })
    expect(downloaded(addon.alloc(sealed, 0))).toEqual([])
  })

  it('are not interchangeable with arrays, nor between devices', () => {
    const buffer = uploaded(sealed, floats(1, 2))
    expect(() => addon.run(sealed, 'scale', scale(floats(1, 2)))).toThrow(
      /a buffer of device sealed for scale\.x/,
    )
    expect(() => addon.run(cpu, 'scale', scale(buffer))).toThrow(/a Float32Array for scale\.x, got Object/)
    const other = addon.openDevice('sealed', 'scalar')
    expect(() => addon.run(other, 'scale', scale(buffer))).toThrow(/got one of another device/)
    expect(() => addon.copy(buffer, uploaded(other, floats(1, 2)))).toThrow(/two buffers of one device/)
    expect(() => addon.copy(buffer, addon.alloc(sealed, 3))).toThrow(/2 on sealed and 3 on sealed/)
    expect(() => addon.download(buffer, new Float32Array(3))).toThrow(/a Float32Array of length 2 for target/)
    expect(() => addon.alloc(cpu, 3)).toThrow(/its buffers are Float32Arrays/)
    expect(() => addon.alloc(sealed, -1)).toThrow(/a number of elements for length, got -1/)
    expect(() => addon.alloc(sealed, 2 ** 50)).toThrow(expect.objectContaining({ code: 'OUT_OF_MEMORY' }))
  })

  it('are refused after disposal, also when disposed twice', () => {
    const buffer = uploaded(sealed, floats(1))
    expect(addon.dispose(buffer)).toBe(true)
    expect(addon.dispose(buffer)).toBe(false)
    for (const use of [
      () => addon.fill(buffer, 0),
      () => addon.download(buffer, floats(0)),
      () => addon.run(sealed, 'scale', scale(buffer)),
    ]) {
      expect(use).toThrow(/a buffer that is still alive for .*, got one that was disposed/)
    }
  })

  it('must be buffers', () => {
    expect(() => addon.dispose({ device: 'sealed', length: 1 })).toThrow(/a device buffer from alloc\(\)/)
    expect(() => addon.fill(sealed as unknown as BufferHandle, 1)).toThrow(/a device buffer from alloc\(\)/)
  })

  it('of the sealed device are reached by the same entries as on the CPU, with integers on the host', () => {
    const table = floats(1, 2, 3, 4, 5, 6)
    const tokens = Int32Array.of(2, 0)
    const shape = { vocabulary: 3, count: 2, d: 2 }
    const out = addon.alloc(sealed, 4)
    addon.run(sealed, 'embedding', { ...shape, table: uploaded(sealed, table), tokens, out })
    expect(downloaded(out)).toEqual([5, 6, 1, 2])
  })
})

describe('host arrays', () => {
  it('hold zeros and outlive nothing else', () => {
    for (const length of [0, 1, 17, 3 << 20]) {
      const array = addon.hostArray(length)
      expect(array.length).toBe(length)
      expect(array.every((value) => value === 0)).toBe(true)
    }
    expect(() => addon.hostArray(1.5)).toThrow(/a number of elements/)
  })
})
