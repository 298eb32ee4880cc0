import type { BufferRule, NumberRule, OpArgs, OpName } from '@sonotext/core/backend'
import { requirements, signatures } from '@sonotext/core/backend'
import type { KernelRow } from './kernel-rows.js'

type Rule = BufferRule<never> | NumberRule
type Args = Record<string, unknown>

/** Fills what is not given of an op's arguments: numbers in their ranges, integers in theirs, everything else from `draw`. */
export function completed<K extends OpName>(
  op: K,
  given: Partial<OpArgs[K]>,
  draw: (length: number) => Float32Array,
  extent = 32,
): OpArgs[K] {
  const args: Args = { ...given }
  const rules = Object.entries<Rule>(signatures[op]).filter(([name]) => !(name in args))
  for (const [name, rule] of rules) if (rule.kind === 'number') args[name] = numberOf(rule, extent)
  // What nothing fixes the length of comes first: other lengths follow from it.
  const buffers = rules.flatMap(([name, rule]) => (rule.kind === 'number' ? [] : [[name, rule] as const]))
  for (const free of [true, false]) {
    for (const [name, rule] of buffers) {
      if ((rule.free === true) !== free) continue
      const length = free ? extent + 1 : (rule.size as (known: unknown) => number)(args)
      args[name] =
        rule.kind === 'float'
          ? draw(length)
          : rule.kind === 'bytes'
            ? bytes(length)
            : integers(rule, length, args)
    }
  }
  return args as unknown as OpArgs[K]
}

/** Elements of the buffers of one drawn call, at most. */
const most = 1 << 18

/** The call of an op that nobody wrote a row for: as its signature states it, of a medium size. */
export function drawnRow(op: OpName, draw: (length: number) => Float32Array): KernelRow | string {
  for (const extent of [64, 32, 16, 7, 4, 2, 1]) {
    let total = 0
    completed(op, {}, (length) => ((total += length), empty), extent)
    if (total > most) continue
    const args = completed(op, {}, draw, extent)
    const unmet = (requirements[op] ?? []).filter(({ holds }) => !(holds as (args: unknown) => boolean)(args))
    if (unmet.length === 0) return rowOf(op, args)
  }
  return `no call of ${op} follows from its signature: write a row for it in rows/every-op.ts`
}

const empty = new Float32Array(0)

/** What moves counts as its operations. */
export function rowOf<K extends OpName>(op: K, args: OpArgs[K]): KernelRow<K> {
  const sizes = Object.values(args).map((value) => (ArrayBuffer.isView(value) ? value.byteLength / 4 : 0))
  const operations = sizes.reduce((sum, size) => sum + size, 0)
  return { op, shape: `${operations} values in and out`, operations, args }
}

function numberOf(
  { choices, integer, min = -Infinity, max = Infinity, below = Infinity }: NumberRule,
  extent: number,
) {
  if (choices !== undefined) return choices[0]!
  if (integer) return Math.min(Math.max(extent, min), max)
  return Math.min(Math.max(0.5, min), Math.min(max, below / 2))
}

/** As those of a file: no pattern of theirs is as long as a sample. */
export function bytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7919) % 251)
}

function integers(rule: BufferRule<never>, length: number, args: Args): Int32Array {
  if (rule.offsets !== undefined) {
    const total = (args[rule.offsets.over] as ArrayLike<number> | undefined)?.length ?? 0
    return Int32Array.from({ length }, (_, i) => Math.floor((i * total) / Math.max(1, length - 1)))
  }
  const [low, high] =
    rule.range === undefined ? [0, 6] : (rule.range as (known: unknown) => [number, number])(args)
  return Int32Array.from({ length }, (_, i) => low + ((i * 7919) % Math.max(1, high - low + 1)))
}
