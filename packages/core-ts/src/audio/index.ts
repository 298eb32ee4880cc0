export { maxChannels, mixToMono, sampleRateLimits, type DecodedAudio, type MonoAudio } from './audio.js'
export {
  decodeAudio,
  readMono,
  type AudioDecoder,
  type AudioSource,
  type DecodeOptions,
  type DecodePolicy,
} from './decode.js'
export { encodeWav, writeWav, type EncodedWav, type WavOptions } from './encode-wav.js'
export { emptyBands } from './empty-bands.js'
export { contentHash, FeatureCache, type ClipFeatures } from './feature-cache.js'
export {
  computeFeatures,
  featureStore,
  type ComputeFeaturesOptions,
  type FeatureProgress,
  type FeatureRun,
  type FeatureStore,
  type FeatureStoreOptions,
  type Quarantined,
  type StoredFeatures,
} from './features.js'
export { logMel, logMelHash, type ComputeOptions, type LogMel, type LogMelSettings } from './log-mel.js'
export {
  checkLogMelOptions,
  logMelOptions,
  logMelPresets,
  presetSampleRate,
  type LogMelOptions,
  type LogMelPreset,
} from './log-mel-presets.js'
export {
  hzToMel,
  melFilters,
  melToHz,
  type MelFilterOptions,
  type MelFilters,
  type MelScale,
} from './mel-filters.js'
export { ffmpegDecoder, type FfmpegOptions } from './ffmpeg.js'
export { type AudioStream } from './formats/format.js'
export { decodeNpy, encodeNpy, writeNpy } from '../base/npy.js'
export { resample, type ResampleOptions } from './resample.js'
export {
  resampledLength,
  resampleFilter,
  resampleQualities,
  type ResampleFilter,
  type ResampleQuality,
  type ResampleQualityName,
} from './resample-filter.js'
export { featureKinds, type FeatureSetting } from './feature-kinds.js'
