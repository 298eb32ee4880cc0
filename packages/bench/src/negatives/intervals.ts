import { Rng } from '@sonotext/core/base'

/** Values by seed, then by clip; the same clips for every seed. */
export type SeedsByClips = readonly (readonly number[])[]

export interface Estimate {
  readonly mean: number
  /** 95 % interval over seeds and clips. */
  readonly low: number
  readonly high: number
}

export interface Difference extends Estimate {
  /** Two-sided, from the same draws. */
  readonly p: number
  /** Mean over its standard deviation from seed to seed; null with fewer than three seeds, or where no seed differs from another. */
  readonly effect: number | null
}

/** Draws of an interval, and of a test, which is corrected for its many fellows and must be able to be small. */
const draws = { interval: 1999, test: 9999 }

/** The least p that a test of so many draws can have: a difference that no draw contradicts has it, however large it is. */
export const leastP = 2 / (draws.test + 1)

/**
 * Mean with a percentile interval of a bootstrap in two levels: seeds are drawn with replacement and, independently, clips, because both are
 * samples of what might have been (Davison, Hinkley 1997, 3.8). Whole clips, since their captions succeed and fail together.
 */
export function estimate(values: SeedsByClips): Estimate {
  const { mean, means } = resampled(values, draws.interval)
  return { mean, low: quantileOf(means, 0.025), high: quantileOf(means, 0.975) }
}

/** Of a − b, seed by seed and clip by clip: both share weights, order and clips. */
export function difference(a: SeedsByClips, b: SeedsByClips): Difference {
  const values = a.map((own, s) => own.map((value, c) => value - b[s]![c]!))
  const { mean, means } = resampled(values, draws.test)
  const below = means.filter((value) => value <= 0).length
  const above = means.filter((value) => value >= 0).length
  const bySeed = values.map(meanOf)
  const deviation = Math.sqrt(
    bySeed.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (bySeed.length - 1),
  )
  return {
    mean,
    low: quantileOf(means, 0.025),
    high: quantileOf(means, 0.975),
    p: Math.min(1, (2 * (1 + Math.min(below, above))) / (draws.test + 1)),
    effect: values.length < 3 || deviation === 0 ? null : mean / deviation,
  }
}

function resampled(values: SeedsByClips, count: number): { readonly mean: number; readonly means: number[] } {
  const rng = new Rng(17, 'seeds and clips')
  const clips = values[0]!.length
  const means = Array.from({ length: count }, () => {
    const seeds = values.map(() => values[rng.int(values.length)]!)
    let sum = 0
    for (let c = 0; c < clips; c++) {
      const clip = rng.int(clips)
      for (const own of seeds) sum += own[clip]!
    }
    return sum / (clips * values.length)
  })
  means.sort((x, y) => x - y)
  return { mean: meanOf(values.map(meanOf)), means }
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function quantileOf(sorted: readonly number[], share: number): number {
  return sorted[Math.round(share * (sorted.length - 1))]!
}
