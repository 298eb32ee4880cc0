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

export interface RankingOptions extends EvaluateOptions {
  /** Number of items the rankings choose from. */
  readonly items: number
  /** How many items a ranking lists at most; default: the longest given. */
  readonly depth?: number
  /** Grades of at least this count as relevant for all measures but nDCG; default: any grade above 0. */
  readonly minGrade?: number
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
  const lists = hits.map((list) => list?.map((hit) => hit.id) ?? [])
  const queries = lists.map((ids, q) => rankList(ids, relevance[q]!, options.minGrade, `query ${q}`))
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
  minGrade: number | undefined,
  name: string,
): RankedQuery {
  const graded = relevance instanceof Map
  const grades: ReadonlyMap<string, number> = graded
    ? relevance
    : new Map(Array.from(relevance as ReadonlySet<string>, (id) => [id, 1]))
  const isRelevant = (grade: number) => (minGrade === undefined ? grade > 0 : grade >= minGrade)
  const seen = new Set<string>()
  const ranks: number[] = []
  const held = { ranks: [] as number[], gains: [] as number[] }
  for (const [i, id] of ids.entries()) {
    if (seen.has(id)) {
      throw new SonotextError(
        'INVALID_DATA',
        `Expected each item once in a ranking, got "${id}" twice for ${name}.`,
      )
    }
    seen.add(id)
    const grade = grades.get(id)
    if (grade === undefined) continue
    if (isRelevant(grade)) ranks.push(i + 1)
    if (grade > 0) {
      held.ranks.push(i + 1)
      held.gains.push(grade)
    }
  }
  const all = [...grades.values()]
  const relevant = all.filter(isRelevant).length
  if (!graded) return { ranks, relevant }
  return { ranks, relevant, graded: held, idealGains: all.filter((grade) => grade > 0).sort((a, b) => b - a) }
}
