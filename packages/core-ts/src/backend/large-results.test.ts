import { type Addon, loadAddon } from '@sonotext/native-cuda'
import { describe, expect, test } from 'vitest'
import { nativeBackend } from './native.js'
import type { Backend, HostArray, OpArgs, OpName } from './port.js'

/**
 * Results of 32 MB and more are stored past the caches. They must have the bits of the same work done in two halves, each of
 * which is small enough to be stored as usual.
 */
const [n, h, w, c] = [2, 512, 512, 16]

type Numbers = Record<string, number>

/** One op whose arrays `halved` split evenly over the images; the others belong to both halves. */
interface LargeOp {
  readonly op: OpName
  readonly what: string
  readonly halved: Readonly<Record<string, number>>
  readonly shared: Readonly<Record<string, number>>
  readonly outputs: readonly string[]
  readonly sizes: Numbers
  /** The arguments that shrink with the half. */
  readonly count: 'n' | 'rows'
}

const image = n * h * w * c
const conv = (kh: number, cin: number) => ({ n, h, w, cin, cout: c, kh, kw: 3, slope: 0.1 })
const rows = { rows: n * h * w, c, training: 0 }
const large: readonly LargeOp[] = [
  {
    op: 'conv2d',
    what: 'by tiles',
    halved: { x: image, out: image },
    shared: { weight: 9 * c * c },
    outputs: ['out'],
    sizes: conv(3, c),
    count: 'n',
  },
  {
    op: 'conv2d',
    what: 'by strips',
    halved: { x: image / c, out: image },
    shared: { weight: 9 * c },
    outputs: ['out'],
    sizes: conv(3, 1),
    count: 'n',
  },
  ...[3, 1].map((kh): LargeOp => ({
    op: 'conv2d_backward',
    what: kh === 3 ? 'by tiles' : 'by strips',
    halved: { x: image, out: image, gradOut: image, gradX: image },
    shared: { weight: kh * 3 * c * c },
    outputs: ['gradX'],
    sizes: conv(kh, c),
    count: 'n',
  })),
  {
    op: 'batch_norm',
    what: 'by its running statistics',
    halved: { x: image, out: image },
    shared: { gamma: c, beta: c, runningMean: c, runningVar: c, savedMean: c, savedInvStd: c },
    outputs: ['out'],
    sizes: { ...rows, eps: 1, momentum: 0.1 },
    count: 'rows',
  },
  {
    op: 'batch_norm_backward',
    what: 'by its running statistics',
    halved: { x: image, gradOut: image, gradX: image },
    shared: { gamma: c, savedMean: c, savedInvStd: c, gradGamma: c, gradBeta: c },
    outputs: ['gradX'],
    sizes: rows,
    count: 'rows',
  },
  {
    op: 'lp_pool_backward',
    what: 'of windows 2×4',
    halved: { x: image, gradX: image, out: image / 8, gradOut: image / 8 },
    shared: {},
    outputs: ['gradX'],
    sizes: { n, h, w, c, kh: 2, kw: 4, p: 4 },
    count: 'n',
  },
]

/** Cheap numbers in (0, 1), different for every argument. */
function filled(backend: Backend, length: number, seed: number): HostArray {
  const values = backend.memory.alloc(length) as Float32Array
  for (let i = 0; i < length; i++) values[i] = (((i + 17 * seed) % 1021) + 1) / 1023
  return values
}

function addonOrReason(): Addon | string {
  try {
    return loadAddon()
  } catch (error) {
    return (error as Error).message
  }
}

const addon = addonOrReason()
describe.skipIf(typeof addon === 'string')('large results', () => {
  const sets = typeof addon === 'string' ? [] : addon.instructionSets().filter(({ supported }) => supported)
  describe.each(sets.map(({ name }) => name))('%s', (isa) => {
    test.each(large)('$op $what', ({ op, halved, shared, outputs, sizes, count }) => {
      const backend = nativeBackend({ isa })
      const arrays: Record<string, HostArray> = {}
      for (const [i, [name, length]] of Object.entries({ ...halved, ...shared }).entries()) {
        arrays[name] = filled(backend, length, i)
      }
      const run = (more: Record<string, unknown>): void => {
        const none = op === 'conv2d_backward' ? { gradWeight: null } : {}
        backend.run(op, { ...none, ...arrays, ...sizes, ...more } as unknown as OpArgs[typeof op])
      }
      run({})
      const whole = Object.fromEntries(outputs.map((name) => [name, Float32Array.from(arrays[name]!)]))
      for (const name of outputs) arrays[name]!.fill(Number.NaN)
      for (const part of [0, 1]) {
        const pieces = Object.entries(halved).map(([name, length]) => {
          return [name, arrays[name]!.subarray((part * length) / 2, ((part + 1) * length) / 2)]
        })
        run({ ...Object.fromEntries(pieces), [count]: sizes[count]! / 2 })
      }
      for (const name of outputs) {
        expect(whole[name]!.length).toBeGreaterThanOrEqual(2 ** 23)
        expect(Buffer.compare(bytes(whole[name]!), bytes(arrays[name] as Float32Array))).toBe(0)
      }
    })
  })
})

const bytes = ({ buffer, byteOffset, byteLength }: Float32Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength)
