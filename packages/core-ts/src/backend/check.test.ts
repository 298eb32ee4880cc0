import { loadAddon } from '@sonotext/native-cuda'
import { describe, expect, test } from 'vitest'
import { argsOf, casesByOp, type OpCase } from '../testing/index.js'
import { nativeBackend } from './native.js'
import type { Backend, HostArray, OpArgs, OpName } from './port.js'
import { referenceBackend } from './reference/index.js'
import type { BufferRule, NumberRule } from './rules.js'
import { elementwise, signatures } from './signatures.js'

type Values = Record<string, number | null | HostArray | Int32Array | Uint8Array>
type Rule = BufferRule<never> | NumberRule

const reference = referenceBackend()
const backends: [string, Backend][] = [['reference', reference]]
try {
  loadAddon()
  backends.push(['native cpu', nativeBackend({ device: 'cpu' })])
} catch (error) {
  process.stderr.write(`native argument checks skipped: ${(error as Error).message}\n`)
}

const ops = Object.entries(signatures) as [OpName, Record<string, Rule>][]

/** Float32 arguments of the op's first case in which no buffer is empty and one has some length. */
function validArgs(op: OpName): Values {
  const suits = (testCase: OpCase): boolean => {
    const buffers = Object.values(argsOf(testCase)).filter((value) =>
      ArrayBuffer.isView(value),
    ) as HostArray[]
    return buffers.every(({ length }) => length > 0) && buffers.some(({ length }) => length >= 7)
  }
  const testCase = (casesByOp.get(op)! as OpCase[]).find(suits)!
  const entries = Object.entries(argsOf(testCase) as unknown as Values)
  return Object.fromEntries(
    entries.map(([name, value]) => [name, value instanceof Float64Array ? Float32Array.from(value) : value]),
  )
}

/** Whether a buffer may have any length: nothing fixes it, and nothing follows from it. */
function anyLength(op: OpName, name: string, args: Values): boolean {
  const longer = { ...args, [name]: new Float32Array((args[name] as HostArray).length + 1) }
  return Object.entries(signatures[op] as Record<string, Rule>).every(([other, rule]) => {
    if (rule.kind === 'number') return true
    if (other === name) return rule.free === true
    return rule.size(args as never) === rule.size(longer as never) && rule.offsets?.over !== name
  })
}

function run(backend: Backend, op: OpName, args: Values): void {
  backend.run(op, args as unknown as OpArgs[typeof op])
}

function refusal(backend: Backend, op: OpName, args: Values): string {
  try {
    run(backend, op, args)
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    return `${code}: ${message}`
  }
  return 'accepted'
}

describe.each(backends)('%s', (_, backend) => {
  test.each(ops)('%s refuses every number out of range', (op, signature) => {
    for (const [name, rule] of Object.entries(signature)) {
      if (rule.kind !== 'number') continue
      const bad = [Number.NaN, Infinity, -Infinity, -1, 0.5, 3, 1e20, 2 ** 31, 2 ** 53].filter(
        (v) => !rule.holds(v),
      )
      expect(bad.length).toBeGreaterThan(1)
      for (const value of bad) {
        const got = refusal(backend, op, { ...validArgs(op), [name]: value })
        expect(got, `${name} = ${value}`).toMatch(/^INVALID_ARGUMENT/)
        expect(got, `${name} = ${value}`).toContain(name)
      }
    }
  })

  test.each(ops)('%s refuses every buffer of a wrong length or kind', (op, signature) => {
    for (const [name, rule] of Object.entries(signature)) {
      if (rule.kind === 'number') continue
      const args = validArgs(op)
      const value = args[name]
      if (value === null) continue
      const { length } = value as HostArray
      const Own = { float: Float32Array, int: Int32Array, bytes: Uint8Array }[rule.kind]
      const Other = rule.kind === 'float' ? Int32Array : Float32Array
      const bad: [string, unknown][] = [
        ['of another kind', new Other(length)],
        ['plain', Array.from({ length }, () => 0)],
        ['undefined', undefined],
      ]
      if (!rule.nullable) bad.push(['null', null])
      if (!anyLength(op, name, args))
        bad.push(['longer', new Own(length + 1)], ['shorter', new Own(length - 1)])
      for (const [what, replacement] of bad) {
        if (what === 'undefined' && rule.nullable) continue
        const got = refusal(backend, op, { ...args, [name]: replacement } as Values)
        expect(got, `${name} ${what}`).toMatch(/^INVALID_ARGUMENT/)
        expect(got, `${name} ${what}`).toContain(op)
      }
    }
  })

  test.each(ops)('%s refuses outputs over the memory of other arguments', (op, signature) => {
    const written = (name: string): boolean =>
      'direction' in signature[name]! && signature[name].direction !== 'in'
    const args = validArgs(op)
    const floats = Object.keys(signature).filter((name) => args[name] instanceof Float32Array)
    for (const output of floats.filter(written)) {
      for (const other of floats.filter((name) => name !== output)) {
        const sizes = [output, other].map((name) => (args[name] as HostArray).length)
        const shared = new Float32Array(Math.max(...sizes) + 1)
        const at = (name: string, start: number): HostArray =>
          shared.subarray(start, start + (args[name] as HostArray).length)
        if (sizes.every((size) => size > 1)) {
          const shifted = { ...args, [output]: at(output, 0), [other]: at(other, 1) }
          expect(refusal(backend, op, shifted), `${output} over ${other}`).toMatch(/^INVALID_ARGUMENT/)
        }
        if (elementwise.has(op)) continue
        const same = { ...args, [output]: at(output, 0), [other]: at(other, 0) }
        expect(refusal(backend, op, same), `${output} on ${other}`).toMatch(/^INVALID_ARGUMENT/)
      }
    }
  })

  test.each([...elementwise])('%s may write over an input', (op) => {
    const args = validArgs(op)
    const rules = Object.entries<Rule>(signatures[op])
    const [output] = rules.find(([, rule]) => rule.kind !== 'number' && rule.direction === 'out')!
    const inputs = Object.keys(args).filter((name) => name !== output && args[name] instanceof Float32Array)
    run(backend, op, args)
    const wanted = args[output] as Float32Array
    for (const input of inputs) {
      const own = validArgs(op)
      run(backend, op, { ...own, [output]: own[input]! })
      expect([...(own[input] as Float32Array)], `over ${input}`).toEqual([...wanted])
    }
  })

  test.each<[string, OpName, (args: Values) => void]>([
    ['a frame length beyond the frames', 'frame_score', (a) => ((a['frameLengths'] as Int32Array)[0] = 1000)],
    ['a negative word length', 'frame_score_backward', (a) => ((a['wordLengths'] as Int32Array)[0] = -1)],
    ['a length beyond the steps', 'masked_mean', (a) => ((a['lengths'] as Int32Array)[0] = 1000)],
    ['a length beyond the steps', 'masked_mean_backward', (a) => ((a['lengths'] as Int32Array)[0] = 1000)],
    [
      'a token beyond the vocabulary',
      'embedding',
      (a) => ((a['tokens'] as Int32Array)[0] = a['vocabulary'] as number),
    ],
    ['a negative token', 'embedding_backward', (a) => ((a['tokens'] as Int32Array)[0] = -1)],
    ['falling offsets', 'triplet', (a) => ((a['audioOffsets'] as Int32Array)[1] = 1e6)],
    ['offsets that do not start at 0', 'triplet', (a) => ((a['textOffsets'] as Int32Array)[0] = 1)],
    ['a pick outside the batch', 'triplet', (a) => ((a['textIndex'] as Int32Array)[0] = a['n'] as number)],
    ['a filter beyond the bins', 'log_mel', (a) => ((a['filterStart'] as Int32Array)[0] = 1e6)],
    [
      'a filter whose end passes what 32 bits hold',
      'log_mel',
      (a) => ((a['filterStart'] as Int32Array)[0] = 2 ** 31 - 1),
    ],
    ['more mirrored samples than there are', 'log_mel', (a) => Object.assign(a, { padMode: 1, pad: 1e6 })],
    ['frames far beyond the samples', 'log_mel', (a) => Object.assign(a, { padMode: 1, hop: 1e6 })],
    [
      'no forward result for the slope',
      'conv2d_backward',
      (a) => Object.assign(a, { out: null, slope: 0.5 }),
    ],
    [
      'exclusions without offsets',
      'info_nce',
      (a) => Object.assign(a, { excludeOffsets: null, excludeIndex: new Int32Array(2) }),
    ],
    ['nothing to interpolate', 'interpolate', (a) => Object.assign(a, { l: 0, x: new Float32Array(0) })],
  ])('refuses %s: %s', (_name, op, change) => {
    const args = validArgs(op)
    change(args)
    expect(refusal(backend, op, args)).toMatch(/^INVALID_ARGUMENT/)
  })
})

describe.each(backends)('%s', (_, backend) => {
  test('refuses numbers that are infinite in float32, in the same words', () => {
    for (const factor of [1e39, -1e39, Number.MAX_VALUE, 3.4028235677973366e38]) {
      expect(refusal(backend, 'scale', { ...validArgs('scale'), factor })).toMatch(
        'INVALID_ARGUMENT: Expected a number of at most 3.4028234663852886e+38 in magnitude for scale.factor',
      )
    }
    expect(refusal(backend, 'scale', { ...validArgs('scale'), factor: 3.4028235e38 })).toBe('accepted')
  })
})

test('a refusal names op, argument, what was expected and what came', () => {
  const args = { ...validArgs('scale'), factor: Number.NaN }
  expect(refusal(reference, 'scale', args)).toBe(
    'INVALID_ARGUMENT: Expected a finite number for scale.factor, got NaN.',
  )
  const short = { ...validArgs('gemm'), a: new Float32Array(2) }
  expect(refusal(reference, 'gemm', short)).toMatch(
    /^INVALID_ARGUMENT: Expected \d+ elements for gemm\.a, got Float32Array of length 2\.$/,
  )
})

describe('reference memory and async', () => {
  const { memory } = reference
  test('moves numbers and refuses other lengths and other memory', () => {
    const a = memory.alloc(3)
    memory.upload([1, 2, 3], a)
    const b = memory.alloc(3)
    memory.copy(a, b)
    expect([...memory.download(b)]).toEqual([1, 2, 3])
    memory.fill(b, 7)
    expect([...memory.download(b)]).toEqual([7, 7, 7])
    expect(a).toBeInstanceOf(Float32Array)
    const tooMuch = expect.objectContaining({ code: 'OUT_OF_MEMORY' }) as unknown
    expect(() => memory.alloc(2 ** 40)).toThrow(tooMuch)
    expect(referenceBackend({ precision: 'float64' }).memory.alloc(1)).toBeInstanceOf(Float64Array)
    const other = 'Expected 1 elements like the source for target, got Float32Array of length 3.'
    expect(() => memory.upload([1], a)).toThrow(other)
    expect(() => memory.copy(memory.alloc(1), a)).toThrow(other)
    expect(() => memory.download({ device: 'cuda:0', length: 3 })).toThrow(
      /Expected a Float32Array or Float64Array/,
    )
    expect(() => referenceBackend({ precision: 'float16' as 'float32' })).toThrow(/precision/)
  })

  test('runs later, reports errors and aborts', async () => {
    const x = Float32Array.of(1, 2)
    const out = new Float32Array(2)
    const done = reference.runAsync('scale', { x, out, factor: 3 })
    expect([...out]).toEqual([0, 0])
    await done
    expect([...out]).toEqual([3, 6])
    await expect(reference.runAsync('scale', { x, out, factor: Number.NaN })).rejects.toThrow(/scale\.factor/)
    const controller = new AbortController()
    const aborted = reference.runAsync('scale', { x, out, factor: 5 }, { signal: controller.signal })
    controller.abort()
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' })
    expect([...out]).toEqual([3, 6])
  })
})
