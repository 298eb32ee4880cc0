/** A staircase: from `falseRates[i]` on, the share `hitRates[i]` is reached. Both ascend; the first false rate may be above 0. */
export interface RocSteps {
  readonly falseRates: readonly number[]
  readonly hitRates: readonly number[]
}

/**
 * The best staircase through operating points, which come in any order: the least false rate at which each number of hits is reached or
 * passed. Holds one number for each possible number of hits, however many points there are.
 */
export class StepsBelow {
  readonly #events: number
  readonly #most: number
  readonly #least: Float64Array

  /** Points of a false rate above `most` are left out. */
  constructor(events: number, most: number) {
    this.#events = events
    this.#most = most
    this.#least = new Float64Array(events + 1).fill(Infinity)
  }

  add(hits: number, falseRate: number): void {
    if (falseRate <= this.#most && falseRate < this.#least[hits]!) this.#least[hits] = falseRate
  }

  steps(): RocSteps {
    const falseRates: number[] = []
    const hitRates: number[] = []
    let least = Infinity
    for (let hits = this.#events; hits > 0; hits--) {
      if (!(this.#least[hits]! < least)) continue
      least = this.#least[hits]!
      falseRates.push(least)
      hitRates.push(hits / this.#events)
    }
    return { falseRates: falseRates.reverse(), hitRates: hitRates.reverse() }
  }
}

/**
 * Area under the mean of staircases less `instability` times their standard deviation, never below 0, up to the false rate `most` and divided
 * by it: in [0, 1].
 */
export function areaUnderMean(curves: readonly RocSteps[], most: number, instability: number): number {
  const steps = curves
    .flatMap(({ falseRates, hitRates }, curve) =>
      falseRates.map((falseRate, i) => ({ falseRate, hitRate: hitRates[i]!, curve })),
    )
    .sort((a, b) => a.falseRate - b.falseRate)
  const now = new Float64Array(curves.length)
  let area = 0
  for (let i = 0; i < steps.length;) {
    const { falseRate } = steps[i]!
    for (; i < steps.length && steps[i]!.falseRate === falseRate; i++) {
      const { curve, hitRate } = steps[i]!
      now[curve] = Math.max(now[curve]!, hitRate)
    }
    const next = i < steps.length ? steps[i]!.falseRate : most
    area += (next - falseRate) * effective(now, instability)
  }
  return area / most
}

function effective(hitRates: Float64Array, instability: number): number {
  const mean = hitRates.reduce((sum, rate) => sum + rate, 0) / hitRates.length
  if (instability === 0) return mean
  const squares = hitRates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0)
  return Math.max(0, mean - instability * Math.sqrt(squares / hitRates.length))
}
