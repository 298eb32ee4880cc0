import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Rng } from '../base/rng.js'
import { atOnce } from '../base/turn.js'
import { multiply, multiplyTransposed, sparseFromRows } from './sparse.js'
import { symmetricEigen, truncatedSvd } from './truncated-svd.js'

/** A random sparse matrix and the same as rows of numbers. */
function random(rows: number, cols: number, density: number, seed: number) {
  const rng = new Rng(seed, 'matrix')
  const maps = Array.from({ length: rows }, () => {
    const map = new Map<number, number>()
    for (let c = cols - 1; c >= 0; c--) if (rng.uniform() < density) map.set(c, rng.normal())
    return map
  })
  const dense = maps.map((map) => Array.from({ length: cols }, (_, c) => map.get(c) ?? 0))
  return { sparse: sparseFromRows(maps, cols), dense }
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, x, i) => sum + x * b[i]!, 0)

it('sparse products equal dense ones', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 7 }),
      fc.integer({ min: 1, max: 7 }),
      fc.nat(99),
      (rows, cols, seed) => {
        const { sparse, dense } = random(rows, cols, 0.5, seed)
        const x = Float64Array.from({ length: cols }, (_, i) => i + 1)
        const y = Float64Array.from({ length: rows }, (_, i) => i - 2)
        const out = new Float64Array(rows)
        multiply(sparse, x, out)
        dense.forEach((r, i) => expect(out[i]).toBeCloseTo(dot(r, x), 10))
        const transposed = new Float64Array(cols).fill(7)
        multiplyTransposed(sparse, y, transposed)
        for (let c = 0; c < cols; c++)
          expect(transposed[c]).toBeCloseTo(
            dot(
              dense.map((r) => r[c]!),
              y,
            ),
            10,
          )
      },
    ),
  )
})

describe('symmetricEigen', () => {
  it('turns back into the matrix, with unit vectors at right angles', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.nat(999), (n, seed) => {
        const { dense } = random(n, n, 0.7, seed)
        const a = dense.map((r, i) => Float64Array.from(r, (x, j) => x + dense[j]![i]!))
        const { values, vectors } = atOnce(symmetricEigen(a.map((r) => r.slice())))
        for (let i = 0; i < n; i++) {
          if (i > 0) expect(values[i]!).toBeLessThanOrEqual(values[i - 1]!)
          for (let j = 0; j < n; j++) {
            expect(dot(vectors[i]!, vectors[j]!)).toBeCloseTo(i === j ? 1 : 0, 10)
            const back = values.reduce((sum, value, k) => sum + value * vectors[k]![i]! * vectors[k]![j]!, 0)
            expect(back).toBeCloseTo(a[i]![j]!, 9)
          }
        }
      }),
    )
  })
})

describe('truncatedSvd', () => {
  it('finds the singular values and left vectors of a small matrix exactly', async () => {
    const { sparse, dense } = random(9, 6, 0.6, 4)
    const { singularValues, left } = await truncatedSvd(sparse, 6, new Rng(1))
    const gram = dense.map((a) => Float64Array.from(dense, (b) => dot(a, b)))
    const { values } = atOnce(symmetricEigen(gram.map((r) => r.slice())))
    expect(singularValues).toHaveLength(6)
    singularValues.forEach((s, i) => expect(s).toBeCloseTo(Math.sqrt(values[i]!), 8))
    left.forEach((u, i) => {
      expect(dot(u, u)).toBeCloseTo(1, 8)
      // M·Mᵀ·u = σ²·u
      gram.forEach((r, k) => expect(dot(r, u)).toBeCloseTo(singularValues[i]! ** 2 * u[k]!, 7))
    })
  })

  it('finds the leading part of a larger one, and no more than its rank', async () => {
    const rng = new Rng(8)
    const [rows, cols, rank] = [120, 90, 7]
    const left = Array.from({ length: rank }, () => Array.from({ length: rows }, () => rng.normal()))
    const right = Array.from({ length: rank }, () => Array.from({ length: cols }, () => rng.normal()))
    const maps = Array.from({ length: rows }, (_, r) => {
      const cells = Array.from({ length: cols }, (_, c): [number, number] => [
        c,
        left.reduce((sum, u, k) => sum + 2 ** -k * u[r]! * right[k]![c]!, 0),
      ])
      return new Map(cells)
    })
    const sparse = sparseFromRows(maps, cols)
    const few = await truncatedSvd(sparse, 3, new Rng(1))
    const all = await truncatedSvd(sparse, 40, new Rng(2))
    expect(few.singularValues).toHaveLength(3)
    expect(all.singularValues).toHaveLength(rank)
    few.singularValues.forEach((s, i) => expect(s / all.singularValues[i]!).toBeCloseTo(1, 8))
    few.left.forEach((u, i) => expect(Math.abs(dot(u, all.left[i]!))).toBeCloseTo(1, 6))
  })

  it('of a single cell is that cell', async () => {
    const { singularValues, left } = await truncatedSvd(
      sparseFromRows([new Map(), new Map([[1, -3]])], 2),
      2,
      new Rng(1),
    )
    expect([...singularValues]).toEqual([3])
    expect(left.map((u) => [...u].map(Math.abs))).toEqual([[0, 1]])
  })

  it('of a zero matrix is nothing', async () => {
    expect((await truncatedSvd(sparseFromRows([new Map(), new Map()], 2), 2, new Rng(1))).left).toEqual([])
  })
})
