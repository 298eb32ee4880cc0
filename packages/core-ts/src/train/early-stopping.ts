import { expected } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import { improvement } from './schedules.js'

/** Decides after each epoch whether a run has had enough. */
export interface Stopper {
  readonly name: string
  /** Options that matter when a run is resumed, as JSON. */
  readonly config?: object
  /** `mode`: whether a lower or a higher one of the watched number is better; default min. */
  start(setting?: { readonly mode?: 'min' | 'max' }): RunningStopper
}

/** A stopper within a run. */
export interface RunningStopper {
  /** Tells the watched number, as to a schedule; a sentence when the run should stop, else null. */
  epochEnd(metric: number): string | null
  /** Everything that resuming needs, as JSON. */
  state(): readonly number[]
  restore(state: readonly number[]): void
}

/** Options of {@link patience}. */
export interface PatienceOptions {
  /** Epochs without improvement after which the run stops. */
  patience: number
  /** Least improvement that counts. Default 0. */
  threshold?: number
}

/** Stops when the watched number has not improved for `patience` epochs in a row. */
export function patience(given: PatienceOptions): Stopper {
  const { patience: limit, threshold = 0 } = checkOptions(given, 'patience')
  if (!(limit >= 1)) throw expected('a number of epochs ≥ 1', 'patience', limit)
  return {
    name: 'patience',
    config: { patience: limit, threshold },
    start({ mode = 'min' } = {}) {
      const improves = improvement(mode, threshold)
      let bad = 0
      let best: number | null = null
      return {
        epochEnd(metric) {
          if (improves(metric, best)) {
            best = metric
            bad = 0
          } else bad++
          return bad >= limit ? `no improvement for ${bad} epochs (best ${best})` : null
        },
        state: () => (best === null ? [bad] : [bad, best]),
        restore(state) {
          bad = state[0]!
          best = state[1] ?? null
        },
      }
    },
  }
}

/** Options of {@link stagnation}. */
export interface StagnationOptions {
  /** Largest standard deviation of the metric that counts as standing still. Default 0.01. */
  std?: number
  /** Epochs looked at. Default 10. */
  window?: number
  /** Epochs before which the run never stops. Default 60. */
  grace?: number
}

/** Ray's TrialPlateauStopper: the (population) standard deviation of the last epochs' metric has become small. */
export function stagnation(given: StagnationOptions = {}): Stopper {
  const { std = 0.01, window = 10, grace = 60 } = checkOptions(given, 'stagnation')
  if (!(std >= 0)) throw expected('a number ≥ 0', 'std', std)
  if (!(Number.isInteger(window) && window >= 1)) throw expected('a number of epochs ≥ 1', 'window', window)
  return {
    name: 'stagnation',
    config: { std, window, grace },
    start() {
      let epochs = 0
      let recent: number[] = []
      return {
        epochEnd(metric) {
          epochs++
          recent = [...recent, metric].slice(-window)
          if (epochs < grace || recent.length < window) return null
          const mean = recent.reduce((sum, value) => sum + value, 0) / window
          const spread = Math.sqrt(recent.reduce((sum, value) => sum + (value - mean) ** 2, 0) / window)
          return spread <= std ? `the metric moved by ${spread} over the last ${window} epochs` : null
        },
        state: () => [epochs, ...recent],
        restore(state) {
          epochs = state[0]!
          recent = state.slice(1)
        },
      }
    },
  }
}
