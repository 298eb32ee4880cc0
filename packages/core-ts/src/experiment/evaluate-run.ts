import type { ClipFeatures } from '../audio/index.js'
import { type Clip, clipsOfSplit, isFolder, type QuarantinedClip, readCollection } from '../data/index.js'
import type { Evaluation, IntervalMethod } from '../metrics/index.js'
import { evaluateModel } from '../train/index.js'
import { cacheFolderOf, prepareClips } from './prepare.js'
import type { OpenRun } from './run-folder.js'

/** How the clips of a run are read. */
export interface RunClipsOptions {
  /** Another manifest than the one trained on, or a folder of audio files. */
  manifest?: string
  /** Told what was passed over in a folder, as a sentence. */
  onNote?: (note: string) => void
  /** Past this share of clips that cannot be used the work is refused. Default: as when the run was trained. */
  maxBadShare?: number
  signal?: AbortSignal
  onFeatures?: (done: number, total: number) => void
  /** Told after every few clips that the model has embedded. */
  onScored?: (done: number, total: number) => void
  /** Told which clips cannot be used, and why; the rest goes on without them. */
  onSetAside?: (clips: readonly QuarantinedClip[]) => void
}

export interface EvaluateRunOptions extends RunClipsOptions {
  /** Default test. */
  split?: string
  measures?: readonly string[]
  /** Default: by clip, or by group where any clip of the split names one. */
  interval?: IntervalMethod
}

/**
 * Scores every clip of a split against every caption of it and measures both directions, with exact chance beside them and the value of
 * each query, by which two runs are compared.
 * @throws SonotextError INVALID_DATA for a split that is not there or whose clips cannot be used
 */
export async function evaluateRun(run: OpenRun, options: EvaluateRunOptions = {}): Promise<Evaluation> {
  const { split = 'test', measures, interval, signal, onScored } = options
  const { clips, features } = await featuresOf(run, split, options)
  return evaluateModel(run.model, clips, async (clip) => features.get(clip.id)!, {
    split,
    ...(measures === undefined ? {} : { measures }),
    ...(interval === undefined ? {} : { interval }),
    ...(signal === undefined ? {} : { signal }),
    ...(onScored === undefined ? {} : { onProgress: onScored }),
  })
}

/** The usable clips of a split (or of the whole manifest) and their features by id. */
export async function featuresOf(
  run: OpenRun,
  split: string | null,
  options: RunClipsOptions,
): Promise<{ clips: readonly Clip[]; features: ReadonlyMap<string, ClipFeatures> }> {
  const { config } = run
  const { manifest: path = config.data.manifest, maxBadShare = config.data.maxBadShare } = options
  const { signal, onFeatures, onSetAside, onNote } = options
  const abortable = signal === undefined ? {} : { signal }
  const manifest = await readCollection(path, { ...abortable, ...(onNote === undefined ? {} : { onNote }) })
  // Nothing is written into or beside a folder that was only looked through.
  const cache = (await isFolder(path)) ? config.data.cache : cacheFolderOf(config, path)
  const wanted = split === null ? manifest.clips : clipsOfSplit(manifest, split)
  const prepared = await prepareClips(wanted, run.featureStore(cache), {
    maxBadShare,
    ...abortable,
    ...(onFeatures === undefined ? {} : { onProgress: onFeatures }),
  })
  if (prepared.quarantine.clips.length > 0) onSetAside?.(prepared.quarantine.clips)
  return prepared
}
