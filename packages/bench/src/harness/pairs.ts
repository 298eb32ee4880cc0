import { quantile } from './statistics.js'

/** One repetition; what it returns is awaited when it is a promise. */
export type Run = () => unknown

export interface PairOptions {
  /** Each burst goes on for about this long. */
  readonly seconds: number
  /** Seconds since some fixed moment. */
  readonly now: () => number
}

/** Seconds of one repetition of each of two subjects, round by round. */
export interface PairedTimes {
  readonly a: readonly number[]
  readonly b: readonly number[]
}

/**
 * Two subjects timed in turns, ABBA, so that whatever changes on the machine (its clock, other processes) meets both alike.
 * A burst is as many repetitions as fill its time, the same number for both.
 */
export class Pair {
  readonly times = { a: [] as number[], b: [] as number[] }
  readonly #runs: { readonly a: Run; readonly b: Run }
  readonly #options: PairOptions
  #repetitions = 0

  constructor(a: Run, b: Run, options: PairOptions) {
    this.#runs = { a, b }
    this.#options = options
  }

  /** Times so many more rounds. */
  async measure(rounds: number): Promise<PairedTimes> {
    if (this.#repetitions === 0) await this.#calibrate()
    for (let i = 0; i < rounds; i++) {
      const order = this.times.a.length % 2 === 0 ? (['a', 'b'] as const) : (['b', 'a'] as const)
      for (const which of order) this.times[which].push(await this.#burst(which, this.#repetitions))
    }
    return this.times
  }

  async #calibrate(): Promise<void> {
    for (const which of ['a', 'b'] as const) await this.#burst(which, 2)
    const once = Math.max(await this.#burst('a', 1), await this.#burst('b', 1), 1e-7)
    this.#repetitions = Math.max(1, Math.round(this.#options.seconds / once))
  }

  async #burst(which: 'a' | 'b', repetitions: number): Promise<number> {
    const run = this.#runs[which]
    const { now } = this.#options
    const start = now()
    for (let i = 0; i < repetitions; i++) {
      const result = run()
      if (result instanceof Promise) await result
    }
    return (now() - start) / repetitions
  }
}

/** An estimate and the interval that holds it with 95 % confidence. */
export interface Ratio {
  readonly median: number
  readonly low: number
  readonly high: number
}

/**
 * Median of a's times over b's, round by round, with a bootstrap interval over the rounds; or over the medians of so many rounds that follow
 * each other, where something may disturb neighbours alike.
 */
export function ratioOf(
  { a, b }: PairedTimes,
  uniform: () => number,
  { resamples = 1000, together = 1 }: { resamples?: number; together?: number } = {},
): Ratio {
  const rounds = a.map((time, i) => time / b[i]!)
  const ratios = Array.from({ length: Math.ceil(rounds.length / together) }, (_, i) =>
    quantile(rounds.slice(i * together, (i + 1) * together), 0.5),
  )
  const medians = Array.from({ length: resamples }, () =>
    quantile(
      ratios.map(() => ratios[Math.floor(uniform() * ratios.length)]!),
      0.5,
    ),
  )
  return { median: quantile(ratios, 0.5), low: quantile(medians, 0.025), high: quantile(medians, 0.975) }
}
