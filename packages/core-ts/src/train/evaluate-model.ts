import { matrix, type Matrix } from '../base/matrix.js'
import { checkOptions } from '../base/options.js'
import { type Clip, type FeatureSource, groupOf } from '../data/index.js'
import { evaluateScores, type EvaluateOptions, type Evaluation } from '../metrics/index.js'
import type { DualEncoder } from '../models/index.js'

export interface SplitOptions {
  signal?: AbortSignal
  /** Told after every few clips. */
  onProgress?: (done: number, total: number) => void
}

export interface SplitScores {
  /** Clips × captions, in the order given. */
  readonly scores: Matrix
  /** Row of the clip that each caption belongs to. */
  readonly captionClip: Int32Array
}

/** Clips whose features are held at once. */
const portion = 64

/** Scores of all clips of a split against all their captions; features are read a few clips at a time. */
export async function scoreSplit(
  model: DualEncoder,
  clips: readonly Clip[],
  features: FeatureSource,
  given: SplitOptions = {},
): Promise<SplitScores> {
  const { signal, onProgress } = checkOptions(given, 'scoreSplit')
  const options = { ...(signal && { signal }) }
  const texts = clips.flatMap(({ captions }) => captions.map(({ text }) => text))
  const captionClip = Int32Array.from(clips.flatMap(({ captions }, row) => captions.map(() => row)))
  const scores = matrix(clips.length, texts.length)
  const prepared = await model.prepareCaptions(texts, options)
  for (let first = 0; first < clips.length; first += portion) {
    const some = await Promise.all(
      clips.slice(first, first + portion).map(async (clip) => (await features(clip, options)).features),
    )
    scores.data.set((await prepared.score(some, options)).data, first * texts.length)
    onProgress?.(Math.min(first + portion, clips.length), clips.length)
  }
  return { scores, captionClip }
}

/**
 * Retrieval measures of a model over a split, both ways; definitions as in {@link evaluateScores}, the intervals by clip, or by group where
 * any clip names one.
 */
export async function evaluateModel(
  model: DualEncoder,
  clips: readonly Clip[],
  features: FeatureSource,
  options: EvaluateOptions & SplitOptions = {},
): Promise<Evaluation> {
  checkOptions(options, 'evaluateModel')
  const { scores, captionClip } = await scoreSplit(model, clips, features, options)
  return evaluateScores(scores, captionClip, {
    ...options,
    clips: clips.map(({ id }) => id),
    captions: clips.flatMap(({ captions }) => captions.map(({ id }) => id)),
    ...(clips.some(({ group }) => group !== undefined) && { groups: clips.map(groupOf) }),
  })
}

/**
 * For `validation.measure` of a trainer: the measures over a split, named `textToAudio.mAP@10` and so on, the same clips
 * every time.
 */
export function retrievalMeasures(
  clips: readonly Clip[],
  features: FeatureSource,
  measures: NonNullable<EvaluateOptions['measures']> = ['mAP@10'],
): (model: DualEncoder, options: { signal?: AbortSignal }) => Promise<Record<string, number>> {
  return async (model, options) => {
    const { textToAudio, audioToText } = await evaluateModel(model, clips, features, { measures, ...options })
    const named = (direction: string, values: Readonly<Record<string, number>> | null) =>
      Object.entries(values ?? {}).map(([name, value]) => [`${direction}.${name}`, value] as const)
    return Object.fromEntries([...named('textToAudio', textToAudio), ...named('audioToText', audioToText)])
  }
}
