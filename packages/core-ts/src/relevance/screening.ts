import { checkOptions, expected } from '../base/index.js'
import { mean, spearman } from '../metrics/index.js'
import type { Rating, RatingTable } from './rating.js'
import { byPair } from './relevances.js'
import { ownGroup } from './rating-statistics.js'

/** What raters and ratings must hold to; a rule that is not named is not applied. */
export interface ScreeningOptions {
  /**
   * Largest share, 0 to 1, of control pairs that a rater may get wrong: rating a query's control (group TN) in the upper half of the scale, or its
   * own item (group TP) no higher than its control.
   */
  readonly controls?: number
  /** Least rank correlation (Spearman) of a rater with the mean of the others over the pairs that they share, of which there must be 5. */
  readonly agreement?: number
  /** Least seconds that an item must have been played; single ratings fall. */
  readonly played?: number
  /** Largest share, 0 to 1, of a rater's lists (three items of one query or more) that may be given one and the same rating throughout. */
  readonly straightLining?: number
}

/** A rater with all ratings, or a single rating, that is left out, and why. */
export interface Exclusion {
  readonly rule: keyof ScreeningOptions
  readonly rater: string | null
  /** null where the rater is excluded altogether. */
  readonly pair: { readonly query: string; readonly item: string } | null
  /** As a sentence. */
  readonly reason: string
  /** Ratings that fall by it and by no rule before. */
  readonly ratings: number
}

/** What a rule could not judge, and so has left in. */
export interface Unscreened {
  readonly rule: keyof ScreeningOptions
  /** As a sentence. */
  readonly reason: string
}

/** What screening left, what it took out, and what its rules could not judge. */
export interface ScreenedRatings {
  readonly table: RatingTable
  readonly exclusions: readonly Exclusion[]
  readonly unscreened: readonly Unscreened[]
}

/**
 * Leaves out what breaks a rule, in the order played, controls, straightLining, agreement, each on what the ones before have left.
 * Agreement is looked at once: with the raters that are there, not again after some have gone. What a rule has nothing to judge by stays, and is
 * said: raters without control items, ratings that do not say how long was played.
 */
export function screenRatings(table: RatingTable, options: ScreeningOptions = {}): ScreenedRatings {
  checkOptions(options, 'screenRatings')
  for (const [rule, limit] of Object.entries(options)) {
    if (!Object.hasOwn(rules, rule)) throw expected(`one of ${ruleNames.join(', ')}`, 'screening', rule)
    const [least, most] = ranges[rule as keyof ScreeningOptions]
    // Beyond its range a limit would let everyone through, or nobody.
    if (typeof limit !== 'number' || !(limit >= least && limit <= most))
      throw expected(
        most === Infinity ? `a number from ${least}` : `a number from ${least} to ${most}`,
        `the limit of ${rule}`,
        limit,
      )
  }
  let { ratings } = table
  const exclusions: Exclusion[] = []
  const unscreened: Unscreened[] = []
  for (const rule of ruleNames) {
    const limit = options[rule]
    if (limit === undefined) continue
    const { verdicts, untold } = rules[rule](ratings, limit, table)
    if (untold !== null) unscreened.push({ rule, reason: untold })
    const fallen = new Map(verdicts.map(({ rater, pair }) => [keyOf(rater, pair), 0]))
    ratings = ratings.filter(({ rater, query, item }) => {
      const key = [keyOf(rater, null), keyOf(rater, { query, item })].find((one) => fallen.has(one))
      if (key !== undefined) fallen.set(key, fallen.get(key)! + 1)
      return key === undefined
    })
    for (const verdict of verdicts)
      exclusions.push({ rule, ...verdict, ratings: fallen.get(keyOf(verdict.rater, verdict.pair))! })
  }
  return { table: { ...table, ratings }, exclusions, unscreened }
}

function keyOf(rater: string | null, pair: Exclusion['pair']): string {
  return JSON.stringify([rater, pair?.query, pair?.item])
}

type Verdict = Pick<Exclusion, 'rater' | 'pair' | 'reason'>
/** What falls, and in words what the rule has nothing to judge by; null where that is nothing. */
interface Judgement {
  readonly verdicts: Verdict[]
  readonly untold: string | null
}
type Rule = (ratings: readonly Rating[], limit: number, table: RatingTable) => Judgement

const rules: Readonly<Record<keyof ScreeningOptions, Rule>> = {
  played: (ratings, least) => {
    const silent = ratings.filter(({ played }) => played === null).length
    return {
      verdicts: ratings.flatMap(({ rater, query, item, played }) =>
        played !== null && played < least
          ? [{ rater, pair: { query, item }, reason: `Played for ${played} s, less than ${least} s.` }]
          : [],
      ),
      untold: untoldOf(
        silent,
        ratings.length,
        'ratings',
        'they do not say how long was played (column played)',
      ),
    }
  },

  controls: (ratings, most, { scale }) =>
    eachRater(ratings, 'they rated no control item (group TN)', (rater, own) => {
      let controls = 0
      let wrong = 0
      for (const list of Map.groupBy(own, ({ query }) => query).values()) {
        const control = list.find(({ group }) => group === 'TN')
        if (control === undefined) continue
        const match = list.find(({ group }) => group === ownGroup)
        controls++
        const high = control.rating >= (scale.low + scale.high) / 2
        if (high || (match !== undefined && match.rating <= control.rating)) wrong++
      }
      if (controls === 0) return null
      if (wrong / controls <= most) return []
      return [
        whole(rater, `${wrong} of ${controls} control items rated wrongly, more than ${percent(most)}.`),
      ]
    }),

  straightLining: (ratings, most) =>
    eachRater(ratings, 'they have no list of three ratings or more', (rater, own) => {
      const lists = [...Map.groupBy(own, ({ query }) => query).values()].filter((list) => list.length >= 3)
      const flat = lists.filter((list) => list.every(({ rating }) => rating === list[0]!.rating)).length
      if (lists.length === 0) return null
      if (flat / lists.length <= most) return []
      return [
        whole(
          rater,
          `One rating throughout in ${flat} of ${lists.length} lists, more than ${percent(most)}.`,
        ),
      ]
    }),

  agreement: (ratings, least) => {
    const pairs = [...byPair(ratings).values()].filter((answers) => answers.length >= 2)
    return eachRater(ratings, 'they share fewer than 5 pairs with others', (rater) => {
      const [own, others]: [number[], number[]] = [[], []]
      for (const answers of pairs) {
        const mine = answers.find((answer) => answer.rater === rater)
        if (mine === undefined) continue
        const rest = answers.filter((answer) => answer !== mine)
        own.push(mine.rating)
        others.push(mean.of(Float64Array.from(rest, ({ rating }) => rating))())
      }
      if (own.length < 5) return null
      const rho = spearman(own, others)
      // Who gives one rating to everything agrees with nobody.
      if (rho !== null && rho >= least) return []
      const said = rho === null ? 'cannot be told, one rating throughout' : `is ${rho.toFixed(2)}`
      return [
        whole(
          rater,
          `Rank correlation with the other raters over ${own.length} pairs ${said}; expected ${least} or more.`,
        ),
      ]
    })
  },
}
/** Limits that there can be: shares, a correlation, seconds. */
const ranges: Readonly<Record<keyof ScreeningOptions, readonly [number, number]>> = {
  controls: [0, 1],
  straightLining: [0, 1],
  agreement: [-1, 1],
  played: [0, Infinity],
}
const ruleNames = Object.keys(rules) as (keyof ScreeningOptions)[]

/** `judge` gives null for a rater of whom it can tell nothing, for the reason `why`. */
function eachRater(
  ratings: readonly Rating[],
  why: string,
  judge: (rater: string | null, own: readonly Rating[]) => Verdict[] | null,
): Judgement {
  const byRater = Map.groupBy(ratings, ({ rater }) => rater)
  const judged = Array.from(byRater, ([rater, own]) => judge(rater, own))
  const silent = judged.filter((verdicts) => verdicts === null).length
  return {
    verdicts: judged.flatMap((verdicts) => verdicts ?? []),
    untold: untoldOf(silent, byRater.size, 'raters', why),
  }
}

function untoldOf(some: number, all: number, noun: string, why: string): string | null {
  return some === 0 ? null : `${some} of ${all} ${noun} cannot be judged: ${why}.`
}

function whole(rater: string | null, reason: string): Verdict {
  return { rater, pair: null, reason }
}

function percent(part: number): string {
  return `${Math.round(100 * part)} %`
}
