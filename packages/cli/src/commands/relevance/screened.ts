import { SonotextError } from '@sonotext/core/base'
import {
  type Exclusion,
  type RatingTable,
  type ScreenedRatings,
  screenRatings,
  type ScreeningOptions,
} from '@sonotext/core/relevance'
import { plural } from '../../plural.js'
import type { Terminal } from '../../terminal.js'

/** Exclusions shown; --json has all of them. */
const shownExclusions = 20

/**
 * What screening leaves. Warns of what a rule cannot judge. Throws INVALID_DATA where nothing is left, after all reasons.
 */
export function screened(
  table: RatingTable,
  screening: ScreeningOptions,
  terminal: Terminal,
): ScreenedRatings {
  const found = screenRatings(table, screening)
  for (const { rule, reason } of found.unscreened)
    terminal.warn(`--screen ${rule === 'straightLining' ? 'straight-lining' : rule}: ${reason}`)
  if (found.table.ratings.length > 0) return found
  for (const line of exclusionLines(found.exclusions)) terminal.warn(line)
  throw new SonotextError('INVALID_DATA', 'Screening leaves no rating.', {
    file: table.file,
    remedy: 'Screen less, or by higher limits: --screen RULE=LIMIT.',
  })
}

/** What was left out, a line each, and how many more. */
export function exclusionLines(exclusions: readonly Exclusion[]): string[] {
  const shown = exclusions.slice(0, shownExclusions).map(({ rater, pair, reason, ratings }) => {
    const what = pair === null ? '' : `, ${pair.query} with ${pair.item}`
    return `left out: ${rater ?? 'unnamed rater'}${what} (${plural(ratings, 'rating')}): ${reason}`
  })
  if (exclusions.length > shown.length) shown.push(`… ${exclusions.length - shown.length} more`)
  return shown
}
