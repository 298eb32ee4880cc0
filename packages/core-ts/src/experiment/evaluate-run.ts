import type { Matrix } from '../base/matrix.js'
import { type Clip, clipsOfSplit, readManifest } from '../data/index.js'
import { type Evaluation, evaluateScores } from '../metrics/index.js'
import { pairsOf } from './pairs.js'
import { prepareClips } from './prepare.js'
import type { OpenRun } from './run-folder.js'

export interface EvaluateRunOptions {
  /** Default test. */
  split?: string
  /** Another manifest than the one trained on. */
  manifest?: string
  measures?: readonly string[]
  signal?: AbortSignal
  onFeatures?: (done: number, total: number) => void
}

/**
 * Scores every clip of a split against every caption of it and measures both directions, with exact chance beside them.
 * @throws SonotextError INVALID_DATA for a split that is not there or whose clips cannot be used
 */
export async function evaluateRun(run: OpenRun, options: EvaluateRunOptions = {}): Promise<Evaluation> {
  const { split = 'test', measures, signal } = options
  const { clips, features } = await featuresOf(run, split, options)
  const { captions, captionClip } = pairsOf(clips)
  const scores = await run.model.score(features, captions, signal === undefined ? {} : { signal })
  return evaluateScores(scores, captionClip, { split, ...(measures === undefined ? {} : { measures }) })
}

/** The usable clips of a split (or of the whole manifest) and their features. */
export async function featuresOf(
  run: OpenRun,
  split: string | null,
  options: Pick<EvaluateRunOptions, 'manifest' | 'signal' | 'onFeatures'>,
): Promise<{ clips: readonly Clip[]; features: Matrix[] }> {
  const abortable = options.signal === undefined ? {} : { signal: options.signal }
  const manifest = await readManifest(options.manifest ?? run.config.data.manifest, abortable)
  const wanted = split === null ? manifest.clips : clipsOfSplit(manifest, split)
  const prepared = await prepareClips(wanted, run.store, {
    maxBadShare: run.config.data.maxBadShare,
    ...abortable,
    ...(options.onFeatures === undefined ? {} : { onProgress: options.onFeatures }),
  })
  return { clips: prepared.clips, features: prepared.clips.map((clip) => prepared.features.get(clip.id)!) }
}
