import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Corpus } from '../corpus/index.js'
import { type Clip, clipsOfSplit, isFolder, type QuarantinedClip, readCollection } from '../data/index.js'
import type { Evaluation, IntervalMethod } from '../metrics/index.js'
import { evaluateModel, type RelevanceOptions } from '../evaluation/index.js'
import { refuseStrange } from './check-relevance.js'
import { movedManifest } from './moved-manifest.js'
import { cacheFolderOf, prepareClips } from './prepare.js'
import { type OpenRun, readsForeign } from './run-folder.js'

/** How the clips of a run are read. */
export interface RunClipsOptions {
  /** Another manifest than the one trained on, or a folder of audio files. */
  manifest?: string
  /** Told what was passed over in a folder and what is not as it was asked for, as sentences. */
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

/** Options of {@link evaluateRun}. */
export interface EvaluateRunOptions extends RunClipsOptions, RelevanceOptions {
  /** Default test. */
  split?: string
  measures?: readonly string[]
  /** Default: by clip, or by group where any clip of the split names one. */
  interval?: IntervalMethod
}

/**
 * Scores every clip of a split against every caption of it and measures both directions, with exact chance beside them and the value of
 * each query, by which two runs are compared.
 * @throws SonotextError INVALID_DATA for a split that is not there or whose clips cannot be used, and for relevance of other clips
 */
export async function evaluateRun(run: OpenRun, options: EvaluateRunOptions = {}): Promise<Evaluation> {
  const { split = 'test', measures, interval, signal, onScored } = options
  const { relevance, minGrade, unjudged } = options
  await using opened = await openClips(run, split, {
    ...options,
    refuse: (clips) => relevance && refuseStrange(relevance, clips, `clips of the split ${split}`),
  })
  await run.model.text.prepare(
    opened.clips.flatMap(({ captions }) => captions),
    { cacheFolder: opened.cacheFolder, signal },
  )
  return await evaluateModel(run.model, opened.clips, opened.corpus.source, {
    split,
    ...(measures === undefined ? {} : { measures }),
    ...(interval === undefined ? {} : { interval }),
    ...(relevance === undefined ? {} : { relevance }),
    ...(minGrade === undefined ? {} : { minGrade }),
    ...(unjudged === undefined ? {} : { unjudged }),
    ...(signal === undefined ? {} : { signal }),
    ...(onScored === undefined ? {} : { onProgress: onScored }),
  })
}

/** The usable clips of a split, with the corpus that has their features. */
export interface OpenClips extends AsyncDisposable {
  readonly clips: readonly Clip[]
  readonly corpus: Corpus
  /** Where features are kept. */
  readonly cacheFolder: string
}

/** The usable clips of a split, or of the whole manifest; to be closed. */
export async function openClips(
  run: OpenRun,
  split: string | null,
  options: RunClipsOptions & {
    /** Throws where these clips cannot be used as they are, before their features are computed. */
    readonly refuse?: (clips: readonly Clip[]) => void
  },
): Promise<OpenClips> {
  const { config } = run
  const { manifest: path = config.data.manifest, maxBadShare = config.data.maxBadShare } = options
  const { signal, onFeatures, onSetAside, onNote } = options
  const told = { ...(signal === undefined ? {} : { signal }), ...(onNote === undefined ? {} : { onNote }) }
  const manifest = await readCollection(path, { ...told, foreign: readsForeign(run) }).catch(
    (cause: unknown) => {
      throw path === config.data.manifest
        ? movedManifest(cause, path, 'name it: --manifest PATH, or the option manifest')
        : cause
    },
  )
  const wanted = split === null ? manifest.clips : clipsOfSplit(manifest, split)
  options.refuse?.(wanted)
  // Nothing is written into or beside a folder that was only looked through: its features lie elsewhere for as long as they are needed.
  const kept = (await isFolder(path)) ? config.data.cache : cacheFolderOf(config, path)
  const scratch = kept === undefined ? await mkdtemp(join(tmpdir(), 'sonotext-features-')) : undefined
  const cacheFolder = kept ?? scratch!
  const corpus = await run.corpus({ cacheFolder, ...told })
  const close = async () => {
    await corpus[Symbol.asyncDispose]()
    if (scratch !== undefined) await rm(scratch, { recursive: true, force: true })
  }
  try {
    const { clips, quarantine } = await prepareClips(wanted, corpus, {
      maxBadShare,
      ...(signal === undefined ? {} : { signal }),
      ...(onFeatures === undefined ? {} : { onProgress: onFeatures }),
    })
    if (quarantine.clips.length > 0) onSetAside?.(quarantine.clips)
    return { clips, corpus, cacheFolder, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}
