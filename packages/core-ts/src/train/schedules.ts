import { expected } from '../base/errors.js'
import { checkOptions } from '../base/options.js'

/** What a run knows about itself when a schedule starts. */
export interface ScheduleSetting {
  /** Learning rate of the optimiser. */
  readonly base: number
  /** Planned length in epochs. */
  readonly epochs: number
  /** Whether a lower or a higher one of the watched number is better. Default min. */
  readonly mode?: 'min' | 'max'
}

/** The learning rate over a run. A schedule is a plain description; {@link start} gives the part that has state. */
export interface Schedule {
  readonly name: string
  /** Options that matter when a run is resumed, as JSON. */
  readonly config?: object
  start(setting: ScheduleSetting): RunningSchedule
}

/** A schedule within a run. */
export interface RunningSchedule {
  /** Learning rate at a point of the run, in epochs with fraction: 2.5 is the middle of the third epoch. */
  rate(epoch: number): number
  /** Tells the watched number of an epoch: once an epoch, or as often as there is validation. */
  epochEnd(metric: number): void
  /** Everything that resuming needs, as JSON. */
  state(): Record<string, number>
  restore(state: Readonly<Record<string, number>>): void
}

const stateless = { epochEnd: () => {}, state: () => ({}), restore: () => {} }

/** The optimiser's learning rate throughout. */
export function constant(): Schedule {
  return { name: 'constant', start: ({ base }) => ({ rate: () => base, ...stateless }) }
}

/** Options of {@link cosine}. */
export interface CosineOptions {
  /** Epochs of linear rise from 0 to the base rate. Default 0. */
  warmup?: number
  /** Epoch at which the end rate is reached; later epochs keep it. Default: the length of the run. */
  epochs?: number
  /** Rate at the end. Default 0. */
  end?: number
}

/** Linear warm-up, then half a cosine down to `end`. */
export function cosine(given: CosineOptions = {}): Schedule {
  const { warmup = 0, epochs, end = 0 } = checkOptions(given, 'cosine')
  if (!(warmup >= 0)) throw expected('a number of epochs ≥ 0', 'warmup', warmup)
  if (!(end >= 0)) throw expected('a rate ≥ 0', 'end', end)
  return {
    name: 'cosine',
    config: { warmup, epochs: epochs ?? null, end },
    start({ base, epochs: planned }) {
      const last = epochs ?? planned
      if (!(last > warmup)) throw expected(`more than the ${warmup} epochs of warm-up`, 'epochs', last)
      return {
        rate(epoch) {
          if (epoch < warmup) return (base * epoch) / warmup
          if (epoch >= last) return end
          return end + (base - end) * 0.5 * (1 + Math.cos((Math.PI * (epoch - warmup)) / (last - warmup)))
        },
        ...stateless,
      }
    },
  }
}

/** Options of {@link plateau}. */
export interface PlateauOptions {
  /** Factor on the rate when the metric stops improving. Default 0.1. */
  factor?: number
  /** Epochs without improvement that are forgiven. Default 5. */
  patience?: number
  /** Least improvement that counts. Default 0.001. */
  threshold?: number
  /** `relative`: best·(1 ∓ threshold); `absolute`: best ∓ threshold. Default relative. */
  thresholdMode?: 'relative' | 'absolute'
  /** Default 0. */
  minLr?: number
  /** Epochs after a reduction during which nothing is counted. Default 0. */
  cooldown?: number
}

/** Reductions smaller than this are not made, as in PyTorch. */
const leastChange = 1e-8

/**
 * PyTorch's ReduceLROnPlateau on the watched number of the run, whose direction it takes from there. NaN counts as no
 * improvement.
 */
export function plateau(options: PlateauOptions = {}): Schedule {
  checkOptions(options, 'plateau')
  const { factor = 0.1, patience = 5, threshold = 0.001, thresholdMode = 'relative' } = options
  const { minLr = 0, cooldown = 0 } = options
  if (!(factor > 0 && factor < 1)) throw expected('a number between 0 and 1', 'factor', factor)
  if (!(patience >= 0)) throw expected('a number of epochs ≥ 0', 'patience', patience)
  if (!(threshold >= 0)) throw expected('a number ≥ 0', 'threshold', threshold)
  if (thresholdMode !== 'relative' && thresholdMode !== 'absolute')
    throw expected("'relative' or 'absolute'", 'thresholdMode', thresholdMode)
  return {
    name: 'plateau',
    config: { factor, patience, threshold, thresholdMode, minLr, cooldown },
    start({ base, mode = 'min' }) {
      const improves = improvement(mode, threshold, thresholdMode)
      let rate = base
      let best: number | null = null
      let bad = 0
      let cooling = 0
      return {
        rate: () => rate,
        epochEnd(metric) {
          if (improves(metric, best)) {
            best = metric
            bad = 0
          } else bad++
          if (cooling > 0) {
            cooling--
            bad = 0
          }
          if (bad > patience) {
            const next = Math.max(rate * factor, minLr)
            if (rate - next > leastChange) rate = next
            cooling = cooldown
            bad = 0
          }
        },
        state: () => (best === null ? { rate, bad, cooling } : { rate, bad, cooling, best }),
        restore(state) {
          rate = state['rate']!
          bad = state['bad']!
          cooling = state['cooling']!
          best = state['best'] ?? null
        },
      }
    },
  }
}

/** Whether a metric is better than the best so far (null: nothing yet) by at least the threshold. */
export function improvement(
  mode: 'min' | 'max',
  threshold = 0,
  thresholdMode: 'relative' | 'absolute' = 'absolute',
): (metric: number, best: number | null) => boolean {
  const sign = mode === 'min' ? -1 : 1
  return (metric, best) => {
    if (Number.isNaN(metric)) return false
    if (best === null) return true
    const bar = thresholdMode === 'relative' ? best * (1 + sign * threshold) : best + sign * threshold
    return mode === 'min' ? metric < bar : metric > bar
  }
}
