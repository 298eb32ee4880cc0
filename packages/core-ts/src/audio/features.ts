import { createHash } from 'node:crypto'
import { openBackend } from '../backend/open.js'
import type { Backend } from '../backend/port.js'
import { throwIfAborted } from '../base/abort.js'
import { expected, SonotextError, type ErrorCode } from '../base/errors.js'
import { decodeBytes, readAudioFile, toMono, type DecodePolicy } from './decode.js'
import { contentHash, FeatureCache, type ClipFeatures } from './feature-cache.js'
import { defaultMaxSeconds, refuseLong } from './collect.js'
import { logMel, logMelHash, type LogMel } from './log-mel.js'
import { logMelOptions, presetSampleRate, type LogMelOptions, type LogMelPreset } from './log-mel-presets.js'

export interface FeatureStoreOptions {
  preset: LogMelPreset
  /** What to replace in the preset. With a sampleRate all clips are brought to it; without, see {@link LogMelPreset}. */
  overrides?: Partial<LogMelOptions>
  /** Folder of the cache; without one nothing is kept. */
  cacheFolder?: string
  /** Default: what openBackend() gives. */
  backend?: Backend
  /** Which recordings are read, and by whom. */
  decode?: DecodePolicy
}

export interface StoredFeatures extends ClipFeatures {
  /** true: read from the cache, the audio was not decoded. */
  readonly cached: boolean
  /** Rate they were computed at, Hz; not known of what comes from the cache. */
  readonly sampleRate?: number
}

/** Log-mel features of audio files, from a cache or computed and then kept. */
export interface FeatureStore {
  readonly bands: number
  /** Names the configuration; part of every cache entry's path. */
  readonly hash: string
  /**
   * Features of one file, channels averaged.
   * @throws SonotextError as {@link decodeAudio} and {@link LogMel.compute}, with the file's name; WRITE_FAILED when the cache cannot
   *   be written
   */
  get(path: string, options?: { signal?: AbortSignal }): Promise<StoredFeatures>
}

/** Part of the hash: changed when decoding or mixing would give other samples. */
const VERSION = 'features 1'

/** A store of log-mel features. @throws SonotextError INVALID_ARGUMENT for options that {@link logMelOptions} refuses */
export function featureStore(options: FeatureStoreOptions): FeatureStore {
  const { preset, overrides = {}, cacheFolder, decode = {} } = options
  const backend = options.backend ?? openBackend()
  const fixedRate = overrides.sampleRate ?? presetSampleRate(preset)
  // Where the rate is the clip's own, the options at some rate and what is replaced in them stand for all.
  const example = logMelOptions(preset, {
    ...overrides,
    ...(fixedRate === undefined ? { sampleRate: 44_100 } : {}),
  })
  const spec = JSON.stringify([
    VERSION,
    fixedRate ?? 'own rate',
    Object.entries(overrides).sort(),
    logMelHash(example),
    // Whole files give the same features under any policy: the rest are kept apart.
    ...(decode.acceptCut === true ? ['cut files too'] : []),
    ...(decode.decoders ?? []).map(({ name }) => name),
  ])
  const hash = createHash('sha256').update(spec).digest('hex').slice(0, 16)
  const cache = cacheFolder === undefined ? undefined : new FeatureCache(cacheFolder)
  const frontEnds = new Map<number, LogMel>()
  const frontEnd = (clipRate: number): LogMel => {
    const sampleRate = fixedRate ?? clipRate
    let front = frontEnds.get(sampleRate)
    if (front === undefined)
      frontEnds.set(sampleRate, (front = logMel(preset, { ...overrides, sampleRate }, { backend })))
    return front
  }

  return {
    bands: example.bands,
    hash,
    async get(path, { signal } = {}) {
      throwIfAborted(signal)
      const bytes = await readAudioFile(path, signal)
      const content = contentHash(bytes)
      const kept = await cache?.get(hash, content)
      if (kept !== undefined) {
        refuseLong(kept.duration, decode.maxSeconds ?? defaultMaxSeconds, path)
        return { ...kept, cached: true }
      }
      const signalOption = signal === undefined ? {} : { signal }
      const { samples, sampleRate } = toMono(
        await decodeBytes(bytes, path, path, { ...decode, ...signalOption }),
      )
      const front = frontEnd(sampleRate)
      const features = await front
        .compute(samples, { sampleRate, ...signalOption })
        .catch((error: unknown) => {
          throw named(error, path)
        })
      const clip = { features, frameStep: front.frameStep, duration: samples.length / sampleRate }
      await cache?.put(hash, content, clip)
      return { ...clip, cached: false, sampleRate: front.options.sampleRate }
    },
  }
}

/** The same error about a file. */
function named(error: unknown, file: string): unknown {
  if (!(error instanceof SonotextError) || error.file !== undefined) return error
  const message =
    error.remedy === undefined ? error.message : error.message.slice(0, -error.remedy.length - 1)
  return new SonotextError(error.code, message, {
    file,
    cause: error,
    ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
  })
}

/** A file that gave no features, and why. */
export interface Quarantined {
  readonly file: string
  readonly code: ErrorCode
  /** Names the file and says what to do. */
  readonly message: string
}

export interface FeatureProgress {
  readonly file: string
  readonly done: number
  readonly total: number
  readonly cached: number
  readonly quarantined: number
}

export interface ComputeFeaturesOptions {
  /** Files in work at once. Default 4: one is decoded while another is computed. */
  concurrency?: number
  signal?: AbortSignal
  /** Called with each result as it comes, in no fixed order; a promise is waited for before its slot takes the next file. */
  onFeatures?: (file: string, features: StoredFeatures, index: number) => void | Promise<void>
  onProgress?: (progress: FeatureProgress) => void
}

export interface FeatureRun {
  readonly computed: number
  readonly cached: number
  /** In the order of the files. */
  readonly quarantined: readonly Quarantined[]
}

/** What is wrong with one file; anything else (a full disk, an abort, a lost device) is wrong with the run. */
const fileCodes: readonly ErrorCode[] = [
  'INVALID_FILE',
  'INVALID_DATA',
  'TOO_LONG',
  'MISSING_FILE',
  'UNSUPPORTED',
  'MISSING_DEPENDENCY',
]

/**
 * Features of many files with bounded concurrency. A file that cannot be used is set aside with its reason and the run goes on;
 * with a cache, a run that was stopped continues where it was.
 * @throws SonotextError ABORTED, WRITE_FAILED, OUT_OF_MEMORY, DEVICE_ERROR; what onFeatures throws
 */
export async function computeFeatures(
  files: readonly string[],
  store: FeatureStore,
  options: ComputeFeaturesOptions = {},
): Promise<FeatureRun> {
  const { concurrency = 4, signal, onFeatures, onProgress } = options
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw expected('an integer of 1 or more', 'concurrency', concurrency)
  const quarantined = new Map<number, Quarantined>()
  let next = 0
  let computed = 0
  let cached = 0
  const one = async (index: number) => {
    const file = files[index]!
    const result = await store.get(file, signal === undefined ? {} : { signal }).catch((error: unknown) => {
      if (!(error instanceof SonotextError) || !fileCodes.includes(error.code)) throw error
      quarantined.set(index, { file, code: error.code, message: error.message })
    })
    if (result !== undefined) {
      if (result.cached) cached++
      else computed++
      await onFeatures?.(file, result, index)
    }
    const done = computed + cached + quarantined.size
    onProgress?.({ file, done, total: files.length, cached, quarantined: quarantined.size })
  }
  const work = async () => {
    try {
      while (next < files.length) await one(next++)
    } catch (error) {
      next = files.length
      throw error
    }
  }
  // All workers end before the error is thrown: nothing is written to the cache behind the caller's back.
  const workers = Array.from({ length: Math.min(concurrency, files.length) }, work)
  const results = await Promise.allSettled(workers)
  const failure = results.find((result) => result.status === 'rejected')
  if (failure !== undefined) throw failure.reason
  const inOrder = [...quarantined].sort(([a], [b]) => a - b).map(([, entry]) => entry)
  return { computed, cached, quarantined: inOrder }
}
