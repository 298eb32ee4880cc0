import { expected } from '../base/errors.js'

/**
 * A number of the validation. By name alone, losses are the better the lower, measures the higher (but medR); with a mode it is as
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
    const lower = losses.has(watched) || /(^|\.)medR$/.test(watched)
    return { name: watched, mode: lower ? 'min' : 'max' }
  }
  const { name, mode } = watched
  if (mode !== 'min' && mode !== 'max') throw expected("'min' or 'max'", `mode of ${name}`, mode)
  return { name, mode }
}

/** Throws INVALID_ARGUMENT naming the numbers there are. */
export function valueOf(
  { name }: WatchedNumber,
  values: Readonly<Record<string, number>>,
  option: string,
): number {
  const value = values[name]
  if (value === undefined) throw expected(`one of ${Object.keys(values).join(', ')}`, option, name)
  return value
}
