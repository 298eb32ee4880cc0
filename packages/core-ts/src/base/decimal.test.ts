import { expect, it } from 'vitest'
import { decimalNumber, decimalRemedy } from './decimal.js'

it('reads decimal notation and nothing else', () => {
  for (const [text, value] of [
    ['1', 1],
    ['-0.5', -0.5],
    ['+.5e-1', 0.05],
    ['3.', 3],
    ['2E3', 2000],
  ] as const)
    expect(decimalNumber(text)).toBe(value)
  for (const text of ['', ' ', '0x1F', '0b1', 'Infinity', '-Infinity', 'NaN', '1,5', '1e999', '1_0', '١'])
    expect(decimalNumber(text)).toBeUndefined()
  expect(decimalRemedy('0,5')).toContain('decimal comma: 0.5.')
  expect(decimalRemedy('0x1F')).toContain('decimal notation')
})
