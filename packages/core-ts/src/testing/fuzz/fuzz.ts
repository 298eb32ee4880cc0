import type { Backend, OpArgs, OpName } from '../../backend/port.js'
import { signatures } from '../../backend/signatures.js'
import { difference } from '../check-case.js'
import { tolerance } from '../tolerance.js'
import {
  type Call,
  copyOf,
  drawCall,
  inFloat64,
  isAccepted,
  moved,
  perform,
  type Run,
  runReference,
  streamOf,
} from './call.js'
import { decides } from './draw-args.js'
import { isWritten, rulesOf, type Values } from './rules.js'
import { spoil } from './spoil.js'

export interface FuzzOptions {
  readonly seed: number
  /** How many calls are drawn, over all ops in turn. */
  readonly calls: number
  /** These ops alone. */
  readonly only?: readonly OpName[] | undefined
  /** This call of every op alone. */
  readonly at?: number | undefined
  /** The backends that must agree with the reference, by the names of their instruction sets. */
  readonly backends: ReadonlyMap<string, Backend>
  /** What they must agree with. Default the reference in float64. */
  readonly reference?: Run
  readonly threads: readonly number[]
  readonly setThreads: (count: number) => void
  /** Called before each call, so that it is known when the process dies of one. */
  readonly onCall?: (op: OpName, at: number) => void
}

export interface FuzzReport {
  /** Calls that were compared; each ran once per backend and number of threads. */
  readonly compared: number
  readonly runs: number
  /** Drawn calls, and calls with a fault put in, that reference and backends refused alike. */
  readonly refused: number
  readonly spoiled: number
  /** Ops of which no call was compared. */
  readonly untouched: readonly OpName[]
  readonly problems: readonly FuzzProblem[]
}

export interface FuzzProblem {
  readonly op: OpName
  readonly at: number
  readonly what: string
}

/** After so many problems the rest says nothing new. */
const enough = 20

/**
 * Random calls of every op: on every backend within the op's tolerance of the float64 reference, with the same bits on any
 * number of threads; and the same calls with a fault put in, which must be refused by all alike and write nothing.
 */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { seed, calls, only, at, onCall } = options
  const ops = only ?? (Object.keys(signatures) as OpName[])
  const compared = new Map<OpName, number>(ops.map((op) => [op, 0]))
  const total = { runs: 0, refused: 0, spoiled: 0 }
  const problems: FuzzProblem[] = []
  for (let i = 0; i < (at === undefined ? calls : ops.length) && problems.length < enough; i++) {
    const op = ops[i % ops.length]!
    const index = at ?? Math.floor(i / ops.length)
    onCall?.(op, index)
    const rng = streamOf(seed, op, index)
    const found = (what: string): void =>
      void problems.push({ op, at: index, what: `${what}; ${describe(call.args)}` })
    const call = drawCall(rng, op)
    if (isAccepted(op, call.args)) {
      total.runs += await compare(call, options, found)
      compared.set(op, compared.get(op)! + 1)
    } else {
      await expectRefusal(call.op, call.args, 'a drawn call that the reference refuses', options, found)
      total.refused++
      continue
    }
    const spoiled = spoil(rng, op, call.args)
    if (spoiled === null) continue
    total.spoiled++
    if (isAccepted(op, spoiled.args)) {
      if (spoiled.refused) found(`${spoiled.what}: the reference accepts it`)
      else await expectAgreement(op, spoiled.args, spoiled.what, options, found)
    } else {
      await expectRefusal(op, spoiled.args, spoiled.what, options, found)
      total.refused++
    }
  }
  const untouched =
    at === undefined ? ops.filter((op) => calls >= 10 * ops.length && compared.get(op) === 0) : []
  return { compared: [...compared.values()].reduce((a, b) => a + b, 0), ...total, untouched, problems }
}

type Found = (what: string) => void

/** Runs a call everywhere; returns how many runs that were. */
async function compare(
  call: Call,
  { seed, backends, reference = runReference, threads, setThreads }: FuzzOptions,
  found: Found,
): Promise<number> {
  const { op } = call
  const outputs = rulesOf(op).flatMap(([name, rule]) =>
    isWritten(rule) && call.args[name] !== null ? [[name, rule] as const] : [],
  )
  const wanted = await perform(inFloat64(call), reference)
  let distances: ReadonlyMap<string, number> | undefined
  const farther = async (name: string): Promise<number> => {
    distances ??= decides(op) ? new Map() : await distancesOf(call, wanted, seed, reference)
    return distances.get(name) ?? 0
  }
  let runs = 0
  for (const [isa, backend] of backends) {
    let first: Values | undefined
    for (const count of threads) {
      setThreads(count)
      let got: Values
      try {
        // Both ways into the addon: the calling thread's, and the one off it.
        const asynchronous = count === threads.at(-1)
        got = await perform(call, (op, args) =>
          asynchronous ? backend.runAsync(op, typed(args)) : backend.run(op, typed(args)),
        )
      } catch (error) {
        found(`${isa} on ${count} threads: ${String(error)}`)
        return runs
      }
      runs++
      for (const [name, rule] of outputs) {
        const values = got[name] as Float32Array | Int32Array
        const differs = (scale: number) => difference(op, wanted[name] as Float64Array, values, scale)
        let problem: string | null = null
        if (first !== undefined) problem = unequalBits(values, first[name] as Float32Array | Int32Array)
        else if (!rule.private) {
          const scale = terms[op]?.(call.args, name) ?? 0
          problem = differs(scale) && differs(Math.max(scale, scaleOf(op, await farther(name))))
        }
        if (problem !== null) found(`${isa} on ${count} threads, ${name}: ${problem}`)
      }
      first ??= got
    }
  }
  return runs
}

async function expectRefusal(
  op: OpName,
  args: Values,
  what: string,
  { backends }: FuzzOptions,
  found: Found,
): Promise<void> {
  const before = copyOf(args)
  for (const [isa, backend] of backends) {
    try {
      backend.run(op, typed(args))
      found(`${isa} accepts ${what}, the reference refuses it`)
      continue
    } catch (error) {
      const { code } = error as { code?: string }
      if (code !== 'INVALID_ARGUMENT')
        found(`${isa} on ${what}: expected INVALID_ARGUMENT, got ${String(error)}`)
    }
    for (const [name, value] of Object.entries(before)) {
      if (!ArrayBuffer.isView(value)) continue
      const problem = unequalBits(args[name] as Float32Array, value as Float32Array)
      if (problem !== null) found(`${isa} refuses ${what} but has written to ${name}: ${problem}`)
    }
  }
}

async function expectAgreement(
  op: OpName,
  args: Values,
  what: string,
  { backends }: FuzzOptions,
  found: Found,
): Promise<void> {
  for (const [isa, backend] of backends) {
    try {
      backend.run(op, typed(copyOf(args)))
    } catch (error) {
      found(`${isa} refuses ${what}, the reference accepts it: ${String(error)}`)
    }
  }
}

function typed(args: Values): OpArgs[OpName] {
  return args as unknown as OpArgs[OpName]
}

function unequalBits(a: Float32Array | Int32Array, b: Float32Array | Int32Array): string | null {
  const bits = (array: ArrayBufferView): Buffer =>
    Buffer.from(array.buffer, array.byteOffset, array.byteLength)
  if (bits(a).equals(bits(b))) return null
  const at = a.findIndex((value, i) => !Object.is(value, b[i]))
  return `element ${at} of ${a.length} is ${a[at]} and was ${b[at]}`
}

/** Size of what a result is the difference of, where no change of the inputs shows it. */
const terms: { readonly [K in OpName]?: (args: Values, output: string) => number } = {
  // softmax minus target: equal where every clip is of one group and no cosine stands out
  info_nce({ n, d, audio, text, logTemperature }, output) {
    // Scores that are given are products with the identity.
    const [a, t] = [largest(audio as Float32Array), text === null ? 1 : largest(text as Float32Array)]
    if (output !== 'gradLogTemperature') return Math.max(a, t) / (n as number)
    return (a * t * Math.sqrt(d as number)) / Math.exp((logTemperature as Float32Array)[0]!)
  },
}

/**
 * How far the reference's results move when its inputs differ by a few roundings: large where sums cancel or recurrences
 * amplify. The farthest of some moves: a single one may happen to leave a result where it is.
 */
async function distancesOf(
  call: Call,
  wanted: Values,
  seed: number,
  reference: Run,
): Promise<Map<string, number>> {
  const distances = new Map<string, number>()
  for (let move = 1; move <= 4; move++) {
    const shaken = await perform(moved(inFloat64(call), streamOf(seed, call.op, -move)), reference)
    for (const [name, rule] of rulesOf(call.op)) {
      if (!isWritten(rule) || rule.kind !== 'float' || call.args[name] === null) continue
      const values = shaken[name] as Float64Array
      const distance = largest((wanted[name] as Float64Array).map((value, i) => value - values[i]!))
      distances.set(name, Math.max(distance, distances.get(name) ?? 0))
    }
  }
  return distances
}

/** The scale at which the absolute tolerance lets a backend be eight times as far off. */
function scaleOf(op: OpName, distance: number): number {
  const { absolute } = tolerance[op]
  return absolute === 0 ? 0 : (8 * distance) / absolute
}

function largest(values: Float32Array | Float64Array): number {
  let most = 0
  for (const value of values) if (Number.isFinite(value)) most = Math.max(most, Math.abs(value))
  return most
}

/** The numbers of a call, and which buffers it has. */
function describe(args: Values): string {
  const parts = Object.entries(args).map(
    ([name, value]) => `${name} ${ArrayBuffer.isView(value) ? `[${(value as Float32Array).length}]` : value}`,
  )
  return parts.join(', ')
}
