import { checkOptions, expected, SonotextError } from '../../base/index.js'
import { type Interval, kendall, mean, spearman } from '../../metrics/index.js'
import { drawQueries, percentiles } from '../draws.js'
import type { Rating, RatingTable } from '../rating.js'
import { byPair } from '../relevances.js'
import { intraclassCorrelations } from './intraclass.js'
import { krippendorffAlpha } from './krippendorff.js'
import { pairwiseAgreement } from './pairwise.js'

/** A number with its 95 % interval; null where it cannot be told. */
export interface Estimate {
  readonly value: number | null
  /** null where too few draws give a value. */
  readonly interval: Interval | null
}

/** Names of the coefficients, in the order they are shown. */
export const agreementNames = [
  'alpha-nominal',
  'alpha-ordinal',
  'alpha-interval',
  'icc1',
  'icc1k',
  'icc2',
  'icc2k',
  'icc3',
  'icc3k',
  'pairwise',
  'spearman',
  'kendall',
] as const
/** Names of the coefficients of agreement. */
export type AgreementName = (typeof agreementNames)[number]

/** How far raters agree. */
export interface Agreement {
  readonly queries: number
  readonly raters: number
  /** Pairs of query and item that two raters or more have rated. */
  readonly pairs: number
  /** Pairs that every rater has rated: what the two-way intraclass forms see. */
  readonly complete: number
  readonly coefficients: Readonly<Record<AgreementName, Estimate>>
}

/** Options of {@link raterAgreement}. */
export interface AgreementOptions {
  /** Draws of queries; default 999. */
  readonly replicates?: number
  readonly seed?: number
}

/**
 * How far raters agree: Krippendorff's α, intraclass correlations, and how each rater orders the items of a query beside the mean of the
 * others (share of pairs ordered alike, Spearman, Kendall; means over raters and queries). Intervals: percentiles of draws of whole
 * queries with replacement. Throws INVALID_DATA when no pair has been rated by two raters.
 */
export function raterAgreement({ ratings, file }: RatingTable, options: AgreementOptions = {}): Agreement {
  const { replicates = 999, seed = 17 } = checkOptions(options, 'raterAgreement')
  if (!Number.isSafeInteger(replicates) || replicates < 99)
    throw expected('a whole number from 99', 'replicates', replicates)
  const raters = [...new Set(ratings.map(({ rater }) => rater))].sort()
  const shared = [...byPair(ratings).values()].filter((answers) => answers.length >= 2)
  if (shared.length === 0) {
    throw new SonotextError('INVALID_DATA', 'Expected pairs that two raters or more have rated, got none.', {
      file,
      remedy: 'Agreement needs the single ratings, with a column rater.',
    })
  }
  const queries = [...Map.groupBy(shared, ([first]) => first!.query).values()].map((answers) =>
    queryOf(answers, raters),
  )
  const coefficients = measured(queries)
  const draws = drawQueries(queries, measured, { replicates, seed, stream: 'agreement' })
  return {
    queries: queries.length,
    raters: raters.length,
    pairs: shared.length,
    complete: queries.reduce((sum, { complete }) => sum + complete.length, 0),
    coefficients: Object.fromEntries(
      agreementNames.map((name) => [
        name,
        {
          value: coefficients[name],
          // Draws of one query are all the same: they would tell a width of 0.
          interval: queries.length < 2 ? null : percentiles(draws.map((draw) => draw[name])),
        },
      ]),
    ) as Record<AgreementName, Estimate>,
  }
}

/** What one query brings to the coefficients. */
interface RatedQuery {
  /** Answers by pair. */
  readonly units: readonly (readonly number[])[]
  /** Answers in the order of the raters, of pairs that all have rated. */
  readonly complete: readonly (readonly number[])[]
  /** Of each rater who shares two items or more with others. */
  readonly orders: readonly Readonly<Record<'pairwise' | 'spearman' | 'kendall', number | null>>[]
}

function queryOf(answers: readonly (readonly Rating[])[], raters: readonly (string | null)[]): RatedQuery {
  const byRater = answers.map((of) => new Map(of.map(({ rater, rating }) => [rater, rating])))
  return {
    units: answers.map((of) => of.map(({ rating }) => rating)),
    complete: byRater
      .filter((of) => of.size === raters.length)
      .map((of) => raters.map((rater) => of.get(rater)!)),
    orders: raters.flatMap((rater) => {
      const both = byRater.filter((of) => of.has(rater))
      if (both.length < 2) return []
      const own = both.map((of) => of.get(rater)!)
      const others = both.map((of) =>
        mean.of(Float64Array.from([...of].flatMap(([who, rating]) => (who === rater ? [] : [rating]))))(),
      )
      return [
        {
          pairwise: pairwiseAgreement(own, others).accuracy,
          spearman: spearman(own, others),
          kendall: kendall(own, others),
        },
      ]
    }),
  }
}

function measured(queries: readonly RatedQuery[]): Record<AgreementName, number | null> {
  const units = queries.flatMap((query) => query.units)
  const complete = queries.flatMap((query) => query.complete)
  const oneWay = units.length >= 2 ? intraclassCorrelations(units) : null
  const twoWay = complete.length >= 2 ? intraclassCorrelations(complete) : null
  const orders = queries.flatMap((query) => query.orders)
  const meanOf = (name: 'pairwise' | 'spearman' | 'kendall'): number | null => {
    const known = orders.flatMap((order) => order[name] ?? [])
    return known.length > 0 ? mean.of(Float64Array.from(known))() : null
  }
  return {
    'alpha-nominal': krippendorffAlpha(units, 'nominal'),
    'alpha-ordinal': krippendorffAlpha(units, 'ordinal'),
    'alpha-interval': krippendorffAlpha(units, 'interval'),
    icc1: oneWay?.icc1 ?? null,
    icc1k: oneWay?.icc1k ?? null,
    icc2: twoWay?.icc2 ?? null,
    icc2k: twoWay?.icc2k ?? null,
    icc3: twoWay?.icc3 ?? null,
    icc3k: twoWay?.icc3k ?? null,
    pairwise: meanOf('pairwise'),
    spearman: meanOf('spearman'),
    kendall: meanOf('kendall'),
  }
}
