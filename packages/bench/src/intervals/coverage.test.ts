import { describe, expect, test } from 'vitest'
import { coverage, targets } from './coverage.js'

// Seeded, so that the numbers stay. 700 test sets have a standard error of 0.008 themselves: 0.92 to 0.98 is what 0.95 may look like here;
// docs/results/intervals.md has more of them.
const rounds = 700
const settings = [
  { clips: 30, captions: [5], m: 2 },
  { clips: 30, captions: [1, 3, 5, 7, 9], m: 3 },
  { clips: 200, captions: [5], m: 3 },
]
describe.each(settings)('coverage with $clips clips of $captions captions', (setting) => {
  test.each([
    ['no', 0],
    ['a moderate', 0.17],
    ['a strong', 0.36],
  ])('%s clip effect', (_, clipEffect) => {
    const found = coverage({ ...setting, clipEffect }, ['by query', 'by clip'], rounds, 1)
    for (const { name } of targets) {
      const { 'by clip': byClip, 'by query': byQuery } = found.get(name)!
      expect(byClip, name).toBeGreaterThanOrEqual(0.92)
      // Order statistics are whole ranks: the interval of a median cannot be shorter than they allow.
      expect(byClip, name).toBeLessThanOrEqual(name === 'medR' ? 1 : 0.98)
      if (clipEffect > 0.3 && name !== 'medR') expect(byQuery, name).toBeLessThan(0.88)
    }
  })
})
