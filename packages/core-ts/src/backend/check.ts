import { expected } from '../base/errors.js'
import { assertFixed } from './edge.js'
import type { OpArgs, OpName } from './port.js'
import { type BufferRule, largestFloat, type NumberRule, type Requirement } from './rules.js'
import { elementwise, requirements, signatures } from './signatures.js'

type Rules<A> = [string, NumberRule | BufferRule<A>][]
type Values = Record<string, unknown>

/**
 * Checks the arguments of an op as the C++ table does: numbers and kinds of buffers first, then what relates them, every
 * buffer's size, the contents of integer buffers, and that no output lies over another argument's memory. `isFloats` says
 * which buffers this backend can read.
 * @throws SonotextError INVALID_ARGUMENT naming op and argument
 */
export function checkArgs<K extends OpName>(
  op: K,
  args: OpArgs[K],
  isFloats: (buffer: unknown) => boolean,
): void {
  const rules = Object.entries(signatures[op]) as Rules<OpArgs[K]>
  const related = (requirements[op] ?? []) as readonly Requirement<OpArgs[K]>[]
  const values = args as unknown as Values
  assertKinds(op, rules, values, isFloats)
  for (const each of related) if (!each.reads) assertRelated(op, each, args)
  assertSizes(op, rules, args)
  assertContents(op, rules, args)
  for (const each of related) if (each.reads) assertRelated(op, each, args)
  assertApart(op, rules, values)
}

/**
 * Checks one number as an op does, for callers that use it before the op runs. `name` says whose it is in their words.
 * @throws SonotextError INVALID_ARGUMENT
 */
export function checkNumber<K extends OpName>(
  op: K,
  argument: keyof OpArgs[K] & string,
  value: number,
  name = `${op}.${argument}`,
): void {
  const rule = (signatures[op] as Record<string, NumberRule>)[argument]!
  if (typeof value !== 'number' || !rule.holds(value)) throw expected(wanted(rule, value), name, value)
}

/** What a number that breaks its rule should have been. */
function wanted({ expected: text, integer }: NumberRule, value: unknown): string {
  const narrowed = !integer && Number.isFinite(value) && !Number.isFinite(Math.fround(value as number))
  return narrowed ? `a number of at most ${largestFloat} in magnitude` : text
}

function assertKinds(
  op: string,
  rules: Rules<never>,
  values: Values,
  isFloats: (buffer: unknown) => boolean,
): void {
  for (const [name, rule] of rules) {
    const value = values[name]
    if (rule.kind !== 'number') {
      const none = value === null && rule.nullable
      if (!none && !isOfKind(rule, value, isFloats)) throw expected(bufferName(rule), `${op}.${name}`, value)
      if (ArrayBuffer.isView(value)) assertFixed(value, `${op}.${name}`)
    } else if (typeof value !== 'number' || !rule.holds(value)) {
      throw expected(wanted(rule, value), `${op}.${name}`, value)
    }
  }
}

function assertRelated<A>(op: string, { argument, expected: what, holds }: Requirement<A>, args: A): void {
  if (!holds(args)) throw expected(what, `${op}.${argument}`, (args as Values)[argument])
}

function assertSizes<A>(op: string, rules: Rules<A>, args: A): void {
  for (const [name, rule] of rules) {
    const buffer = (args as Values)[name]
    if (rule.kind === 'number' || buffer === null) continue
    const size = rule.size(args)
    const { length } = buffer as { length: number }
    if (length === size) continue
    throw expected(`${size} elements`, `${op}.${name}`, ArrayBuffer.isView(buffer) ? buffer : length)
  }
}

function assertContents<A>(op: string, rules: Rules<A>, args: A): void {
  for (const [name, rule] of rules) {
    const values = (args as Values)[name] as Int32Array | null
    if (rule.kind === 'number' || values === null) continue
    if (rule.range !== undefined) {
      const [low, high] = rule.range(args)
      const at = values.findIndex((value) => value < low || value > high)
      if (at >= 0) throw expected(`an integer from ${low} to ${high}`, `${op}.${name}[${at}]`, values[at])
    }
    if (rule.offsets !== undefined) {
      const { length } = (args as Values)[rule.offsets.over] as { length: number }
      assertOffsets(`${op}.${name}`, values, length)
    }
  }
}

/** From 0, never falling, to `total`. */
function assertOffsets(name: string, offsets: Int32Array, total: number): void {
  if (offsets[0] !== 0) throw expected('0', `${name}[0]`, offsets[0])
  const at = offsets.findIndex((offset, i) => i > 0 && offset < offsets[i - 1]!)
  if (at >= 0) throw expected(`${offsets[at - 1]} or more`, `${name}[${at}]`, offsets[at])
  if (offsets.at(-1) !== total)
    throw expected(`${total}, the number of entries`, `last of ${name}`, offsets.at(-1))
}

/** An output may share memory with nothing, except, where the op allows it, exactly with an input. */
function assertApart(op: OpName, rules: Rules<never>, values: Values): void {
  const buffers = rules.flatMap(([name, rule]) => {
    const buffer = values[name]
    const written = rule.kind !== 'number' && rule.direction !== 'in'
    return ArrayBuffer.isView(buffer) && buffer.byteLength > 0 ? [{ name, buffer, written }] : []
  })
  for (const [i, a] of buffers.entries()) {
    for (const b of buffers.slice(i + 1)) {
      if ((!a.written && !b.written) || !overlap(a.buffer, b.buffer)) continue
      const same = a.buffer.byteOffset === b.buffer.byteOffset && a.buffer.byteLength === b.buffer.byteLength
      if (same && a.written !== b.written && elementwise.has(op)) continue
      throw expected('memory of its own', `${op}.${b.name}`, `memory that ${a.name} uses`)
    }
  }
}

function overlap(a: ArrayBufferView, b: ArrayBufferView): boolean {
  if (a.buffer !== b.buffer) return false
  return a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength
}

function isOfKind(
  { kind }: BufferRule<never>,
  value: unknown,
  isFloats: (buffer: unknown) => boolean,
): boolean {
  if (kind === 'float') return isFloats(value)
  return kind === 'int' ? value instanceof Int32Array : value instanceof Uint8Array
}

const kindNames = {
  float: 'a float buffer of this backend',
  int: 'an Int32Array',
  bytes: 'a Uint8Array',
} as const

function bufferName(rule: BufferRule<never>): string {
  const kind = kindNames[rule.kind]
  return rule.nullable ? `${kind} or null` : kind
}
