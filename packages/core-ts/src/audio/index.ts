export { maxChannels, mixToMono, sampleRateLimits, type DecodedAudio, type MonoAudio } from './audio.js'
export { FileSource, memorySource, sliceSource, unreadable, type ByteSource } from './byte-source.js'
export type { ClipFeatures } from './clip-features.js'
export { defaultMaxSeconds, refuseLong } from './collect.js'
export { concatenatedFeatures, type ConcatenatedFeaturesOptions } from './concatenated-features.js'
export {
  decodeAudio,
  decodeStream,
  monoBlocks,
  readMono,
  type AudioDecoder,
  type AudioSource,
  type DecodeOptions,
  type DecodePolicy,
  type OpenAudio,
} from './decode.js'
export { encodeWav, writeWav, type EncodedWav, type WavOptions } from './encode-wav.js'
export { emptyBands } from './empty-bands.js'
export type {
  AudioFeatures,
  FeatureBlocks,
  FeatureKind,
  FrameRange,
  GivenFeatures,
  Origin,
  Plain,
} from './feature-kind.js'
export { fromOrigin, isGiven } from './feature-kind.js'
export { type Fingerprint, fingerprint, fingerprintStep } from './fingerprint.js'
export {
  frontEnd,
  frontEndAbout,
  type FrontEnd,
  type FrontEndOptions,
  type FrontEndPreset,
  frontEndPresets,
} from './front-ends.js'
export { type KnownTower, knownTowers } from './known-towers.js'
export { onnxFeatures, type OnnxFeaturesOptions } from './onnx-features.js'
export { onnxPart } from './onnx-part.js'
export { patchesOf, patchShape, type PatchShape } from './patches.js'
export { type Pooling, poolings } from './pooled-rows.js'
export { logMelFeatures, type LogMelFeaturesOptions } from './log-mel-features.js'
export { featuresPart, logMelPart } from './log-mel-part.js'
export { logMel, logMelHash, type ComputeOptions, type LogMel, type LogMelSettings } from './log-mel.js'
export {
  checkLogMelOptions,
  logMelOptions,
  logMelPresets,
  melPrecisions,
  type MelPrecision,
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
export { type ResampleFilter } from './kaiser-filter.js'
export { resample, type ResampleOptions } from './resample.js'
export { resampleBlocks } from './resample-blocks.js'
export { type SampleBlocks } from './sample-blocks.js'
export {
  resampledLength,
  resampleFilter,
  resampleQualities,
  type ResampleQuality,
  type ResampleQualityName,
} from './resample-filter.js'
