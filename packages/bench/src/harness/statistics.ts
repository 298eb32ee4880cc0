/** Linear interpolation between the two nearest ranks; `share` 0.5 is the median. NaN for no samples. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b)
  const at = share * (sorted.length - 1)
  const low = sorted[Math.floor(at)] ?? Number.NaN
  const high = sorted[Math.ceil(at)] ?? Number.NaN
  return low + (high - low) * (at - Math.floor(at))
}

export interface Summary {
  readonly median: number
  readonly smallest: number
  readonly largest: number
  /** Distance of the quartiles as a share of the median: how restless the machine was. */
  readonly spread: number
  readonly samples: number
}

export function summarise(samples: readonly number[]): Summary {
  const median = quantile(samples, 0.5)
  return {
    median,
    smallest: Math.min(...samples),
    largest: Math.max(...samples),
    spread: (quantile(samples, 0.75) - quantile(samples, 0.25)) / median,
    samples: samples.length,
  }
}
