import type { RatingScale, ReadRatingsOptions, ScreeningOptions } from '@sonotext/core/relevance'
import { UsageError } from '../../exit.js'

/** Options of commands that read ratings. */
export interface RatingFlags {
  scale?: string
  again: NonNullable<ReadRatingsOptions['again']>
  screen: string[]
}

export function ratingOptionsOf({ scale, again }: RatingFlags): ReadRatingsOptions {
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
      if (usual === false || typeof value !== 'number' || !(value >= -1)) {
        throw new UsageError(
          `Expected controls, agreement, played or straight-lining, with a limit as in played=5, got --screen ${text}.`,
        )
      }
      return [rule, value]
    }),
  )
}
