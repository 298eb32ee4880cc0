import {
  joinRatings,
  type RatingScale,
  type RatingTable,
  readRatings,
  type ReadRatingsOptions,
  type ScreeningOptions,
} from '@sonotext/core/relevance'
import { UsageError } from '../../exit.js'

/** Options of commands that read ratings. */
export interface RatingFlags {
  scale?: string
  again: NonNullable<ReadRatingsOptions['again']>
  screen: string[]
}

/** The ratings of several files, such as one of each rater, as one table, and as they are. */
export async function readAllRatings(
  files: readonly string[],
  flags: RatingFlags,
  signal: AbortSignal,
): Promise<{ readonly all: RatingTable; readonly each: readonly RatingTable[] }> {
  const each: RatingTable[] = []
  for (const file of files) each.push(await readRatings(file, { ...ratingOptionsOf(flags), signal }))
  const all = joinRatings(each as [RatingTable, ...RatingTable[]], flags.again)
  return { all, each }
}

function ratingOptionsOf({ scale, again }: RatingFlags): ReadRatingsOptions {
  return { again, ...(scale === undefined ? {} : { scale: scaleOf(scale) }) }
}

/** `0,100` */
function scaleOf(text: string): RatingScale {
  const [low, high, ...rest] = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)))
  if (rest.length > 0 || !(high! > low!)) throw new UsageError(`Expected LOW,HIGH, got --scale ${text}.`)
  return { low: low!, high: high! }
}

/** What a rule that is named without a limit holds raters to. */
const usualLimits = { controls: 0.2, agreement: 0.2, played: 5, straightLining: 0.5 }

/** `controls`, `played=5`: rules with their limits. */
export function screeningOf(rules: readonly string[]): ScreeningOptions {
  return Object.fromEntries(
    rules.map((text) => {
      const [name = '', limit] = text.split('=')
      const rule = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
      const usual = Object.hasOwn(usualLimits, rule) && usualLimits[rule as keyof typeof usualLimits]
      const value = limit === undefined ? usual : limit.trim() === '' ? Number.NaN : Number(limit)
      if (usual === false || typeof value !== 'number' || Number.isNaN(value)) {
        throw new UsageError(
          `Expected controls, agreement, played or straight-lining, with a limit as in played=5, got --screen ${text}.`,
        )
      }
      return [rule, value]
    }),
  )
}
