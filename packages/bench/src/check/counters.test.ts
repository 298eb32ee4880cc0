import { machineReport } from '@sonotext/core/backend'
import { loadAddon } from '@sonotext/native-cuda'
import { describe, expect, test } from 'vitest'
import { countAll } from './baselines.js'
import { counted, type Counters } from './counters.js'
import { plants } from './plant.js'
import { root } from './repository.js'
import { coreFolder, openSide } from './side.js'

const { addonProblem } = machineReport()
if (addonProblem !== null) process.stderr.write('counters: skipped, the native addon is not built\n')

const memory = new ArrayBuffer(64)
const bytes = Buffer.from([1, 2])
const list = Array.from({ length: 1000 }, (_, i) => i)
const globals = { ArrayBuffer, Array, from: Buffer.from, list: Array.from, map: Array.prototype.map }

const only = (how: string, copied: number): Partial<Counters> => ({
  ...{ allocations: {}, copiedBytes: { [how]: copied } },
})
const taken = (kind: string, made: number, how: string): Partial<Counters> => ({
  ...{ allocations: { [kind]: 1 }, allocatedBytes: { [kind]: made }, copiedBytes: { [how]: made } },
})

describe.skipIf(addonProblem !== null)('exact counters', () => {
  const ours = async () => (await openSide('this', coreFolder(root))).core

  test('arrays, copies and crossings are counted, and everything is as before afterwards', async () => {
    const addon = loadAddon()
    const before = { Float32Array, run: addon.run, set: Float32Array.prototype.set }
    const counts = await counted(addon, () => {
      const made = new Float32Array(10)
      const copy = made.slice(0, 4) // an allocation and a copy
      made.set(copy, 2)
      void made.subarray(1) // a view
      void Int32Array.from([1, 2, 3])
      void addon.threads()
    })
    expect(counts).toEqual({
      ...{ ops: {}, opBytes: {}, crossings: { threads: 1 }, transferredBytes: {} },
      allocations: { Float32Array: 2, Int32Array: 1 },
      allocatedBytes: { Float32Array: 40 + 16, Int32Array: 12 },
      copiedBytes: { 'Float32Array.set': 16, 'Float32Array.slice': 16 },
    })
    expect({ Float32Array, run: addon.run, set: Float32Array.prototype.set }).toEqual(before)
    expect(new Float32Array(1).constructor).toBe(before.Float32Array)
  })

  test.each<[string, () => unknown, Partial<Counters>]>([
    ['ArrayBuffer', () => new ArrayBuffer(400), { allocatedBytes: { ArrayBuffer: 400 } }],
    ['SharedArrayBuffer', () => new SharedArrayBuffer(8), { allocatedBytes: { SharedArrayBuffer: 8 } }],
    ['a slice', () => memory.slice(4), taken('ArrayBuffer', 60, 'ArrayBuffer.slice')],
    ['Int8Array', () => new Int8Array(5), { allocatedBytes: { Int8Array: 5 } }],
    ['clamped', () => new Uint8ClampedArray([1, 2]), taken('Uint8ClampedArray', 2, 'new Uint8ClampedArray')],
    ['BigInt64Array', () => new BigInt64Array(3), { allocatedBytes: { BigInt64Array: 24 } }],
    ['copyWithin', () => new Float64Array(memory).copyWithin(2, -7, 6), only('Float64Array.copyWithin', 40)],
    ['toSorted', () => new Int16Array(memory).toSorted(), taken('Int16Array', 64, 'Int16Array.toSorted')],
    ['Buffer.alloc', () => Buffer.alloc(400), { allocatedBytes: { Buffer: 400 } }],
    ['Buffer.allocUnsafe', () => Buffer.allocUnsafe(7), { allocatedBytes: { Buffer: 7 } }],
    ['Buffer.from', () => Buffer.from('abc'), taken('Buffer', 3, 'Buffer.from')],
    ['a view of memory', () => Buffer.from(memory, 8), { allocatedBytes: {}, copiedBytes: {} }],
    ['Buffer.concat', () => Buffer.concat([bytes, bytes]), taken('Buffer', 4, 'Buffer.concat')],
    [
      'Buffer.copyBytesFrom',
      () => Buffer.copyBytesFrom(bytes, 1),
      taken('Buffer', 1, 'Buffer.copyBytesFrom'),
    ],
    ['buffer.copy', () => bytes.copy(bytes, 1), only('Buffer.copy', 1)],
    ['Array.from', () => Array.from({ length: 5000 }, (_, i) => i), { allocatedBytes: { Array: 40_000 } }],
    ['new Array', () => new Array(5000), { allocatedBytes: { Array: 40_000 } }],
    ['map', () => list.map((value) => value), { allocatedBytes: { Array: 8000 } }],
    ['a short list', () => [1, 2].map((value) => value), { allocatedBytes: {} }],
  ])('%s is counted', async (_, work, expected) => {
    expect(await counted(loadAddon(), work)).toMatchObject(expected)
    for (const [is, was] of [
      [ArrayBuffer, globals.ArrayBuffer],
      [Array, globals.Array],
      [Buffer.from, globals.from],
      [Array.from, globals.list],
      [Array.prototype.map, globals.map],
    ])
      expect(is).toBe(was)
  })

  test('this tree does what is committed', async () => {
    const { findings } = await countAll(await ours())
    expect(findings.filter(({ verdict }) => verdict !== 'good')).toEqual([])
    expect(findings.length).toBeGreaterThan(9)
  })

  test.each(Object.keys(plants))('one more %s in every run is seen in all of them', async (name) => {
    const { findings } = await countAll(await ours(), { plant: plants[name]! })
    expect(findings.filter(({ verdict }) => verdict !== 'worse')).toEqual([])
    expect(findings.length).toBeGreaterThan(9)
  })
})
