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
  const rules = signatures[op] as Record<string, { readonly nullable?: boolean }>
  const given = args as unknown as Record<string, unknown>
  for (const name of namesOf(given)) {
    if (Object.hasOwn(rules, name)) continue
    const names = Object.keys(rules).join(', ')
    throw new SonotextError(
      'INVALID_ARGUMENT',
      `Expected only the arguments of ${op} (${names}), got ${name}.`,
    )
  }
  const own = Object.entries(rules).map(([name, { nullable }]) => {
    const value = given[name]
    return [name, nullable ? (value ?? null) : value] as const
  })
  return Object.fromEntries(own) as unknown as OpArgs[K]
}

function* namesOf(given: object): Generator<string> {
  yield* Object.getOwnPropertyNames(given)
  // Inherited ones; what a class hides in its prototype is its own matter, and so is what every object has.
  for (const name in given) if (!(name in Object.prototype)) yield name
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
