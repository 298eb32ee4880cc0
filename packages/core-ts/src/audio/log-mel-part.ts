import { partOf } from '../registry/index.js'
import type { FeatureKind } from './feature-kind.js'
import { logMelFeatures } from './log-mel-features.js'
import { logMelPresets, melPrecisions, presetSampleRate } from './log-mel-presets.js'

/** For a row of the family of feature kinds; some read a file first. */
export const featuresPart = partOf<FeatureKind | Promise<FeatureKind>>()

/** Log-mel spectrograms as a row of the family of features. */
export const logMelPart = featuresPart({
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
          'Hz; clips of another rate are resampled to it. native: every clip at its own. clap always takes 48000, yamnet and whisper 16000.',
      },
      precision: {
        enum: melPrecisions,
        default: 'float64',
        description:
          'What frames are transformed in. float32 takes less time, and is what the sources of clap, torchaudio, yamnet and whisper do.',
      },
    },
  },
  fromConfig: ({ preset, sampleRate, precision }) =>
    logMelFeatures({
      preset,
      overrides: {
        ...(sampleRate === 'native' || presetSampleRate(preset) !== undefined ? {} : { sampleRate }),
        ...(precision === 'float64' ? {} : { precision }),
      },
    }),
})
