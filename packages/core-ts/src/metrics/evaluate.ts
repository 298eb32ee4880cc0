import { checkOptions, expected, type Matrix } from '../base/index.js'
import {
  evaluation,
  type EvaluateOptions,
  type FullEvaluation,
  resolveMeasures,
  summarizeQueries,
} from './evaluation.js'
import type { RankedQuery } from './measure.js'
import { ranksOfRelevant } from './ranks.js'

/** Options of {@link evaluateScores}. */
export interface EvaluateScoresOptions extends EvaluateOptions {
  /** Ids of the clips; default their row numbers. */
  readonly clips?: readonly string[]
  /** Ids of the captions; default `<clip id>#<number from 1>`. */
  readonly captions?: readonly string[]
  /** Which clips belong together (cut from one recording); default: each is on its own. */
  readonly groups?: readonly string[]
}

/**
 * Evaluates a full score matrix [clips × captions] (larger = more similar) in both directions. `captionClip[j]` is the row of the clip
 * that caption j belongs to: text → audio has one relevant clip a query, audio → text all captions of the clip. Clips without captions
 * are distractors for text → audio and left out (and counted) as queries of audio → text. Ties go to the lower index. Intervals take the
 * clip with all its captions as what is drawn at random, or the group of clips where `groups` are given.
 * Throws INVALID_ARGUMENT on sizes that do not fit and INVALID_DATA on NaN scores.
 */
export function evaluateScores(
  scores: Matrix,
  captionClip: ArrayLike<number>,
  options: EvaluateScoresOptions = {},
): FullEvaluation {
  checkOptions(options, 'evaluateScores')
  return evaluateRanks(rankBothWays(scores, captionClip), captionClip, options)
}

/** The same from the ranks, where there is no matrix: {@link StreamedRanks}. */
export function evaluateRanks(
  { textToAudio, audioToText }: ReturnType<typeof rankBothWays>,
  captionClip: ArrayLike<number>,
  options: EvaluateScoresOptions = {},
): FullEvaluation {
  const measures = resolveMeasures(options.measures)
  const [rows, cols] = [audioToText.length, textToAudio.length]
  const clips = options.clips ?? Array.from({ length: rows }, (_, row) => String(row))
  if (clips.length !== rows) throw expected(`an id for each of the ${rows} clips`, 'clips', clips)
  const groups = options.groups ?? clips
  if (groups.length !== rows) throw expected(`a group for each of the ${rows} clips`, 'groups', groups)
  const unit = options.groups ? 'group' : 'clip'
  const ofCaptions = Array.from({ length: cols }, (_, j) => groups[captionClip[j]!]!)
  const captions = options.captions ?? captionIds(clips, captionClip)
  const toAudio = { ids: captions, clusters: ofCaptions, unit } as const
  const toText = { ids: clips, clusters: groups, unit } as const
  return evaluation(
    {
      textToAudio: summarizeQueries(textToAudio, measures, { items: rows }, toAudio, options),
      audioToText: summarizeQueries(audioToText, measures, { items: cols }, toText, options),
    },
    { split: options.split, queries: cols, items: rows },
  ) as FullEvaluation
}

/** `<clip id>#<number from 1>`, as in a manifest. */
export function captionIds(clips: readonly string[], captionClip: ArrayLike<number>): string[] {
  const seen = new Int32Array(clips.length)
  return Array.from(captionClip, (clip) => `${clips[clip]}#${++seen[clip]!}`)
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
