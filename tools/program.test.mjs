import { expect, it } from 'vitest'
import { missing } from './program.mjs'

it('a missing program is a reason to skip, and a failure in CI', () => {
  const { PATH } = process.env
  expect(missing('node', { PATH })).toBe(null)
  expect(missing('node', { PATH, CI: 'true' })).toBe(null)
  expect(missing('no-such-program', { PATH })).toBe('there is no no-such-program on this machine')
  expect(() => missing('no-such-program', { PATH, CI: 'true' })).toThrow('tools/ci-packages.txt')
})
