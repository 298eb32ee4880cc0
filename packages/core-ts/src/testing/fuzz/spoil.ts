import type { OpName } from '../../backend/port.js'
import type { Rng } from '../../base/rng.js'
import { copyOf } from './call.js'
import type { BufferRule } from '../../backend/rules.js'
import { isBuffer, isWritten, rulesOf, type Values } from './rules.js'

/** A call with one fault in it. */
export interface Spoiled {
  readonly what: string
  readonly args: Values
  /** True: every backend has to refuse it. False: they have to agree whether they do. */
  readonly refused: boolean
}

type Fault = (rng: Rng, op: OpName, args: Values) => Spoiled | null
type Floats = Float32Array | Int32Array | Uint8Array

/** The call with a number, a length, an index or a buffer made wrong, or two buffers laid over each other. */
export function spoil(rng: Rng, op: OpName, args: Values): Spoiled | null {
  return rng.pick(faults)(rng, op, copyOf(args))
}

const wrongNumber: Fault = (rng, op, args) => {
  const numbers = rulesOf(op).flatMap(([name, rule]) => (isBuffer(rule) ? [] : [[name, rule] as const]))
  if (numbers.length === 0) return null
  const [name, { holds }] = rng.pick(numbers)
  const value = rng.pick(
    [Number.NaN, Infinity, -Infinity, -1, 0.5, 3, 1.5, 2 ** 53, 1e300].filter((v) => !holds(v)),
  )
  return { what: `${name} = ${value}`, args: { ...args, [name]: value }, refused: true }
}

const wrongLength: Fault = (rng, op, args) => {
  const [name, rule] = anyBuffer(rng, op, args, () => true)
  if (rule === null) return null
  const array = args[name] as Floats
  const length = Math.max(0, array.length + rng.pick([-1, 1, 1, -array.length]))
  const other = new (array.constructor as Float32ArrayConstructor)(length)
  other.set(array.subarray(0, length))
  const same = length === array.length
  return { what: `${name} has ${length} of ${array.length} elements`, args: { ...args, [name]: other }, refused: !same && rule.free !== true } // prettier-ignore
}

const wrongIndex: Fault = (rng, op, args) => {
  const [name, rule] = anyBuffer(
    rng,
    op,
    args,
    (rule, array) => rule.kind === 'int' && !isWritten(rule) && array.length > 0,
  )
  if (rule === null) return null
  const array = args[name] as Int32Array
  const at = rng.int(array.length)
  array[at] = rng.pick([-1, -(2 ** 31), 2 ** 31 - 1, array[at]! + 1])
  return { what: `${name}[${at}] = ${array[at]}`, args, refused: false }
}

const noBuffer: Fault = (rng, op, args) => {
  const [name, rule] = anyBuffer(rng, op, args, () => true)
  if (rule === null) return null
  return { what: `${name} = null`, args: { ...args, [name]: null }, refused: !rule.nullable }
}

const overlap: Fault = (rng, op, args) => {
  const [one, written] = anyBuffer(rng, op, args, (rule, array) => isWritten(rule) && array.length > 0)
  const [two, other] = anyBuffer(rng, op, args, (_, array) => array.length > 0)
  if (written === null || other === null || one === two) return null
  const [a, b] = [args[one] as Floats, args[two] as Floats]
  const at = rng.pick([0, a.length - 1, rng.int(a.length)])
  const memory = new ArrayBuffer(4 * Math.max(a.length, at + b.length))
  const placed = (array: Floats, offset: number): Floats => {
    const view = new (array.constructor as Float32ArrayConstructor)(memory, 4 * offset, array.length)
    view.set(array)
    return view
  }
  const exact = at === 0 && a.length === b.length
  return { what: `${two} lies ${at} elements into ${one}`, args: { ...args, [one]: placed(a, 0), [two]: placed(b, at) }, refused: !exact } // prettier-ignore
}

const faults: readonly Fault[] = [wrongNumber, wrongLength, wrongLength, wrongIndex, noBuffer, overlap]

/** A buffer of the call that is there and fits. */
function anyBuffer(
  rng: Rng,
  op: OpName,
  args: Values,
  fits: (rule: BufferRule<Values>, array: Floats) => boolean,
): [string, BufferRule<Values>] | [string, null] {
  const fitting = rulesOf(op).flatMap(([name, rule]) => {
    const array = args[name]
    return isBuffer(rule) && ArrayBuffer.isView(array) && fits(rule, array as Floats)
      ? [[name, rule] as const]
      : []
  })
  if (fitting.length === 0) return ['', null]
  const [name, rule] = rng.pick(fitting)
  return [name, rule]
}
