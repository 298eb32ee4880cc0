import type { Backend, FloatBuffer, HostArray, OpArgs, OpName } from '../backend/port.js'
import type { BufferRule, NumberRule } from '../backend/rules.js'
import { signatures } from '../backend/signatures.js'
import { Rng } from '../base/rng.js'
import { type AnyOpCase, Draw, type OpCase, oracle } from './cases/op-case.js'
import { tolerance } from './tolerance.js'

/** What an op wrote, by argument name. */
export type Outputs = ReadonlyMap<string, HostArray | Int32Array>

type Rule = BufferRule<never> | NumberRule

/** Drawing takes longer than most ops: each case's arguments are drawn once and copied. */
const drawn = new WeakMap<object, object>()

/** The arguments of a case, the same on every call, in arrays of the caller's own. */
export function argsOf<K extends OpName>(testCase: OpCase<K>): OpArgs[K] {
  let args = drawn.get(testCase) as OpArgs[K] | undefined
  if (args === undefined) {
    args = testCase.args(drawOf(testCase))
    drawn.set(testCase, args)
  }
  const entries = Object.entries(args) as [string, unknown][]
  const copies = entries.map(([name, value]) => [name, isArray(value) ? value.slice() : value] as const)
  return Object.fromEntries(copies) as unknown as OpArgs[K]
}

function drawOf({ op, name }: { op: OpName; name: string }): Draw {
  return new Draw(new Rng(1, `${op}/${name}`))
}

/** Runs a case on a backend: uploads, runs, downloads copies of what was written, frees. */
export function runCase(backend: Backend, testCase: AnyOpCase): Outputs {
  return run(backend, testCase as OpCase)
}

function run<K extends OpName>(backend: Backend, testCase: OpCase<K>): Outputs {
  const { op, before, opaque = [] } = testCase
  const { memory } = backend
  const taken: FloatBuffer[] = []
  const upload = (values: HostArray): FloatBuffer => {
    const buffer = memory.alloc(values.length)
    taken.push(buffer)
    memory.upload(values, buffer)
    return buffer
  }
  const onHost = argsOf(testCase)
  const entries = Object.entries(onHost) as [string, unknown][]
  const onDevice = entries.map(([name, value]) => [name, isFloats(value) ? upload(value) : value] as const)
  const args = Object.fromEntries(onDevice) as unknown as OpArgs[K]
  before?.(
    (name, own) => backend.run(name, own),
    args,
    (length) => upload(drawOf(testCase).normal(length, 0.1)),
  )
  backend.run(op, args)

  const outputs = new Map<string, HostArray | Int32Array>()
  for (const [name, rule] of Object.entries(signatures[op]) as [string, Rule][]) {
    if (rule.kind === 'number' || rule.direction === 'in' || opaque.includes(name)) continue
    const buffer = (args as unknown as Record<string, FloatBuffer | Int32Array | null>)[name]
    if (buffer === null || buffer === undefined) continue
    outputs.set(name, (buffer instanceof Int32Array ? buffer : memory.download(buffer)).slice())
  }
  for (const buffer of taken) memory.free(buffer)
  return outputs
}

/** Runs a case and compares it with the float64 reference; returns what is wrong, empty when nothing is. */
export function checkCase(
  backend: Backend,
  testCase: AnyOpCase,
  wanted = runCase(oracle, testCase),
): string[] {
  const got = runCase(backend, testCase)
  return [...wanted].flatMap(([name, values]) => {
    const problem = difference(testCase.op, values, got.get(name)!, testCase.scale)
    return problem === null ? [] : [`${testCase.op}.${name}, ${testCase.name}: ${problem}`]
  })
}

/** Where two runs of a case differ in any bit; empty when they do not. */
export function bitDifferences(testCase: AnyOpCase, a: Outputs, b: Outputs): string[] {
  return [...a].flatMap(([name, values]) => {
    const other = b.get(name)!
    const bits = (array: HostArray | Int32Array): Buffer =>
      Buffer.from(array.buffer, array.byteOffset, array.byteLength)
    if (bits(values).equals(bits(other))) return []
    const at = values.findIndex((value, i) => !Object.is(value, other[i]))
    return [`${testCase.op}.${name}, ${testCase.name}: element ${at} is ${values[at]} and ${other[at]}`]
  })
}

/**
 * The element that is farthest beyond the op's tolerance, as a sentence; null when none is.
 * @param scale size of the terms whose sum the output is, where they cancel to less
 */
export function difference(
  op: OpName,
  wanted: HostArray | Int32Array,
  got: HostArray | Int32Array,
  scale = 0,
): string | null {
  const { relative, absolute } = tolerance[op]
  if (got.length !== wanted.length) return `${got.length} elements, expected ${wanted.length}`
  const exact = wanted instanceof Int32Array
  let largest = scale
  for (const value of wanted) if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value))
  let worst = -1
  let worstExcess = 0
  for (let i = 0; i < wanted.length; i++) {
    const a = Math.fround(wanted[i]!)
    const b = got[i]!
    if (Object.is(a, b) || a === b) continue
    const allowed = exact ? 0 : relative * Math.abs(a) + absolute * largest
    const error = Math.abs(wanted[i]! - b)
    const excess = Number.isFinite(error) ? error / allowed : Infinity
    if (excess > 1 && excess > worstExcess) {
      worst = i
      worstExcess = excess
    }
  }
  if (worst < 0) return null
  return `element ${worst} of ${wanted.length} is ${got[worst]}, expected ${wanted[worst]}, ${worstExcess.toPrecision(3)} times the tolerance`
}

function isArray(value: unknown): value is HostArray | Int32Array | Uint8Array {
  return isFloats(value) || value instanceof Int32Array || value instanceof Uint8Array
}

function isFloats(value: unknown): value is HostArray {
  return value instanceof Float32Array || value instanceof Float64Array
}
