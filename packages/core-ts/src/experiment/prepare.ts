import { dirname, join } from 'node:path'
import {
  type ClipFeatures,
  computeFeatures,
  type DecodePolicy,
  type FeatureStore,
  featureKinds,
  ffmpegDecoder,
} from '../audio/index.js'
import type { Backend } from '../backend/port.js'
import { SonotextError } from '../base/errors.js'
import type { Matrix } from '../base/matrix.js'
import { type Clip, Quarantine } from '../data/index.js'
import type { DualEncoder } from '../models/index.js'
import { isPlainObject } from '../registry/index.js'
import type { RunConfig } from '../runs/index.js'

/** The part of a configuration that says how features are made; kept with a model. */
export type FeatureConfig = RunConfig['features']

/** The features a model was trained on; 0.1 knew one kind and did not name it. Throws INVALID_FILE when it does not say. */
export function featureConfigOf(model: DualEncoder, file: string): FeatureConfig {
  const { features } = model.config
  if (isPlainObject(features)) return { type: 'log-mel', ...features }
  throw new SonotextError('INVALID_FILE', 'the model does not say which features it was trained on.', {
    file,
    remedy: 'Train it with `sonotext train` or trainRun(), or embed with its own features in code.',
  })
}

/** A feature store as the configuration says; without a folder nothing is kept. */
export function storeOf(
  features: FeatureConfig,
  cacheFolder: string | undefined,
  backend: Backend,
  decode: DecodePolicy = {},
): FeatureStore {
  return featureKinds.build(features, {
    backend,
    decode,
    ...(cacheFolder === undefined ? {} : { cacheFolder }),
  })
}

/** Which recordings a configuration lets be read, and by whom. */
export function decodePolicyOf({ data }: RunConfig): DecodePolicy {
  const { maxSeconds, acceptCut, ffmpeg } = data
  return { maxSeconds, acceptCut, decoders: ffmpeg ? [ffmpegDecoder()] : [] }
}

/** Where features are kept: beside the manifest unless the configuration names a folder. */
export function cacheFolderOf({ data }: RunConfig, manifest = data.manifest): string {
  return data.cache ?? join(dirname(manifest), 'features')
}

export interface PrepareOptions {
  /** Past this share of bad clips the work is refused. */
  maxBadShare: number
  /** Whether a clip without captions is of no use. Default false. */
  needCaptions?: boolean
  signal?: AbortSignal
  onProgress?: (done: number, total: number) => void
}

export interface PreparedClips {
  /** Clips with features, in order. */
  readonly clips: readonly Clip[]
  /** By clip id. */
  readonly features: ReadonlyMap<string, ClipFeatures>
  readonly quarantine: Quarantine
}

/**
 * Features of all clips, held in memory (a 10 s clip at 20 ms takes 128 KiB). Clips without usable audio are set aside with
 * their reason.
 * @throws SonotextError INVALID_DATA when more than `maxBadShare` of the clips are bad or none is left
 */
export async function prepareClips(
  clips: readonly Clip[],
  store: FeatureStore,
  options: PrepareOptions,
): Promise<PreparedClips> {
  const { maxBadShare, needCaptions = false, signal, onProgress } = options
  const quarantine = new Quarantine(clips.length, maxBadShare)
  const features = new Map<string, ClipFeatures>()
  const files = clips.map(({ audio }) => audio)
  const { quarantined } = await computeFeatures(files, store, {
    ...(signal === undefined ? {} : { signal }),
    onFeatures: (_file, { features: frames, frameStep, duration }, index) =>
      void features.set(clips[index]!.id, { features: frames, frameStep, duration }),
    onProgress: ({ done, total }) => onProgress?.(done, total),
  }).catch((error: unknown) => {
    throw aboutCache(error)
  })
  const unreadable = new Map(quarantined.map(({ file, message }) => [file, message]))
  for (const clip of clips) {
    const reason =
      unreadable.get(clip.audio) ??
      (isConstant(features.get(clip.id)!.features) ? `${clip.audio}: the clip is silent.` : undefined) ??
      (needCaptions && clip.captions.length === 0 ? 'The clip has no caption.' : undefined)
    if (reason === undefined) continue
    quarantine.add(clip, reason)
    features.delete(clip.id)
  }
  quarantine.refuseExceeded()
  const kept = quarantine.keep(clips)
  if (kept.length === 0) {
    throw new SonotextError('INVALID_DATA', `none of ${clips.length} clips can be used.`, {
      remedy: 'Run sonotext check on the manifest: it names what is wrong with each.',
    })
  }
  return { clips: kept, features, quarantine }
}

/** Digital silence gives the same number in every frame and band. */
function isConstant({ data }: Matrix): boolean {
  return data.every((value) => value === data[0])
}

/** A cache that cannot be written has a remedy of its own. */
function aboutCache(error: unknown): unknown {
  if (!(error instanceof SonotextError) || error.code !== 'WRITE_FAILED') return error
  return new SonotextError('WRITE_FAILED', error.message, {
    remedy: 'The feature cache can lie elsewhere: --set data.cache=FOLDER.',
    cause: error,
  })
}
