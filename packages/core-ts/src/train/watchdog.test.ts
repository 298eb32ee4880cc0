import { describe, expect, it } from 'vitest'
import { Rng } from '../base/rng.js'
import { checkFinite, CollapseMonitor, type CollapseSigns } from './watchdog.js'

const at = { step: 12, epoch: 1.5 }

describe('finite numbers', () => {
  it('pass; others stop the run with step, remedy and where the last checkpoint is', () => {
    checkFinite('loss', -1e30, at, null)
    expect(() => checkFinite('loss', NaN, at, 'runs/a')).toThrow(
      /loss became NaN at step 12 \(epoch 1\.50\).*Lower the learning rate.*last good checkpoint is kept in runs\/a/,
    )
    expect(() => checkFinite('gradient', -Infinity, at, null)).toThrow(
      /gradient became -Infinity.*No checkpoint was written/,
    )
    expect(() => checkFinite('loss', NaN, at, null)).toThrow(expect.objectContaining({ code: 'NUMERIC' }))
  })
})

function signs(vectors: number[][], rest: Partial<CollapseSigns> = {}): CollapseSigns {
  const unit = vectors.flatMap((vector) => vector.map((value) => value / Math.hypot(...vector)))
  return {
    vectors: Float32Array.from(unit),
    clips: vectors.length,
    zeroScores: 0,
    loss: 0.3,
    lossOfEqualScores: 1,
    ...rest,
  }
}

describe('collapse', () => {
  it('shows in spread and cosine of the clips', () => {
    const monitor = new CollapseMonitor()
    const healthy = monitor.epochEnd(
      signs([
        [1, 0],
        [0, 1],
        [-1, 0],
      ]),
    )
    expect(healthy.warnings).toEqual([])
    expect(healthy.values.clipCosine).toBeCloseTo(-1 / 3, 6)
    expect(healthy.values.clipSpread).toBeCloseTo(Math.sqrt(1 - (0 + 1 / 9)), 6)
    const collapsed = monitor.epochEnd(
      signs([
        [1, 0],
        [1, 1e-4],
        [1, -1e-4],
      ]),
    )
    expect(collapsed.warnings).toHaveLength(2)
    expect(collapsed.warnings.join()).toMatch(/hardly differ.*mean cosine of 1\.0000.*easier negatives/)
  })

  it('the mean cosine is that of all pairs', () => {
    const rng = new Rng(3)
    const vectors = Array.from({ length: 7 }, () => Array.from({ length: 5 }, () => rng.normal()))
    let sum = 0
    for (const [i, a] of vectors.entries()) {
      for (const [j, b] of vectors.entries()) {
        if (i !== j)
          sum +=
            a.reduce((product, value, k) => product + value * b[k]!, 0) / Math.hypot(...a) / Math.hypot(...b)
      }
    }
    expect(new CollapseMonitor().epochEnd(signs(vectors)).values.clipCosine).toBeCloseTo(sum / 42, 5)
  })

  it('shows in scores that are all 0', () => {
    const monitor = new CollapseMonitor()
    const apart = [
      [1, 0],
      [0, 1],
    ]
    expect(monitor.epochEnd(signs(apart, { zeroScores: 0.99 })).warnings).toEqual([])
    expect(monitor.epochEnd(signs(apart, { zeroScores: 1 })).warnings.join()).toMatch(
      /every clip–caption score is 0/,
    )
    expect(monitor.epochEnd(signs(apart, { zeroScores: null })).values).not.toHaveProperty('zeroScores')
  })

  it('shows in a loss that stays where equal scores put it', () => {
    const monitor = new CollapseMonitor({ epochs: 2 })
    const epoch = (loss: number) =>
      monitor.epochEnd(
        signs(
          [
            [1, 0],
            [0, 1],
          ],
          { loss },
        ),
      ).warnings
    expect(epoch(1.004)).toEqual([])
    expect(epoch(0.996).join()).toMatch(/for 2 epochs the loss stands at 0\.9960/)
    expect(epoch(0.9)).toEqual([])
    expect(epoch(1)).toEqual([])
  })

  it('says nothing about a single clip', () => {
    expect(new CollapseMonitor().epochEnd(signs([[1, 0]])).warnings).toEqual([])
  })
})
