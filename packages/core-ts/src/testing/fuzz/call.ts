import type { OpArgs, OpName } from '../../backend/port.js'
import { checkArgs } from '../../backend/check.js'
import { Rng } from '../../base/rng.js'
import { oracle } from '../cases/op-case.js'
import { drawArgs } from './draw-args.js'
import { forwardOf, isBuffer, isWritten, rulesOf, type Values } from './rules.js'

/** One drawn call: the same for the same seed, op and number. */
export interface Call {
  readonly op: OpName
  readonly args: Values
  /** What must run first on the same backend, to fill the arguments that only it can make. */
  readonly before: { readonly op: OpName; readonly args: Values; readonly fills: readonly string[] } | null
}

/** Something that runs an op on arrays. */
export type Run = (op: OpName, args: Values) => void | Promise<void>

/** The stream of a call: each can be drawn without those before it. */
export function streamOf(seed: number, op: OpName, at: number): Rng {
  return new Rng(seed, `fuzz/${op}/${at}`)
}

/** Draws a call; a backward op gets what its forward op gives on arguments of its own. */
export function drawCall(rng: Rng, op: OpName): Call {
  const forward = forwardOf(op)
  if (forward === null) return { op, args: drawArgs(rng, op), before: null }
  const first = acceptable(rng, forward)
  const results = asFloat64(first)
  runReference(forward, results)
  const rules = rulesOf(op)
  const given: Values = {}
  for (const [name, rule] of rules) {
    const value = results[name]
    if (value === undefined) continue
    const dropped = isBuffer(rule) && rule.nullable && rng.int(4) === 0
    if (!isWritten(rule)) given[name] = dropped ? null : asFloat32(value)
  }
  const fills = rules.filter(([, rule]) => isBuffer(rule) && rule.private === true).map(([name]) => name)
  const before = fills.length > 0 ? { op: forward, args: first, fills } : null
  return { op, args: drawArgs(rng, op, given), before }
}

/** Draws until no check refuses the call. */
function acceptable(rng: Rng, op: OpName): Values {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const args = drawArgs(rng, op)
    if (isAccepted(op, args)) return args
  }
  throw new Error(
    `No call of ${op} in a thousand passes its check: the signature says too little to draw one.`,
  )
}

/** Whether the check of the reference lets the call through. */
export function isAccepted(op: OpName, args: Values): boolean {
  try {
    checkArgs(op, args as unknown as OpArgs[OpName], ArrayBuffer.isView)
    return true
  } catch (error) {
    if ((error as { code?: string }).code !== 'INVALID_ARGUMENT') throw error
    return false
  }
}

/** Runs a call on arrays of its own and returns them. */
export async function perform({ op, args, before }: Call, run: Run): Promise<Values> {
  const own = copyOf(args)
  if (before !== null) {
    const first = copyOf(before.args)
    await run(before.op, first)
    for (const name of before.fills) own[name] = first[name]!
  }
  await run(op, own)
  return own
}

export function runReference(op: OpName, args: Values): void {
  oracle.run(op, args as unknown as OpArgs[OpName])
}

/** The same call with float64 arrays. */
export function inFloat64(call: Call): Call {
  return changed(call, asFloat64)
}

/** The same call with every float moved up or down by four roundings. */
export function moved(call: Call, rng: Rng): Call {
  const move = (x: number): number => x * (rng.int(2) === 0 ? 1 - 2 ** -22 : 1 + 2 ** -22)
  return changed(call, (args) => mapArrays(args, (array) => (isFloats(array) ? array.map(move) : array)))
}

function changed(call: Call, change: (args: Values) => Values): Call {
  const { args, before } = call
  return { ...call, args: change(args), before: before && { ...before, args: change(before.args) } }
}

export function copyOf(args: Values): Values {
  return mapArrays(args, (array) => array.slice())
}

function asFloat64(args: Values): Values {
  return mapArrays(args, (array) => (isFloats(array) ? Float64Array.from(array) : array.slice()))
}

function asFloat32(value: Values[string]): Values[string] {
  return value instanceof Float64Array ? Float32Array.from(value) : value
}

type AnyArray = Float32Array | Float64Array | Int32Array | Uint8Array

function isFloats(array: AnyArray): array is Float32Array | Float64Array {
  return array instanceof Float32Array || array instanceof Float64Array
}

function mapArrays(args: Values, change: (array: AnyArray) => AnyArray): Values {
  const entries = Object.entries(args)
  return Object.fromEntries(
    entries.map(([name, value]) => [name, ArrayBuffer.isView(value) ? change(value) : value]),
  )
}
