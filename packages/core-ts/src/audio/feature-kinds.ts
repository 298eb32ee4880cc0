import type { Backend } from '../backend/port.js'
import { Family, partOf } from '../registry/index.js'
import { type DecodePolicy } from './decode.js'
import { type FeatureStore, featureStore } from './features.js'
import { logMelPresets } from './log-mel-presets.js'

/** What a kind of features needs to make them. */
export interface FeatureSetting {
  readonly backend: Backend
  /** Folder of the cache; without one nothing is kept. */
  readonly cacheFolder?: string
  readonly decode?: DecodePolicy
}

const featurePart = partOf<FeatureStore, FeatureSetting>()

/** What a model hears of a clip: `featureKinds.build({ type: 'log-mel', preset: 'librosa' }, { backend })`. */
export const featureKinds = new Family<FeatureStore, FeatureSetting>('features', [
  featurePart({
    name: 'log-mel',
    description: 'Log-mel spectrograms.',
    schema: {
      properties: {
        preset: {
          enum: logMelPresets,
          default: 'thesis',
          description: 'Window, bands and scale of the frames.',
        },
        sampleRate: {
          anyOf: [{ type: 'integer', minimum: 1000 }, { const: 'native' }],
          default: 22_050,
          description:
            'Hz; clips of another rate are resampled to it. native: every clip at its own. clap always takes 48000.',
        },
      },
    },
    fromConfig: ({ preset, sampleRate }, setting) =>
      featureStore({
        preset,
        overrides: sampleRate === 'native' || preset === 'clap' ? {} : { sampleRate },
        ...setting,
      }),
  }),
])
