import { dirname, join } from 'node:path'
import { type DecodePolicy, ffmpegDecoder } from '../audio/index.js'
import type { Backend } from '../backend/port.js'
import { SonotextError } from '../base/errors.js'
import {
  type Corpus,
  featureKinds,
  openCorpus,
  type SiftedClips,
  type WindowOptions,
} from '../corpus/index.js'
import type { Clip } from '../data/index.js'
import type { DualEncoder } from '../models/index.js'
import { isPlainObject } from '../registry/index.js'
import type { RunConfig } from './config.js'

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

export interface ClipCorpusOptions {
  /** Without one nothing is kept. */
  cacheFolder?: string
  backend: Backend
  decode?: DecodePolicy
  /** How long recordings are cut. */
  windows?: WindowOptions
  onNote?: (note: string) => void
  signal?: AbortSignal
}

/** The features of clips as a configuration says. */
export async function corpusOf(features: FeatureConfig, options: ClipCorpusOptions): Promise<Corpus> {
  return openCorpus({ features: await featureKinds.build(features), ...options })
}

/** Which recordings a configuration lets be read, and by whom. */
export function decodePolicyOf({ data }: RunConfig): DecodePolicy {
  const { maxSeconds, maxExpansion, acceptCut, ffmpeg } = data
  return { maxSeconds, maxExpansion, acceptCut, decoders: ffmpeg ? [ffmpegDecoder()] : [] }
}

/** Where features are kept: beside the manifest unless the configuration names a folder. */
export function cacheFolderOf({ data }: RunConfig, manifest = data.manifest): string {
  return data.cache ?? join(dirname(manifest), 'features')
}

/** Options of {@link prepareClips}. */
export interface PrepareOptions {
  /** Past this share of bad clips the work is refused. */
  maxBadShare: number
  /** Whether a clip without captions is of no use. Default false. */
  needCaptions?: boolean
  signal?: AbortSignal
  onProgress?: (done: number, total: number) => void
}

/**
 * Computes the features of all clips that the cache does not have, and sets aside those without usable audio with their reason.
 * @throws SonotextError INVALID_DATA when more than `maxBadShare` of the clips are bad or none is left
 */
export async function prepareClips(
  clips: readonly Clip[],
  corpus: Corpus,
  { needCaptions = false, ...options }: PrepareOptions,
): Promise<SiftedClips<Clip>> {
  const refuse = ({ captions }: Clip) =>
    needCaptions && captions.length === 0 ? 'The clip has no caption.' : undefined
  return corpus.sift(clips, { ...options, refuse }).catch((error: unknown) => {
    throw aboutCache(error)
  })
}

/** A cache that cannot be written has a remedy of its own. */
function aboutCache(error: unknown): unknown {
  if (!(error instanceof SonotextError) || error.code !== 'WRITE_FAILED') return error
  return new SonotextError('WRITE_FAILED', error.message, {
    remedy: 'The feature cache can lie elsewhere: --set data.cache=FOLDER.',
    cause: error,
  })
}
