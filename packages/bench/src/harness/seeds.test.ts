import { expect, it } from 'vitest'
import { halfWidth, meanText } from './seeds.js'

it('the interval over seeds is that of Student’s t, however many there are', () => {
  // −1 and 1 in turn: the deviation is √(n / (n − 1)).
  const turns = (n: number) => Array.from({ length: n }, (_, i) => (i % 2 === 0 ? 1 : -1))
  // Quantiles of published tables, 1, 5, 9 and 29 degrees of freedom.
  for (const [n, t] of [
    [2, 12.7062],
    [6, 2.5706],
    [10, 2.2622],
    [30, 2.0452],
  ] as const)
    expect(halfWidth(turns(n))).toBeCloseTo(t / Math.sqrt(n - 1), 4)
  expect(meanText([0.5])).toBe('0.500')
  expect(meanText([0.4, 0.6])).toBe('0.500 ± 1.271')
})
