import { expected } from '../base/errors.js'
import type { OpArgs, OpName } from './port.js'
import { relations } from './relations.js'
import { type BufferRule, type NumberRule, signatures } from './signatures.js'

/** Ops that work element by element: their output may be one of their inputs. */
const inPlace: ReadonlySet<OpName> = new Set(['leaky_relu', 'leaky_relu_backward', 'dropout', 'add', 'scale'])

/**
 * Checks the arguments of an op: numbers first, then every buffer's type and size, then what relates them (no output
 * over another argument's memory, lengths within their maximum, indices in range). `isFloats` says which buffers this
 * backend can read.
 * @throws SonotextError INVALID_ARGUMENT naming op and argument
 */
export function checkArgs<K extends OpName>(
  op: K,
  args: OpArgs[K],
  isFloats: (buffer: unknown) => boolean,
): void {
  const fields = Object.entries(signatures[op]) as [string, NumberRule | BufferRule<OpArgs[K]>][]
  const values = args as unknown as Record<string, unknown>
  for (const [name, rule] of fields) {
    const value = values[name]
    if (rule.kind !== 'number') {
      const none = value === null && rule.nullable
      const typed = rule.kind === 'int' ? value instanceof Int32Array : isFloats(value)
      if (!none && !typed) throw expected(bufferName(rule), `${op}.${name}`, value)
    } else if (typeof value !== 'number' || !rule.holds(value)) {
      throw expected(rule.expected, `${op}.${name}`, value)
    }
  }
  for (const [name, rule] of fields) {
    const buffer = values[name]
    if (rule.kind === 'number' || buffer === null) continue
    const size = rule.size(args)
    const { length } = buffer as { length: number }
    if (length === size) continue
    throw expected(`${size} elements`, `${op}.${name}`, ArrayBuffer.isView(buffer) ? buffer : length)
  }
  assertApart(op, fields, values)
  relations[op]?.(args)
}

/** An output may share memory with nothing, except, where the op allows it, exactly with an input. */
function assertApart(
  op: OpName,
  fields: [string, { kind: string }][],
  values: Record<string, unknown>,
): void {
  const buffers = fields.flatMap(([name, rule]) => {
    const buffer = values[name]
    const written = 'direction' in rule && rule.direction !== 'in'
    return ArrayBuffer.isView(buffer) && buffer.byteLength > 0 ? [{ name, buffer, written }] : []
  })
  for (const [i, a] of buffers.entries()) {
    for (const b of buffers.slice(i + 1)) {
      if ((!a.written && !b.written) || !overlap(a.buffer, b.buffer)) continue
      const same = a.buffer.byteOffset === b.buffer.byteOffset && a.buffer.byteLength === b.buffer.byteLength
      if (same && a.written !== b.written && inPlace.has(op)) continue
      throw expected('memory of its own', `${op}.${b.name}`, `memory that ${a.name} uses`)
    }
  }
}

function overlap(a: ArrayBufferView, b: ArrayBufferView): boolean {
  if (a.buffer !== b.buffer) return false
  return a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength
}

function bufferName(rule: BufferRule<never>): string {
  const kind = rule.kind === 'int' ? 'an Int32Array' : 'a float buffer of this backend'
  return rule.nullable ? `${kind} or null` : kind
}
