import { throwIfAborted } from '../base/abort.js'
import { expected, SonotextError } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import type { OpArgs, OpName, OpOptions } from './port.js'
import { signatures } from './signatures.js'

// What every backend expects of a call before it looks at what an op's arguments hold: the same words for all of them.

export function assertOp(op: unknown): asserts op is OpName {
  if (typeof op !== 'string' || !Object.hasOwn(signatures, op))
    throw expected(`one of ${Object.keys(signatures).join(', ')}`, 'op', op)
}

export function assertCall(op: unknown, args: unknown): void {
  assertOp(op)
  if (typeof args !== 'object' || args === null)
    throw expected(`an object with the arguments of ${op}`, 'args', args)
}

/** The options of a `runAsync` as they came; throws ABORTED when the signal has fired. */
export function assertOptions(options: OpOptions): void {
  throwIfAborted(checkOptions(options, 'runAsync').signal)
}

/**
 * Every argument of an op read once, inherited ones too, null for an optional one that is left out: getters run here and
 * nowhere else. Names that the op does not have are refused, be they enumerable or not: they are likely misspelt.
 */
export function takeArgs<K extends OpName>(op: K, args: OpArgs[K]): OpArgs[K] {
  const { names, nullable } = argumentsOf(op)
  const given = args as unknown as Record<string, unknown>
  const stated = Object.getOwnPropertyNames(given)
  for (const name of stated) assertArgument(op, names, name)
  const plain = Object.getPrototypeOf(given) === Object.prototype
  if (!plain) {
    // Inherited ones; what a class hides in its prototype is its own matter, and so is what every object has.
    for (const name in given) if (!(name in Object.prototype)) assertArgument(op, names, name)
  }
  // All of them in one piece where they are plain properties, as nearly always: an op may take no longer than reading them one by one.
  if (plain && stated.length === names.size) {
    const own = { ...given }
    if (Object.keys(own).length === names.size) {
      for (const name of nullable) own[name] ??= null
      return own as unknown as OpArgs[K]
    }
  }
  const own: Record<string, unknown> = {}
  for (const name of names) own[name] = given[name]
  for (const name of nullable) own[name] ??= null
  return own as unknown as OpArgs[K]
}

interface OpArguments {
  readonly names: ReadonlySet<string>
  /** Those that may be left out. */
  readonly nullable: readonly string[]
}

const known = new Map<OpName, OpArguments>()

function argumentsOf(op: OpName): OpArguments {
  let found = known.get(op)
  if (found === undefined) {
    const rules = Object.entries(signatures[op] as Record<string, { readonly nullable?: boolean }>)
    const nullable = rules.flatMap(([name, rule]) => (rule.nullable ? [name] : []))
    found = { names: new Set(rules.map(([name]) => name)), nullable }
    known.set(op, found)
  }
  return found
}

function assertArgument(op: OpName, names: ReadonlySet<string>, name: string): void {
  if (names.has(name)) return
  throw new SonotextError(
    'INVALID_ARGUMENT',
    `Expected only the arguments of ${op} (${[...names].join(', ')}), got ${name}.`,
  )
}

/** Refuses arrays whose memory is gone, or could go while an op uses it. */
export function assertFixed(array: ArrayBufferView, name: string): void {
  const memory = array.buffer as ArrayBuffer // shared memory has neither property, and can only grow
  const refusal = memory.resizable
    ? 'an array of fixed memory for {}, got one over an ArrayBuffer that can be resized (slice() makes a copy that cannot)'
    : memory.detached
      ? 'an array with memory for {}, got a detached one: its memory was transferred elsewhere'
      : null
  if (refusal !== null)
    throw new SonotextError('INVALID_ARGUMENT', `Expected ${refusal.replace('{}', name)}.`)
}

/** A length to allocate: at most 2⁴⁰ elements, more than any machine has. */
export function assertLength(length: unknown): void {
  if (!(Number.isInteger(length) && (length as number) >= 0 && (length as number) <= 2 ** 40))
    throw expected('a number of elements', 'length', length)
}

export function assertNumbers(source: unknown): void {
  const { length } = (typeof source === 'object' && source !== null ? source : {}) as { length?: unknown }
  if (!(Number.isInteger(length) && (length as number) >= 0))
    throw expected('an array of numbers', 'source', source)
  if (source instanceof BigInt64Array || source instanceof BigUint64Array)
    throw expected('an array of numbers', 'source', source)
  if (ArrayBuffer.isView(source)) assertFixed(source, 'source')
}

export function assertNumber(value: unknown): void {
  if (typeof value !== 'number') throw expected('a number', 'value', value)
}
