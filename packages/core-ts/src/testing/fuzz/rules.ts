import type { OpName } from '../../backend/port.js'
import type { BufferRule, NumberRule, Requirement } from '../../backend/rules.js'
import { requirements, signatures } from '../../backend/signatures.js'

/** An op's arguments by name: the fuzz knows no op, only what the signatures say of each. */
export type Values = Record<string, Float32Array | Float64Array | Int32Array | Uint8Array | number | null>

export type Rule = NumberRule | BufferRule<Values>

/** What the signature of an op says of each argument, in its order. */
export function rulesOf(op: OpName): readonly [name: string, rule: Rule][] {
  return Object.entries(signatures[op]) as unknown as [string, Rule][]
}

/** What must hold between the arguments of an op. */
export function requirementsOf(op: OpName): readonly Requirement<Values>[] {
  return (requirements[op] ?? []) as unknown as Requirement<Values>[]
}

export function isBuffer(rule: Rule): rule is BufferRule<Values> {
  return rule.kind !== 'number'
}

/** Whether the op writes it. */
export function isWritten(rule: Rule): rule is BufferRule<Values> {
  return isBuffer(rule) && rule.direction !== 'in'
}

/** The forward op of a `_backward`, null where there is none. */
export function forwardOf(op: OpName): OpName | null {
  const name = op.replace(/_backward$/, '')
  return name !== op && Object.hasOwn(signatures, name) ? (name as OpName) : null
}
