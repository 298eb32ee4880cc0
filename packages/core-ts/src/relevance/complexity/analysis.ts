import { checkOptions, SonotextError } from '../../base/index.js'
import { type Interval, pearson } from '../../metrics/index.js'
import { intervalByQuery } from '../draws.js'
import type { JudgedPair, Relevances } from '../relevances.js'
import type { CaptionedClips } from '../similarity/index.js'
import { type LinearFit, linearFit } from './linear-fit.js'
import { textMeasures } from './text-measures.js'

/** What {@link analyseComplexity} looks at. */
export interface ComplexityOptions {
  readonly relevances: Relevances
  readonly captions: CaptionedClips
  /** What a model says of a pair, in [0, 1]; pairs of which it says nothing count for the listeners alone. */
  readonly machine?: (query: string, item: string) => number | undefined
  /** Further measures of a clip by name, such as its length; clips without one do not count for it. */
  readonly clipMeasures?: Readonly<Record<string, (clip: string) => number | undefined>>
  /** Captions with the clips they were written for, or all judged pairs. Default own. */
  readonly pairs?: 'own' | 'all'
  /** Draws of queries for the intervals. Default 499. */
  readonly replicates?: number
  /** Default 17. */
  readonly seed?: number
}

/** What may depend on complexity, of a pair. */
export const complexityTargets = {
  rating: 'how well listeners find that they fit',
  'spread of raters': 'how far listeners differ',
  'seconds played': 'how long they listened',
  'machine rating': 'how well the model finds that they fit',
  difference: 'how far model and listeners are apart',
} as const
/** One of {@link complexityTargets}. */
export type ComplexityTarget = keyof typeof complexityTargets

/** Pearson's correlation of a measure with a target; null where either is constant. */
export interface ComplexityCorrelation {
  readonly measure: string
  readonly target: ComplexityTarget
  readonly pairs: number
  readonly pearson: number | null
  /** 95 % by draws of queries. */
  readonly interval: Interval | null
}

/** What {@link analyseComplexity} found. */
export interface ComplexityAnalysis {
  readonly pairs: number
  readonly queries: number
  readonly measures: readonly string[]
  /** Those that the data have. */
  readonly targets: readonly ComplexityTarget[]
  readonly correlations: readonly ComplexityCorrelation[]
  /** Each target from all measures together, over the pairs that have them all; null where there are too few or the target is constant. */
  readonly fits: Readonly<Partial<Record<ComplexityTarget, (LinearFit & { readonly pairs: number }) | null>>>
  /** Every pair with its numbers; null where something is not known. */
  readonly rows: readonly ComplexityRow[]
}

/** One pair with its numbers; null where one is not known. */
export interface ComplexityRow {
  readonly query: string
  /** The caption. */
  readonly text: string
  readonly item: string
  readonly measures: Readonly<Record<string, number | null>>
  readonly targets: Readonly<Partial<Record<ComplexityTarget, number | null>>>
}

/**
 * What drives relevance as listeners and as models see it: measures of captions and clips against ratings, their spread, seconds that were
 * played, a model's rating, and the difference of the two (arXiv 2408.14939). Throws INVALID_DATA for a query that is no caption, and where
 * no pair is left.
 */
export function analyseComplexity(options: ComplexityOptions): ComplexityAnalysis {
  const { relevances, captions, machine, clipMeasures = {} } = checkOptions(options, 'analyseComplexity')
  const { pairs: which = 'own', replicates = 499, seed = 17 } = options
  const ofText = textMeasures(captions)
  const rows = relevances.pairs.flatMap((pair): ComplexityRow[] => {
    const query = captions.byId.get(pair.query)
    if (query === undefined) {
      throw new SonotextError(
        'INVALID_DATA',
        `Expected a caption for every rated query, got none for "${pair.query}".`,
        {
          remedy: 'Give the captions that belong to these ratings; ids must be written the same.',
        },
      )
    }
    if (which === 'own' && query.clip !== pair.item) return []
    const ofClip = Object.entries(clipMeasures).map(
      ([name, of]) => [name, of(pair.item) ?? Number.NaN] as const,
    )
    const measures = { ...ofText(query), ...Object.fromEntries(ofClip) }
    const known = Object.entries(measures).map(([name, x]) => [name, Number.isFinite(x) ? x : null] as const)
    const targets = targetsOf(pair, machine?.(pair.query, pair.item))
    return [
      { query: pair.query, text: query.text, item: pair.item, measures: Object.fromEntries(known), targets },
    ]
  })
  if (rows.length === 0) {
    throw new SonotextError(
      'INVALID_DATA',
      which === 'own'
        ? 'no rated pair is a caption with the clip it was written for.'
        : 'there is no rated pair.',
      { remedy: which === 'own' ? 'Analyse all rated pairs: --pairs all.' : 'Give ratings.' },
    )
  }
  const measures = Object.keys(rows[0]!.measures)
  const targets = (Object.keys(complexityTargets) as ComplexityTarget[]).filter((name) =>
    rows.some(({ targets: of }) => of[name] !== null && of[name] !== undefined),
  )
  const correlations = targets.flatMap((target) =>
    measures.map((measure) => correlation(rows, measure, target, { replicates, seed })),
  )
  const usable = measures.filter((name) => rows.some((row) => row.measures[name] !== null))
  const fits = Object.fromEntries(targets.map((target) => [target, fitOf(rows, usable, measures, target)]))
  const queries = new Set(rows.map(({ query }) => query)).size
  return { pairs: rows.length, queries, measures, targets, correlations, fits, rows }
}

function targetsOf(pair: JudgedPair, machine: number | undefined): ComplexityRow['targets'] {
  return {
    rating: pair.relevance,
    'spread of raters': pair.deviation,
    'seconds played': pair.played,
    'machine rating': machine ?? null,
    difference: machine === undefined ? null : Math.abs(machine - pair.relevance),
  }
}

function correlation(
  rows: readonly ComplexityRow[],
  measure: string,
  target: ComplexityTarget,
  { replicates, seed }: { replicates: number; seed: number },
): ComplexityCorrelation {
  const known = rows.flatMap((row) => {
    const [x, y] = [row.measures[measure], row.targets[target]]
    return x === null || x === undefined || y === null || y === undefined ? [] : [{ query: row.query, x, y }]
  })
  const of = (some: readonly { x: number; y: number }[]) =>
    pearson(
      Float64Array.from(some, ({ x }) => x),
      Float64Array.from(some, ({ y }) => y),
    )
  const byQuery = [...Map.groupBy(known, ({ query }) => query).values()]
  const stream = `${measure}/${target}`
  const value = of(known)
  const interval =
    value === null
      ? null
      : intervalByQuery(byQuery, (drawn) => of(drawn.flat()), { replicates, seed, stream })
  return { measure, target, pairs: known.length, pearson: value, interval }
}

function fitOf(
  rows: readonly ComplexityRow[],
  usable: readonly string[],
  measures: readonly string[],
  target: ComplexityTarget,
): (LinearFit & { readonly pairs: number }) | null {
  const known = rows.flatMap((row) => {
    const y = row.targets[target]
    const xs = usable.flatMap((name) => row.measures[name] ?? [])
    return y === null || y === undefined || xs.length < usable.length ? [] : [{ xs, y }]
  })
  const fit = linearFit(
    known.map(({ xs }) => xs),
    known.map(({ y }) => y),
  )
  if (fit === null) return null
  const coefficients = measures.map((name) => fit.coefficients[usable.indexOf(name)] ?? 0)
  return { ...fit, coefficients, pairs: known.length }
}
