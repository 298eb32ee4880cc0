import { expected } from '../base/errors.js'
import { type Matrix, matrix, row } from '../base/matrix.js'
import { type Calibration, fitTemperature, softmaxRows } from '../metrics/index.js'
import type { Clip } from '../data/index.js'
import { openClips, type RunClipsOptions } from './evaluate-run.js'
import type { OpenRun } from './run-folder.js'

/** Options of {@link classifyRun}. */
export interface ClassifyOptions {
  /** Sentences about a label, {} in its place; their scores are averaged. Default: "the sound of {}". */
  prompts?: readonly string[]
  /** Scores are divided by it before they become shares. Default: as the model was trained, else 0.07. */
  temperature?: number
  signal?: AbortSignal
}

/** What a recording is, by label: shares that sum to 1. */
export interface Classification {
  readonly file: string
  /** Most likely first. */
  readonly labels: readonly { readonly label: string; readonly share: number; readonly score: number }[]
}

/**
 * Labels of recordings by sentences about them, without training on labels.
 * @throws SonotextError INVALID_ARGUMENT for fewer than two labels or prompts without {}; as decoding does
 */
export async function classifyRun(
  run: OpenRun,
  files: readonly string[],
  labels: readonly string[],
  options: ClassifyOptions = {},
): Promise<Classification[]> {
  const { temperature = temperatureOf(run), signal } = options
  const abortable = signal === undefined ? {} : { signal }
  await using corpus = await run.corpus(abortable)
  const features: Matrix[] = []
  for await (const read of corpus.read(
    files.map((file) => ({ id: file, audio: file })),
    abortable,
  ))
    features.push(read.features)
  const scores = await labelScores(run, features, labels, options)
  const shares = softmaxRows(scores, temperature)
  return files.map((file, f) => ({
    file,
    labels: labels
      .map((label, i) => ({ label, share: row(shares, f)[i]!, score: row(scores, f)[i]! }))
      .toSorted((a, b) => b.share - a.share),
  }))
}

/** Where shares that were never fitted start from: what the model was trained with. */
function temperatureOf({ config }: OpenRun): number {
  const { temperature } = config.loss as { temperature?: unknown }
  return typeof temperature === 'number' ? temperature : 0.07
}

/** Scores [recordings × labels]: the mean over the prompts. */
async function labelScores(
  run: OpenRun,
  features: readonly Matrix[],
  labels: readonly string[],
  { prompts = ['the sound of {}'], signal }: ClassifyOptions,
): Promise<Matrix> {
  if (labels.length < 2 || new Set(labels).size < labels.length)
    throw expected('two or more different labels', 'labels', labels.join(', '))
  const odd = prompts.find((prompt) => !prompt.includes('{}'))
  if (prompts.length === 0 || odd !== undefined) throw expected('a sentence with {} in it', 'prompts', odd)
  const texts = labels.flatMap((label) => prompts.map((prompt) => prompt.replaceAll('{}', label)))
  const all = await run.model.score(features, texts, signal === undefined ? {} : { signal })
  const scores = matrix(features.length, labels.length)
  for (let r = 0; r < all.rows; r++)
    for (let c = 0; c < all.cols; c++)
      scores.data[r * labels.length + Math.floor(c / prompts.length)]! += row(all, r)[c]! / prompts.length
  return scores
}

/** Options of {@link calibrateRun}. */
export interface CalibrateOptions extends RunClipsOptions, ClassifyOptions {
  /** Only clips of this split. Default: all. */
  split?: string
}

/**
 * Finds the temperature at which shares say how often they are right, from clips whose only tag is one of the labels.
 * @throws SonotextError INVALID_DATA as {@link evaluateRun}; INVALID_ARGUMENT where no clip has exactly one of the labels
 */
export async function calibrateRun(
  run: OpenRun,
  labels: readonly string[],
  options: CalibrateOptions = {},
): Promise<Calibration & { readonly clips: number }> {
  const { split = null, signal } = options
  const abortable = signal === undefined ? {} : { signal }
  await using opened = await openClips(run, split, options)
  const column = ({ tags = [] }: Clip) => {
    const known = labels.flatMap((label, i) => (tags.includes(label) ? [i] : []))
    return known.length === 1 ? known[0] : undefined
  }
  const labelled = opened.clips.filter((clip) => column(clip) !== undefined)
  if (labelled.length === 0)
    throw expected('clips that have exactly one of the labels as a tag', 'the manifest', 'none')
  const features: Matrix[] = []
  for await (const read of opened.corpus.read(labelled, abortable)) features.push(read.features)
  const scores = await labelScores(run, features, labels, options)
  return {
    ...fitTemperature(
      scores,
      labelled.map((clip) => column(clip)!),
    ),
    clips: labelled.length,
  }
}
