import { expected, SonotextError } from '../base/index.js'
import {
  type DirectionSummary,
  type EvaluateOptions,
  type QueryNames,
  resolveMeasures,
  summarizeQueries,
} from './evaluation.js'
import type { RankedQuery } from './measure.js'

/** The relevant items of one query: a set of ids, or grades by id (any number; gains for nDCG are the grades above 0). */
export type Relevance = ReadonlySet<string> | ReadonlyMap<string, number>

/**
 * What is made of items that nobody has judged, where the relevance is grades: `irrelevant` keeps them in the ranking, where they gain
 * nothing; `left-out` measures the condensed ranking of the judged items alone (Sakai, SIGIR 2007).
 */
export type Unjudged = 'irrelevant' | 'left-out'

/** Options of an evaluation of rankings. */
export interface RankingOptions extends EvaluateOptions {
  /** Number of items the rankings choose from. */
  readonly items: number
  /** How many items a ranking lists at most; default: the longest given. */
  readonly depth?: number
  /** Grades of at least this count as relevant for all measures but the graded ones; default: any grade above 0. */
  readonly minGrade?: number
  /** What grades are divided by; default 1. */
  readonly gradeScale?: number
  readonly unjudged?: Unjudged
  /** Ids and clusters of the queries; default: numbered, each drawn on its own. */
  readonly queries?: QueryNames
}

/**
 * Evaluates one direction from ranked lists, best first, one a query (for example the hits of an index). A query without a list counts
 * with all its relevant items unfound. Throws INVALID_ARGUMENT when lists and relevance do not fit together.
 */
export function evaluateHits(
  hits: readonly (readonly { readonly id: string }[] | undefined)[],
  relevance: readonly Relevance[],
  options: RankingOptions,
): DirectionSummary {
  if (hits.length !== relevance.length)
    throw expected(`${relevance.length} lists, one for each query`, 'hits', hits)
  checkGradeOptions(options)
  const lists = hits.map((list) => list?.map((hit) => hit.id) ?? [])
  const queries = lists.map((ids, q) => rankList(ids, relevance[q]!, options, `query ${q}`))
  const depth = options.depth ?? lists.reduce((most, list) => Math.max(most, list.length), 0)
  if (depth > options.items)
    throw expected(`lists of at most items = ${options.items}`, 'hits', `a list of ${depth}`)
  const size = { items: options.items, depth }
  return summarizeQueries(queries, resolveMeasures(options.measures), size, options.queries, options)
}

/** Finds the relevant items in one ranked list. Throws INVALID_DATA when an item is listed twice. */
export function rankList(
  ids: readonly string[],
  relevance: Relevance,
  options: GradeOptions,
  name: string,
): RankedQuery {
  refuseTwice(ids, name)
  if (!(relevance instanceof Map)) {
    const relevant = relevance as ReadonlySet<string>
    const ranks = ids.flatMap((id, i) => (relevant.has(id) ? [i + 1] : []))
    return { ranks, relevant: relevant.size }
  }
  const grades = relevance as ReadonlyMap<string, number>
  const rankOf = new Map<string, number>()
  for (const [i, id] of ids.entries()) if (grades.has(id)) rankOf.set(id, i + 1)
  return gradedQuery(
    Array.from(grades, ([id, grade]) => ({ grade, rank: rankOf.get(id) ?? Number.POSITIVE_INFINITY })),
    options,
  )
}

/** How grades are taken. */
export type GradeOptions = Pick<RankingOptions, 'minGrade' | 'gradeScale' | 'unjudged'>

/** A query from the grades of all its judged items and their ranks (Infinity: not in the ranking). */
export function gradedQuery(
  judged: readonly { readonly grade: number; readonly rank: number }[],
  { minGrade, gradeScale = 1, unjudged = 'irrelevant' }: GradeOptions,
): RankedQuery {
  const order = judged.toSorted((a, b) => (a.rank === b.rank ? 0 : a.rank - b.rank))
  const isLeftOut = unjudged === 'left-out'
  const found = order.map(({ grade, rank }, i) => ({
    isRelevant: minGrade === undefined ? grade > 0 : grade >= minGrade,
    gain: grade / gradeScale,
    rank: isLeftOut && rank < Infinity ? i + 1 : rank,
  }))
  const held = found.filter(({ rank }) => rank < Infinity)
  const gaining = held.filter(({ gain }) => gain > 0)
  return {
    ranks: held.flatMap(({ isRelevant, rank }) => (isRelevant ? [rank] : [])),
    relevant: found.filter(({ isRelevant }) => isRelevant).length,
    graded: { ranks: gaining.map(({ rank }) => rank), gains: gaining.map(({ gain }) => gain) },
    idealGains: found.flatMap(({ gain }) => (gain > 0 ? [gain] : [])).sort((a, b) => b - a),
    judged: { ranks: found.map(({ rank }) => rank), grades: found.map(({ gain }) => gain) },
    ...(isLeftOut && { items: judged.length }),
  }
}

/** Throws INVALID_ARGUMENT for what cannot be. */
export function checkGradeOptions({ gradeScale = 1, unjudged = 'irrelevant' }: GradeOptions): void {
  if (!(gradeScale > 0 && gradeScale < Infinity)) throw expected('a number above 0', 'gradeScale', gradeScale)
  if (unjudged !== 'irrelevant' && unjudged !== 'left-out')
    throw expected('irrelevant or left-out', 'unjudged', unjudged)
}

function refuseTwice(ids: readonly string[], name: string): void {
  const seen = new Set<string>()
  for (const id of ids) {
    if (seen.has(id)) {
      throw new SonotextError(
        'INVALID_DATA',
        `Expected each item once in a ranking, got "${id}" twice for ${name}.`,
      )
    }
    seen.add(id)
  }
}
