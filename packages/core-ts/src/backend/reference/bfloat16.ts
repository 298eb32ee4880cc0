import type { HostArray, OpArgs, OpName } from '../port.js'

const float = new Float32Array(1)
const bits = new Uint32Array(float.buffer)

/**
 * The bfloat16 number (the upper half of a float32) nearest to the float32 of x, of ties the even one. Denormals become 0; from
 * 2¹²⁸ − 2¹¹⁹ on it is infinite.
 */
export function toBfloat16(x: number): number {
  float[0] = x
  const word = bits[0]!
  const magnitude = word & 0x7fffffff
  if (magnitude > 0x7f800000) return NaN
  bits[0] = magnitude < 0x00800000 ? word & 0x80000000 : (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000
  return float[0]
}

/** Operands of products that a CPU device opened for bf16 rounds. */
const rounded: Partial<Record<OpName, readonly string[]>> = { frame_score: ['frames', 'words'] }

/** The arguments with rounded copies of those operands. */
export function withRoundedOperands<K extends OpName>(op: K, args: OpArgs[K]): OpArgs[K] {
  const names = rounded[op] ?? []
  const copies = names.map((name) => {
    const values = (args as unknown as Record<string, HostArray>)[name]!
    return [name, values.map(toBfloat16)] as const
  })
  return { ...args, ...Object.fromEntries(copies) }
}
