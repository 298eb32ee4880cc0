import { expected } from '../../base/index.js'

/**
 * p values adjusted for being several (Holm 1979): with those below α called differences, the chance of even one false call is at most α,
 * however the comparisons depend on each other. In the order given. Throws INVALID_ARGUMENT unless each is in [0, 1].
 */
export function holm(p: readonly number[]): number[] {
  const order = p.map((value, i) => {
    if (!(value >= 0 && value <= 1)) throw expected('a number from 0 to 1', `p[${i}]`, value)
    return i
  })
  order.sort((a, b) => p[a]! - p[b]!)
  const adjusted = new Array<number>(p.length)
  let most = 0
  order.forEach((i, rank) => {
    most = Math.max(most, Math.min(1, (p.length - rank) * p[i]!))
    adjusted[i] = most
  })
  return adjusted
}
