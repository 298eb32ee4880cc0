import { quantile } from './statistics.js'

/** Seconds of one repetition of each of two subjects, round by round. */
export interface PairedTimes {
  readonly a: readonly number[]
  readonly b: readonly number[]
  /** Of a. */
  readonly smallest: number
}

export interface PairOptions {
  readonly rounds: number
  /** Each burst goes on for about this long. */
  readonly seconds: number
  /** Seconds since some fixed moment. */
  readonly now: () => number
}

/**
 * Times two subjects in turns, ABBA, so that whatever changes on the machine (its clock, other processes) meets both alike.
 * A burst is as many repetitions as fill its time, the same number for both.
 */
export function interleaved(
  a: () => void,
  b: () => void,
  { rounds, seconds, now }: PairOptions,
): PairedTimes {
  const burst = (run: () => void, repetitions: number): number => {
    const start = now()
    for (let i = 0; i < repetitions; i++) run()
    return (now() - start) / repetitions
  }
  for (const run of [a, b]) burst(run, 2)
  const once = Math.max(burst(a, 1), burst(b, 1), 1e-7)
  const repetitions = Math.max(1, Math.round(seconds / once))
  const times = { a: [] as number[], b: [] as number[] }
  for (let round = 0; round < rounds; round++) {
    for (const which of round % 2 === 0 ? (['a', 'b'] as const) : (['b', 'a'] as const)) {
      times[which].push(burst(which === 'a' ? a : b, repetitions))
    }
  }
  return { ...times, smallest: Math.min(...times.a) }
}

export interface Ratio {
  readonly median: number
  /** 95 % interval. */
  readonly low: number
  readonly high: number
}

/** Median of a's times over b's, round by round, with a bootstrap interval over the rounds. */
export function ratioOf({ a, b }: PairedTimes, uniform: () => number, resamples = 2000): Ratio {
  const ratios = a.map((time, i) => time / b[i]!)
  const medians = Array.from({ length: resamples }, () =>
    quantile(
      ratios.map(() => ratios[Math.floor(uniform() * ratios.length)]!),
      0.5,
    ),
  )
  return { median: quantile(ratios, 0.5), low: quantile(medians, 0.025), high: quantile(medians, 0.975) }
}
