import { expected, SonotextError, type Matrix } from '../base/index.js'
import { checkOptions } from '../base/options.js'
import { defaultMeasures, measures as parse, type Measure, type RankedQuery } from './measure.js'
import { ranksOfRelevant } from './ranks.js'

/** Values by measure name. A median rank past the depth of a run is Infinity (null in JSON). */
export type MeasureValues = Record<string, number>
/** 95 % intervals by measure name; null where there are fewer than two queries. */
export type MeasureIntervals = Record<string, readonly [number, number] | null>

/** Both directions of one thing; null for a direction that was not evaluated. */
export interface Directions<T> {
  readonly textToAudio: T | null
  readonly audioToText: T | null
}

/** The result of an evaluation, plain JSON. Keys under the directions are measure names. */
export interface Evaluation extends Directions<MeasureValues> {
  readonly split: string | null
  /** Number of captions: the queries of text → audio, the items of audio → text. */
  readonly queries: number
  /** Number of clips: the items of text → audio, the queries of audio → text. */
  readonly items: number
  /** Exact expectation of each measure when rankings are uniformly random. */
  readonly chance: Directions<MeasureValues>
  readonly intervals: Directions<MeasureIntervals>
  /** Queries left out of the means because nothing is relevant to them (a clip without captions, a topic without judgements). */
  readonly withoutRelevant: Directions<number>
}

/** An evaluation that has both directions. */
export interface FullEvaluation extends Evaluation, BothDirections<MeasureValues> {
  readonly textToAudio: MeasureValues
  readonly audioToText: MeasureValues
  readonly chance: BothDirections<MeasureValues>
  readonly intervals: BothDirections<MeasureIntervals>
  readonly withoutRelevant: BothDirections<number>
}

export interface BothDirections<T> extends Directions<T> {
  readonly textToAudio: T
  readonly audioToText: T
}

export interface EvaluateOptions {
  /** Measure names or values; default {@link defaultMeasures}. */
  readonly measures?: readonly (string | Measure)[]
  /** Name of the split, passed on to the result. */
  readonly split?: string
}

/** One direction, summarised. `perQuery` keeps each measure's values in query order, for significance tests. */
export interface DirectionSummary {
  readonly values: MeasureValues
  readonly intervals: MeasureIntervals
  readonly chance: MeasureValues
  readonly perQuery: Record<string, Float64Array>
  readonly withoutRelevant: number
}

export function resolveMeasures(names: EvaluateOptions['measures'] = defaultMeasures): Measure[] {
  const resolved = names.flatMap((item) => (typeof item === 'string' ? parse(item) : [item]))
  if (resolved.length === 0) throw expected('at least one measure', 'measures', names)
  return resolved
}

/**
 * Per query first, then the summary of each measure. Queries with no relevant item are counted and left out; throws INVALID_DATA when
 * that leaves none. `depth` is how many items a ranking lists at most (default: all), which only chance needs.
 */
export function summarizeQueries(
  queries: readonly RankedQuery[],
  measures: readonly Measure[],
  size: { readonly items: number; readonly depth?: number },
): DirectionSummary {
  const judged = queries.filter((query) => query.relevant > 0)
  if (judged.length === 0) {
    throw new SonotextError(
      'INVALID_DATA',
      `Expected queries with relevant items, got ${queries.length} queries with none.`,
      {
        remedy: 'Check that the rankings and the truth name the same clips and captions.',
      },
    )
  }
  const most = judged.reduce((max, query) => Math.max(max, query.relevant), 0)
  if (most > size.items)
    throw expected(`at least ${most} items, as one query has that many relevant ones`, 'items', size.items)
  const ranking = { items: size.items, depth: Math.min(size.depth ?? size.items, size.items) }
  const values: MeasureValues = {}
  const intervals: MeasureIntervals = {}
  const chance: MeasureValues = {}
  const perQuery: Record<string, Float64Array> = {}
  for (const m of measures) {
    const scores = Float64Array.from(judged, (query) => m.score(query))
    const summary = m.summarize(scores)
    values[m.name] = summary.value
    intervals[m.name] = summary.interval
    chance[m.name] = m.chance(judged, ranking)
    perQuery[m.name] = scores
  }
  return { values, intervals, chance, perQuery, withoutRelevant: queries.length - judged.length }
}

/** Puts one or two summarised directions into the object that is printed. */
export function evaluation(
  parts: Directions<DirectionSummary>,
  about: { readonly split?: string | null | undefined; readonly queries: number; readonly items: number },
): Evaluation {
  const both = <T>(pick: (summary: DirectionSummary) => T): Directions<T> => ({
    textToAudio: parts.textToAudio && pick(parts.textToAudio),
    audioToText: parts.audioToText && pick(parts.audioToText),
  })
  return {
    split: about.split ?? null,
    queries: about.queries,
    items: about.items,
    ...both((summary) => summary.values),
    chance: both((summary) => summary.chance),
    intervals: both((summary) => summary.intervals),
    withoutRelevant: both((summary) => summary.withoutRelevant),
  }
}

/**
 * Evaluates a full score matrix [clips × captions] (larger = more similar) in both directions. `captionClip[j]` is the row of the clip
 * that caption j belongs to: text → audio has one relevant clip a query, audio → text all captions of the clip. Clips without captions
 * are distractors for text → audio and left out (and counted) as queries of audio → text. Ties go to the lower index.
 * Throws INVALID_ARGUMENT on sizes that do not fit and INVALID_DATA on NaN scores.
 */
export function evaluateScores(
  scores: Matrix,
  captionClip: ArrayLike<number>,
  options: EvaluateOptions = {},
): FullEvaluation {
  checkOptions(options, 'evaluateScores')
  const measures = resolveMeasures(options.measures)
  const { textToAudio, audioToText } = rankBothWays(scores, captionClip)
  return evaluation(
    {
      textToAudio: summarizeQueries(textToAudio, measures, { items: scores.rows }),
      audioToText: summarizeQueries(audioToText, measures, { items: scores.cols }),
    },
    { split: options.split, queries: scores.cols, items: scores.rows },
  ) as FullEvaluation
}

/** The ranks behind {@link evaluateScores}: one entry a caption and one a clip, for per-query work. */
export function rankBothWays(
  scores: Matrix,
  captionClip: ArrayLike<number>,
): { readonly textToAudio: RankedQuery[]; readonly audioToText: RankedQuery[] } {
  const { rows: clips, cols: captions, data } = scores
  if (captionClip.length !== captions) {
    throw expected(`one clip index for each of the ${captions} captions`, 'captionClip', captionClip)
  }
  if (clips === 0 || captions === 0)
    throw expected('at least one clip and one caption', 'scores', `${clips}×${captions}`)
  const ofClip: number[][] = Array.from({ length: clips }, () => [])
  for (let j = 0; j < captions; j++) {
    const clip = captionClip[j]!
    if (!Number.isInteger(clip) || clip < 0 || clip >= clips) {
      throw expected(`a clip index below ${clips}`, `captionClip[${j}]`, clip)
    }
    ofClip[clip]!.push(j)
  }
  const audioToText = ofClip.map((relevant, clip) => ({
    ranks:
      relevant.length > 0
        ? ranksOfRelevant(data.subarray(clip * captions, (clip + 1) * captions), relevant, `clip ${clip}`)
        : [],
    relevant: relevant.length,
  }))
  const textToAudio: RankedQuery[] = []
  // Columns are copied out in blocks: reading one column at a time would touch a new cache line for each clip.
  const block = 32
  const columns = new Float32Array(block * clips)
  for (let start = 0; start < captions; start += block) {
    const width = Math.min(block, captions - start)
    for (let i = 0; i < clips; i++) {
      for (let b = 0; b < width; b++) columns[b * clips + i] = data[i * captions + start + b]!
    }
    for (let b = 0; b < width; b++) {
      const column = columns.subarray(b * clips, (b + 1) * clips)
      const ranks = ranksOfRelevant(column, [captionClip[start + b]!], `caption ${start + b}`)
      textToAudio.push({ ranks, relevant: 1 })
    }
  }
  return { textToAudio, audioToText }
}
