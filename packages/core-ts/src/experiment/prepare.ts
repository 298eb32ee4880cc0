import { join, dirname } from 'node:path'
import { computeFeatures, type FeatureStore, featureStore } from '../audio/index.js'
import type { Backend } from '../backend/port.js'
import { SonotextError } from '../base/errors.js'
import type { Matrix } from '../base/matrix.js'
import { type Clip, Quarantine } from '../data/index.js'
import type { ExperimentConfig } from './config.js'

/** The part of a configuration that says how features are made; kept with a model. */
export type FeatureConfig = ExperimentConfig['features']

/** A feature store as the configuration says, cached beside the manifest unless it names a folder. */
export function storeOf(features: FeatureConfig, cacheFolder: string, backend: Backend): FeatureStore {
  const { preset, sampleRate } = features
  return featureStore({
    preset,
    overrides: preset === 'clap' ? {} : { sampleRate },
    cacheFolder,
    backend,
  })
}

export function cacheFolderOf({ data }: ExperimentConfig): string {
  return data.cache ?? join(dirname(data.manifest), 'features')
}

export interface PreparedClips {
  /** Clips with features, in order. */
  readonly clips: readonly Clip[]
  readonly features: ReadonlyMap<string, Matrix>
  readonly quarantine: Quarantine
}

/**
 * Features of all clips, held in memory (a 10 s clip at 20 ms takes 128 KiB). Clips without captions or without usable
 * audio are set aside with their reason.
 * @throws SonotextError INVALID_DATA when more than `maxBadShare` of the clips are bad or none is left
 */
export async function prepareClips(
  clips: readonly Clip[],
  store: FeatureStore,
  options: {
    maxBadShare: number
    signal?: AbortSignal
    onProgress?: (done: number, total: number) => void
  },
): Promise<PreparedClips> {
  const quarantine = new Quarantine(clips.length, options.maxBadShare)
  const features = new Map<string, Matrix>()
  const { quarantined } = await computeFeatures(
    clips.map(({ audio }) => audio),
    store,
    {
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      onFeatures: (_file, stored, index) => void features.set(clips[index]!.id, stored.features),
      onProgress: ({ done, total }) => options.onProgress?.(done, total),
    },
  )
  const reasons = new Map(quarantined.map(({ file, message }) => [file, message]))
  for (const clip of clips) {
    const reason = reasons.get(clip.audio)
    if (reason !== undefined) quarantine.add(clip, reason)
    else if (clip.captions.length === 0) quarantine.add(clip, 'The clip has no caption.')
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
