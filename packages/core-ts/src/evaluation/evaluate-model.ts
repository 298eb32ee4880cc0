import { matrix, type Matrix } from '../base/matrix.js'
import { SonotextError } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import { type Clip, type FeatureSource, groupOf } from '../data/index.js'
import {
  evaluateGraded,
  evaluateRanks,
  evaluateScores,
  type EvaluateOptions,
  type EvaluateScoresOptions,
  type Evaluation,
  type GradedTruth,
  type GradeOptions,
} from '../metrics/index.js'
import { DualEncoder, type PassOptions } from '../models/index.js'
import { captionsOf, portions, rankSplit } from './evaluate-large.js'

/** What an evaluation asks of a model; a DualEncoder is one. */
export interface ScoringModel {
  /** Captions made ready once, to score clips against them part by part. */
  prepareCaptions(
    captions: readonly { readonly id: string; readonly text: string }[],
    options: PassOptions,
  ): Promise<CaptionScorer>
}

/** Captions that clips are scored against until they are disposed of. */
export interface CaptionScorer extends Disposable {
  /** Clips (features [frames × bands]) × captions. */
  score(clips: readonly Matrix[], options: PassOptions): Promise<Matrix>
}

/** Options of {@link scoreSplit}. */
export interface SplitOptions extends PassOptions {
  /** Told after every few clips. */
  onProgress?: (done: number, total: number) => void
}

/** The scores of all clips and captions of a split. */
export interface SplitScores {
  /** Clips × captions, in the order given. */
  readonly scores: Matrix
  /** Row of the clip that each caption belongs to. */
  readonly captionClip: Int32Array
}

/** Scores that are held at once, 256 MiB; of more only the ranks are. */
const largestMatrix = 2 ** 26

/** Scores of all clips of a split against all their captions; features are read a few clips at a time. */
export async function scoreSplit(
  model: ScoringModel,
  clips: readonly Clip[],
  features: FeatureSource,
  given: SplitOptions = {},
): Promise<SplitScores> {
  const { signal, padding = 0, onProgress } = checkOptions(given, 'scoreSplit')
  const options = { padding, ...(signal && { signal }) }
  const texts = captionsOf(clips)
  const captionClip = Int32Array.from(clips.flatMap(({ captions }, row) => captions.map(() => row)))
  const scores = matrix(clips.length, texts.length)
  using prepared = await model.prepareCaptions(texts, options)
  let done = 0
  for await (const some of portions(clips, features, options)) {
    scores.data.set((await prepared.score(some, options)).data, done * texts.length)
    done += some.length
    onProgress?.(done, clips.length)
  }
  return { scores, captionClip }
}

/** Against what a split is evaluated. */
export interface RelevanceOptions extends GradeOptions {
  /** Graded relevance by ids of captions and clips. Default: a clip is relevant to its own captions, and nothing else is. */
  readonly relevance?: GradedTruth
}

/**
 * Retrieval measures of a model over a split, both ways; definitions as in {@link evaluateScores}, the intervals by clip, or by group where
 * any clip names one.
 */
export async function evaluateModel(
  model: ScoringModel,
  clips: readonly Clip[],
  features: FeatureSource,
  options: EvaluateOptions & SplitOptions & RelevanceOptions = {},
): Promise<Evaluation> {
  const { relevance } = checkOptions(options, 'evaluateModel')
  const names: EvaluateScoresOptions = {
    ...options,
    clips: clips.map(({ id }) => id),
    captions: clips.flatMap(({ captions }) => captions.map(({ id }) => id)),
    ...(clips.some(({ group }) => group !== undefined) && { groups: clips.map(groupOf) }),
  }
  const captions = names.captions!.length
  if (clips.length * captions > largestMatrix) {
    // Only the parts of a DualEncoder are known well enough to score tile by tile.
    if (relevance !== undefined || !(model instanceof DualEncoder))
      throw tooMany(
        clips.length,
        captions,
        relevance === undefined ? 'a model of your own' : 'graded relevance',
      )
    const captionClip = clips.flatMap((clip, row) => clip.captions.map(() => row))
    return evaluateRanks(await rankSplit(model, clips, features, options), captionClip, names)
  }
  const { scores, captionClip } = await scoreSplit(model, clips, features, options)
  return relevance === undefined
    ? evaluateScores(scores, captionClip, names)
    : evaluateGraded(scores, captionClip, relevance, names)
}

function tooMany(clips: number, captions: number, what: string): SonotextError {
  return new SonotextError(
    'UNSUPPORTED',
    `Expected at most ${largestMatrix} scores for ${what}, got ${clips} clips and ${captions} captions.`,
    { remedy: 'Evaluate a smaller split.' },
  )
}

/** Options of {@link retrievalMeasures}. */
export interface RetrievalMeasureOptions extends RelevanceOptions {
  /** Default mAP@10. */
  measures?: EvaluateOptions['measures']
  /** As in {@link PassOptions}; here 0.05 by default: validation need not be exact, only the same every time. */
  padding?: number
}

/**
 * For `validation.measure` of a trainer: the measures over a split, named `textToAudio.mAP@10` and so on, the same clips
 * every time.
 */
export function retrievalMeasures(
  clips: readonly Clip[],
  features: FeatureSource,
  { measures = ['mAP@10'], padding = 0.05, ...graded }: RetrievalMeasureOptions = {},
): (model: ScoringModel, options: { signal?: AbortSignal }) => Promise<Record<string, number>> {
  return async (model, options) => {
    const { textToAudio, audioToText } = await evaluateModel(model, clips, features, {
      measures,
      padding,
      ...graded,
      ...options,
    })
    const named = (direction: string, values: Readonly<Record<string, number>> | null) =>
      Object.entries(values ?? {}).map(([name, value]) => [`${direction}.${name}`, value] as const)
    return Object.fromEntries([...named('textToAudio', textToAudio), ...named('audioToText', audioToText)])
  }
}
