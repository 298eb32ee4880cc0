import type { OpName } from '../../backend/port.js'
import type { NumberRule } from '../../backend/rules.js'
import type { Rng } from '../../base/rng.js'
import { isBuffer, requirementsOf, rulesOf, type Values } from './rules.js'

/** Extents at which vector code turns wrong: none, one, around widths and tiles, past a block. */
const small = [1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9]
const edges = [13, 14, 15, 16, 17, 19, 20, 31, 32, 33, 47, 48, 49, 63, 64, 65, 100, 127, 128, 129]
const large = [255, 256, 257, 300, 511, 512, 513, 640, 1000, 1025]
const reals = [1, 0.5, 0.1, 0.25, 0.9, 2, 0, -0.5, -1]

/** Products of all extents, about the work of a call: most calls are small, so that there are many. */
const work = { most: 20_000, few: 400_000 }

/**
 * Numbers that are 0 in no call, or its result is all rounding: eps and offset keep others from being divided by nothing, and
 * without beta1 a small gradient is what is left of a large moment that was subtracted from itself.
 */
const never0: Readonly<Record<string, readonly number[]>> = {
  eps: [1e-5, 1e-3],
  offset: [1e-3, 0.1],
  beta1: [0.9, 0.5, 0.1],
}

/** Adds the numbers of an op to the arguments that are known already. */
export function drawNumbers(rng: Rng, op: OpName, args: Values): void {
  const numbers = rulesOf(op).filter((entry): entry is [string, NumberRule] => !isBuffer(entry[1]))
  const drawn = new Map(numbers.filter(([name]) => !Object.hasOwn(args, name)))
  for (const [name, rule] of drawn) args[name] = drawNumber(rng, op, name, rule)
  const extents = [...drawn].filter(([name]) => isExtent(op, name))
  for (const [name, { holds }] of extents) if (args[name] === 0 && holds(1) && rng.int(8) > 0) args[name] = 1
  limitWork(rng, extents, args)
  if (rng.int(10) === 0) return // what does not fit together stays so
  for (const { argument, holds } of requirementsOf(op)) {
    const rule = drawn.get(argument)
    for (let attempt = 0; rule !== undefined && attempt < 50 && !isMet(holds, args); attempt++) {
      const fitting = isExtent(op, argument)
        ? small.filter(rule.holds)
        : [drawNumber(rng, op, argument, rule)]
      args[argument] = rng.pick(fitting)
    }
  }
}

function drawNumber(
  rng: Rng,
  op: OpName,
  name: string,
  { integer, choices, max, holds }: NumberRule,
): number {
  if (choices !== undefined) return rng.pick(choices)
  if (!integer) return rng.pick((never0[name] ?? reals).filter(holds))
  const farthest = max !== undefined && !isExtent(op, name) ? [max] : [0]
  const pool = rng.pick([small, small, small, small, small, small, edges, edges, edges, large])
  return rng.pick([...pool, ...farthest, 0].filter(holds))
}

/** Makes extents smaller until the work of the call is bounded. */
function limitWork(rng: Rng, extents: readonly [string, NumberRule][], args: Values): void {
  const most = rng.int(10) > 0 ? work.most : work.few
  const product = (): number =>
    extents.reduce((total, [name]) => total * Math.max(1, args[name] as number), 1)
  while (product() > most) {
    const [name, { holds }] = rng.pick(extents.filter(([name]) => (args[name] as number) > 3))
    args[name] = rng.pick([1, 2, 3].filter(holds))
  }
}

/** Whether the length of a buffer depends on this number. */
function isExtent(op: OpName, name: string): boolean {
  const rules = rulesOf(op)
  const sizes = (value: number): string => {
    const args: Values = Object.fromEntries(
      rules.map(([name, rule]) => [name, isBuffer(rule) ? new Int32Array(3) : 2]),
    )
    args[name] = value
    return rules.map(([, rule]) => (isBuffer(rule) ? rule.size(args) : '')).join()
  }
  return sizes(2) !== sizes(4)
}

/** A requirement that looks at buffers, which are drawn later, counts as met. */
function isMet(holds: (args: Values) => boolean, args: Values): boolean {
  try {
    return holds(args)
  } catch (error) {
    if (error instanceof TypeError) return true
    throw error
  }
}
