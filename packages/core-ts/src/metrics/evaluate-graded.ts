import { checkOptions, expected, type Matrix, SonotextError } from '../base/index.js'
import { captionIds, type EvaluateScoresOptions } from './evaluate.js'
import { evaluation, type FullEvaluation, resolveMeasures, summarizeQueries } from './evaluation.js'
import type { RankedQuery } from './measure.js'
import { checkGradeOptions, gradedQuery, type GradeOptions } from './rankings.js'
import { ranksOfRelevant } from './ranks.js'

/** Grades of judged pairs; what it does not hold nobody has judged. */
export interface GradedTruth {
  readonly queries: readonly string[]
  /** Grades of the judged items of a query by id. */
  judged(query: string): ReadonlyMap<string, number>
}

/** Measures reported for graded relevance when none are named. */
export const defaultGradedMeasures = ['nDCG@5', 'nDCG@10', 'gAP', 'mAP@16', 'Spearman', 'Kendall'] as const

/**
 * {@link evaluateScores} against graded relevance of captions (queries) and clips (items) by their ids: text → audio over the captions that
 * have judged clips, audio → text over the clips that have judged captions. Judged pairs of other captions and clips than those scored are
 * passed over. Throws INVALID_DATA when no judged pair is among them.
 */
export function evaluateGraded(
  scores: Matrix,
  captionClip: ArrayLike<number>,
  truth: GradedTruth,
  options: EvaluateScoresOptions & GradeOptions = {},
): FullEvaluation {
  checkOptions(options, 'evaluateGraded')
  checkGradeOptions(options)
  const measures = resolveMeasures(options.measures ?? defaultGradedMeasures)
  const { rows, cols, data } = scores
  const clips = options.clips ?? Array.from({ length: rows }, (_, row) => String(row))
  const captions = options.captions ?? captionIds(clips, captionClip)
  const groups = options.groups ?? clips
  for (const [name, list, length] of [
    ['clips', clips, rows],
    ['captions', captions, cols],
    ['groups', groups, rows],
    ['captionClip', captionClip, cols],
  ] as const)
    if (list.length !== length) throw expected(`${length} of them`, name, list)
  const { ofCaption, ofClip } = judgedPairs(truth, captions, clips)
  const ranked = (line: Float32Array, judged: ReadonlyMap<number, number>, name: string): RankedQuery => {
    const order = [...judged.keys()].sort((a, b) => line[b]! - line[a]! || a - b)
    const ranks = ranksOfRelevant(line, order, name)
    return gradedQuery(
      order.map((item, i) => ({ grade: judged.get(item)!, rank: ranks[i]! })),
      options,
    )
  }
  const toAudio = Array.from(ofCaption, ([caption, judged]) => {
    const column = Float32Array.from({ length: rows }, (_, row) => data[row * cols + caption]!)
    return ranked(column, judged, `caption ${captions[caption]}`)
  })
  const toText = Array.from(ofClip, ([clip, judged]) =>
    ranked(data.subarray(clip * cols, (clip + 1) * cols), judged, `clip ${clips[clip]}`),
  )
  const unit = options.groups ? 'group' : 'clip'
  const named = (ids: readonly string[], clipOf: (index: number) => number, of: Iterable<number>) => {
    const indices = [...of]
    return {
      ids: indices.map((index) => ids[index]!),
      clusters: indices.map((index) => groups[clipOf(index)]!),
      unit,
    } as const
  }
  const captionNames = named(captions, (caption) => captionClip[caption]!, ofCaption.keys())
  const clipNames = named(clips, (clip) => clip, ofClip.keys())
  return evaluation(
    {
      textToAudio: summarizeQueries(toAudio, measures, { items: rows }, captionNames, options),
      audioToText: summarizeQueries(toText, measures, { items: cols }, clipNames, options),
    },
    { split: options.split, queries: toAudio.length, items: rows },
  ) as FullEvaluation
}

type Judged = Map<number, Map<number, number>>

/** Grades by caption and clip, and the other way round, by their numbers. */
function judgedPairs(
  truth: GradedTruth,
  captions: readonly string[],
  clips: readonly string[],
): { readonly ofCaption: Judged; readonly ofClip: Judged } {
  const rowOf = new Map(clips.map((id, row) => [id, row]))
  const [ofCaption, ofClip]: [Judged, Judged] = [new Map(), new Map()]
  const note = (map: Judged, query: number, item: number, grade: number) => {
    const grades = map.get(query)
    if (grades === undefined) map.set(query, new Map([[item, grade]]))
    else grades.set(item, grade)
  }
  for (const [caption, id] of captions.entries()) {
    for (const [item, grade] of truth.judged(id)) {
      const clip = rowOf.get(item)
      if (clip === undefined) continue
      note(ofCaption, caption, clip, grade)
      note(ofClip, clip, caption, grade)
    }
  }
  if (ofCaption.size > 0) return { ofCaption, ofClip }
  const [query] = truth.queries
  throw new SonotextError(
    'INVALID_DATA',
    `Expected judged pairs of the captions and clips that are scored, got none: the relevance knows "${query}", the captions are such as "${captions[0]}".`,
    { remedy: 'Queries must be ids of captions and items ids of clips, as the manifest has them.' },
  )
}
