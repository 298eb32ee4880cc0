import { expect, test } from 'vitest'
import { stolenSeconds } from './busy.js'

test('time that the host gave to others is read where Linux tells it', () => {
  const line = 'cpu  11482098 991570 1641024 1278125 46294 0 20270 147513 0 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n'
  expect(stolenSeconds(() => line)).toBe(1475.13)
  expect(stolenSeconds(() => 'cpu  1 2 3 4\n')).toBe(0)
  const absent = (): string => {
    throw new Error('ENOENT')
  }
  expect(stolenSeconds(absent)).toBe(0)
})
