import type { F1Counts } from './jackknife.js'
import type { TimeSpan } from '../../segments/time-span.js'

/** How far the ends of a segment may be off and still count as found. */
export interface EventCollars {
  /** Seconds that the onset may be off. Default 0.2. */
  readonly onset?: number
  /** Seconds that the offset may be off, where a share of the event's length is not more. Default 0.2. */
  readonly offset?: number
  /** Share of the true event's length that the offset may be off. Default 0.5. */
  readonly offsetShare?: number
}

/**
 * How many found events are true ones: onset within its collar, and offset within the larger of its collar and a share of the true
 * event's length (Mesaros et al. 2016, with the defaults of sed_eval). Each event is matched at most once, as many as can be.
 */
export function matchEvents(
  found: readonly TimeSpan[],
  truth: readonly TimeSpan[],
  { onset = 0.2, offset = 0.2, offsetShare = 0.5 }: EventCollars = {},
): F1Counts {
  const fits = found.map((event) =>
    truth.flatMap((real, index) => {
      const late = Math.max(offset, offsetShare * (real.offset - real.onset))
      const close =
        Math.abs(event.onset - real.onset) <= onset && Math.abs(event.offset - real.offset) <= late
      return close ? [index] : []
    }),
  )
  return { hits: largestMatching(fits, truth.length), found: found.length, active: truth.length }
}

/** Size of the largest one-to-one matching, by augmenting paths (Kuhn 1955). */
function largestMatching(fits: readonly (readonly number[])[], right: number): number {
  const partner = new Int32Array(right).fill(-1)
  const augment = (left: number, seen: Uint8Array): boolean => {
    for (const r of fits[left]!) {
      if (seen[r] === 1) continue
      seen[r] = 1
      if (partner[r] === -1 || augment(partner[r]!, seen)) {
        partner[r] = left
        return true
      }
    }
    return false
  }
  let size = 0
  for (let left = 0; left < fits.length; left++) if (augment(left, new Uint8Array(right))) size++
  return size
}
