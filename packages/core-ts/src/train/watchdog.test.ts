import { describe, expect, it } from 'vitest'
import { Rng } from '../base/rng.js'
import {
  checkFinite,
  checkValidationLoss,
  CollapseMonitor,
  type CollapseSigns,
  type CollapseState,
} from './watchdog.js'

const at = { step: 12, epoch: 1.5 }

describe('finite numbers', () => {
  it('pass; others stop the run with step and remedy', () => {
    checkFinite('loss', -1e30, at)
    expect(() => checkFinite('loss', NaN, at)).toThrow(
      /loss became NaN at step 12 \(epoch 1\.50\); the step was not taken.*Lower the learning rate/,
    )
    expect(() => checkFinite('gradient', -Infinity, at)).toThrow(/gradient became -Infinity/)
    expect(() => checkFinite('loss', NaN, at)).toThrow(expect.objectContaining({ code: 'NUMERIC' }))
    expect(() => checkValidationLoss(NaN, { step: 12, epoch: 3 })).toThrow(
      /validation loss is NaN after step 12 \(epoch 3\): the model as trained so far/,
    )
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
    const monitor = new CollapseMonitor({ easier: 'easier negatives (random)' })
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
    expect(collapsed.warnings.join()).toMatch(
      /hardly differ.*mean cosine of 1\.0000.*Try easier negatives \(random\) or a lower/,
    )
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
    expect(epoch(0.996).join()).toMatch(
      /for 2 epochs the loss stands at 0\.9960.*\. Try a lower learning rate\.$/,
    )
    expect(epoch(0.9)).toEqual([])
    expect(epoch(1)).toEqual([])
  })

  it('is not cried while a number gets better, nor where the loss does not tell', () => {
    const apart = [
      [1, 0],
      [0, 1],
    ]
    const together = [
      [1, 0],
      [1, 1e-4],
    ]
    const monitor = new CollapseMonitor({ epochs: 2 })
    monitor.start(signs(together, { loss: 1, quality: { mAP: 0.05 } }))
    const epoch = (vectors: number[][], mAP: number, rest: Partial<CollapseSigns> = {}) =>
      monitor.epochEnd(signs(vectors, { loss: 1, quality: { mAP }, ...rest })).warnings.length
    expect([0.1, 0.2, 0.3].map((mAP) => epoch(together, mAP))).toEqual([0, 0, 0])
    // 0.3002 is no more than noise above 0.3.
    expect([0.3002, 0.3].map((mAP) => epoch(apart, mAP))).toEqual([0, 1])
    expect(epoch(together, 0.3)).toBe(3)
    const again = new CollapseMonitor({ epochs: 2 })
    again.restore(JSON.parse(JSON.stringify(monitor.state())) as CollapseState)
    expect(again.epochEnd(signs(apart, { loss: 1, quality: { mAP: 0.3 } })).warnings).toHaveLength(1)
    expect(epoch(apart, 0.3, { lossOfEqualScores: null })).toBe(0)
  })

  it('says nothing about a single clip', () => {
    expect(new CollapseMonitor().epochEnd(signs([[1, 0]])).warnings).toEqual([])
  })
})
