import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { patience, stagnation } from './early-stopping.js'
import { constant, cosine, plateau, type PlateauOptions } from './schedules.js'

/** Rates that a plateau gives before each epoch of a metric's history. */
function rates(
  options: PlateauOptions,
  base: number,
  metrics: readonly number[],
  mode: 'min' | 'max' = 'min',
): number[] {
  const running = plateau(options).start({ base, epochs: metrics.length, mode })
  return metrics.map((metric, epoch) => {
    const rate = running.rate(epoch)
    running.epochEnd(metric)
    return rate
  })
}

describe('plateau', () => {
  // Histories and rates recorded from torch.optim.lr_scheduler.ReduceLROnPlateau (2.13).
  it.each([
    {
      options: { factor: 0.5, patience: 1, threshold: 0.1, thresholdMode: 'relative' as const },
      metrics: [1, 0.95, 0.89, 0.85, 0.82, 0.8, 0.5, 0.5, 0.5, 0.5, NaN, 0.1],
      mode: 'min' as const,
      rates: [1, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125],
    },
    {
      options: {
        factor: 0.1,
        patience: 0,
        threshold: 0.05,
        thresholdMode: 'absolute' as const,
        minLr: 0.02,
        cooldown: 2,
      },
      metrics: [1, 0.96, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9],
      mode: 'min' as const,
      rates: [1, 1, 0.1, 0.1, 0.1, 0.02, 0.02, 0.02],
    },
    {
      options: { factor: 0.5, patience: 1, threshold: 0 },
      mode: 'max' as const,
      metrics: [0.1, 0.2, 0.2, 0.1, 0.3, 0.3, 0.3],
      rates: [1, 1, 1, 1, 0.5, 0.5, 0.5],
    },
  ])('follows PyTorch: $options', ({ options, mode, metrics, rates: wanted }) => {
    expect(rates(options, 1, metrics, mode)).toEqual(wanted)
  })

  it('ignores a reduction that would change nothing', () => {
    expect(rates({ patience: 0, factor: 0.5 }, 1e-8, [1, 1, 1, 1]).at(-1)).toBe(1e-8)
  })

  it('goes on after a restore as if never interrupted', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1 }),
        fc.nat(),
        (metrics, at) => {
          const cut = at % metrics.length
          const options: PlateauOptions = { patience: 1, cooldown: 1, factor: 0.5 }
          const first = plateau(options).start({ base: 1, epochs: 9 })
          metrics.slice(0, cut).forEach((metric) => first.epochEnd(metric))
          const second = plateau(options).start({ base: 1, epochs: 9 })
          second.restore(JSON.parse(JSON.stringify(first.state())))
          for (const metric of metrics.slice(cut)) {
            first.epochEnd(metric)
            second.epochEnd(metric)
          }
          expect(second.rate(0)).toBe(first.rate(0))
        },
      ),
    )
  })
})

describe('cosine and constant', () => {
  it('rises, falls along half a cosine, stays at the end', () => {
    const running = cosine({ warmup: 1, epochs: 20, end: 1e-7 }).start({ base: 2e-5, epochs: 25 })
    expect(running.rate(0)).toBe(0)
    expect(running.rate(0.25)).toBeCloseTo(5e-6, 12)
    expect(running.rate(1)).toBeCloseTo(2e-5, 12)
    expect(running.rate(10.5)).toBeCloseTo(1e-7 + (2e-5 - 1e-7) / 2, 12)
    expect(running.rate(20)).toBe(1e-7)
    expect(running.rate(24)).toBe(1e-7)
  })

  it('spans the run by default, and refuses a warm-up longer than that', () => {
    expect(cosine().start({ base: 1, epochs: 8 }).rate(4)).toBeCloseTo(0.5, 12)
    expect(() => cosine({ warmup: 8 }).start({ base: 1, epochs: 8 })).toThrow(/more than the 8 epochs/)
    expect(constant().start({ base: 0.1, epochs: 3 }).rate(2.9)).toBe(0.1)
  })

  it('refuses options out of range', () => {
    expect(() => plateau({ factor: 1 })).toThrow(/factor/)
    expect(() => plateau({ patience: -1 })).toThrow(/patience/)
    expect(() => plateau({ thresholdMode: 'abs' as never })).toThrow(/'relative' or 'absolute'/)
    expect(() => cosine({ end: -1 })).toThrow(/end/)
  })
})

describe('stoppers', () => {
  it('patience counts epochs without improvement', () => {
    const running = patience({ patience: 2 }).start()
    expect([3, 2, 2, 1, 1, 1].map((metric) => running.epochEnd(metric) !== null)).toEqual([
      false,
      false,
      false,
      false,
      false,
      true,
    ])
  })

  it('patience takes the direction from the run', () => {
    const running = patience({ patience: 2 }).start({ mode: 'max' })
    expect([1, 2, 3, 3, 2].map((metric) => running.epochEnd(metric) !== null)).toEqual([
      ...[false, false, false, false, true],
    ])
  })

  it('stagnation waits for the grace period and a full window, then for a small deviation', () => {
    const stops = (metrics: readonly number[], options: Parameters<typeof stagnation>[0]): number => {
      const running = stagnation(options).start()
      return metrics.findIndex((metric) => running.epochEnd(metric) !== null)
    }
    const flat = new Array<number>(80).fill(0.5)
    expect(stops(flat, {})).toBe(59)
    expect(stops(flat, { grace: 2, window: 10 })).toBe(9)
    expect(stops([1, 2, 1, 2, 1, 2, 1.5, 1.5, 1.5], { std: 0.4, window: 3, grace: 0 })).toBe(7)
    expect(stops([1, 2, 1, 2], { std: 0.5, window: 2, grace: 0 })).toBe(1)
    expect(stops([1, NaN, 1, 1], { std: 0.5, window: 2, grace: 0 })).toBe(3)
  })

  it('goes on after a restore', () => {
    for (const stopper of [patience({ patience: 2 }), stagnation({ window: 2, grace: 3 })]) {
      const first = stopper.start()
      first.epochEnd(1)
      first.epochEnd(1)
      const second = stopper.start()
      second.restore(JSON.parse(JSON.stringify(first.state())))
      expect(second.epochEnd(1)).toBe(first.epochEnd(1))
      expect(second.state()).toEqual(first.state())
    }
  })
})
