import fc from 'fast-check'
import { expect, it } from 'vitest'
import { editDistance, nearest } from './nearest.js'

it('finds the name that was meant', () => {
  const names = ['captions', 'audio', 'split', 'sampleRate']
  expect(nearest('captoins', names)).toBe('captions')
  expect(nearest('sample_rate', names)).toBe('sampleRate')
  expect(nearest('Audio', names)).toBe('audio')
  expect(nearest('zebra', names)).toBeUndefined()
  expect(nearest('', names)).toBeUndefined()
})

it('edit distance is a symmetric distance that counts known edits', () => {
  expect(editDistance('kitten', 'sitting')).toBe(3)
  expect(editDistance('ab', 'ba')).toBe(1)
  expect(editDistance('', 'abc')).toBe(3)
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      const distance = editDistance(a, b)
      expect(distance).toBe(editDistance(b, a))
      expect(distance === 0).toBe(a === b)
      expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length))
      expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length))
    }),
  )
})
