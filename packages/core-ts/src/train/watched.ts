import { expected, SonotextError } from '../base/errors.js'
import { measureOf } from '../metrics/index.js'
import { collapseSigns } from './watchdog.js'

/**
 * A number of the validation. By name alone, losses are the better the lower, measures as they say, anything else the higher; with a mode it is as
 * that says.
 */
export type Watched = string | { readonly name: string; readonly mode: 'min' | 'max' }

export interface WatchedNumber {
  readonly name: string
  readonly mode: 'min' | 'max'
}

/** `losses` are the names of those numbers that are losses. */
export function watchedNumber(watched: Watched, losses: ReadonlySet<string>): WatchedNumber {
  if (typeof watched === 'string') {
    const lower = losses.has(watched) || measureOf(watched)?.better === 'lower'
    return { name: watched, mode: lower ? 'min' : 'max' }
  }
  const { name, mode } = watched
  if (mode !== 'min' && mode !== 'max') throw expected("'min' or 'max'", `mode of ${name}`, mode)
  return { name, mode }
}

/**
 * Which way a number is better that stands in an epoch of a log, by its name there; null for signs of collapse, which are nothing to aim at.
 * `losses` are the names of the losses of the validation.
 */
export function aimOf(logged: string, losses: ReadonlySet<string>): 'min' | 'max' | null {
  if (logged === 'trainLoss') return 'min'
  const name = logged.replace(/^validation\./, '')
  return collapseSigns.has(name) ? null : watchedNumber(name, losses).mode
}

/** Throws INVALID_ARGUMENT naming the numbers there are, NUMERIC for one that is NaN: it could not tell a better epoch. */
export function valueOf(
  { name }: WatchedNumber,
  values: Readonly<Record<string, number>>,
  option: string,
): number {
  const value = values[name]
  if (value === undefined) throw expected(`one of ${Object.keys(values).join(', ')}`, option, name)
  if (!Number.isNaN(value)) return value
  throw new SonotextError('NUMERIC', `${option}: ${name} is NaN, which cannot tell a better epoch.`, {
    remedy: 'Watch another number, or correct the measure. What was trained so far is in the checkpoint.',
  })
}
