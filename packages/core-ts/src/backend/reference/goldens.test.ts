import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { lcg } from '../../testing/small-batch.js'
import type { HostArray, OpArgs, OpName } from '../port.js'
import { signatures } from '../signatures.js'
import { referenceBackend } from './index.js'

/** Made by tools/golden/ops.py with PyTorch, NumPy and scikit-learn in float64. */
interface Golden {
  op: OpName
  name: string
  args: Record<string, number | null | Encoded>
  wanted: Record<string, number[]>
}

type Encoded =
  | { lcg: [length: number, seed: number, scale: number, offset: number] }
  | { values: number[] }
  | { ints: number[] }
  | { bytes: number[] }
  | { blank: number }

type Values = Record<string, number | null | HostArray | Int32Array | Uint8Array>

const file = new URL('../../../test-data/ops/ops.json', import.meta.url)
const { goldens } = JSON.parse(readFileSync(file, 'utf8')) as { goldens: Golden[] }
const backend = referenceBackend({ precision: 'float64' })

describe.each(goldens)('$op, $name', ({ op, args, wanted }) => {
  const own = decode(args)
  if (op === 'gru_backward') run('gru', own)
  run(op, own)

  test.each(Object.entries(wanted))('%s', (name, values) => {
    const got = own[name] as HostArray
    expect(got.length).toBe(values.length)
    const largest = Math.max(...values.map(Math.abs))
    values.forEach((value, i) => {
      // JSON has no infinity: the maker writes -1e308 for it.
      const error = value === -1e308 ? (got[i] === -Infinity ? 0 : 1) : Math.abs(got[i]! - value)
      expect(error, `element ${i} is ${got[i]}, expected ${value}`).toBeLessThanOrEqual(
        1e-11 * Math.max(largest, 1e-3),
      )
    })
  })
})

test('goldens cover every op and every output', () => {
  const unseen = Object.entries(signatures).flatMap(([op, signature]) =>
    Object.entries(signature as Record<string, { direction?: string }>)
      .filter(([name, { direction }]) => (direction === 'out' || direction === 'inout') && name !== 'saved')
      .filter(([name]) => !goldens.some((golden) => golden.op === op && name in golden.wanted))
      .map(([name]) => `${op}.${name}`),
  )
  expect(unseen).toEqual([])
})

/** Runs an op on those of the values that are its arguments: a golden of gru_backward has those of gru too. */
function run<K extends OpName>(op: K, values: Values): void {
  const args = Object.keys(signatures[op]).map((name) => [name, values[name]])
  backend.run(op, Object.fromEntries(args) as unknown as OpArgs[K])
}

function decode(args: Golden['args']): Values {
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => {
      if (value === null || typeof value === 'number') return [name, value]
      if ('ints' in value) return [name, Int32Array.from(value.ints)]
      if ('bytes' in value) return [name, Uint8Array.from(value.bytes)]
      if ('values' in value) return [name, Float64Array.from(value.values)]
      if ('blank' in value) return [name, new Float64Array(value.blank).fill(Number.NaN)]
      const [length, seed, scale, offset] = value.lcg
      return [name, lcg(seed, length).map((v) => offset + scale * v)]
    }),
  )
}
