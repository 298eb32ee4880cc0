export { crnn, type CrnnOptions } from './crnn.js'
export {
  DualEncoder,
  dualEncoder,
  type DualEncoderOptions,
  type ModelConfig,
  modelFromConfig,
  type ModelFromConfigOptions,
  type ModelPlugins,
  pluginsOf,
} from './dual-encoder.js'
export type {
  AudioEncoder,
  AudioEncoderSpec,
  CaptionInput,
  PrepareCaptionsOptions,
  EncoderConfig,
  AudioEncoderSetting,
  EncoderSpec,
  TextEncoderSetting,
  TextEncoder,
  TextEncoderSpec,
} from './encoder.js'
export { frameScorer, type FrameScorerOptions } from './frame-scorer.js'
export { loadModel, type LoadModelOptions, modelFile, type SavedModel, saveModel } from './model-file.js'
export { PreparedCaptions } from './prepared-captions.js'
export { projection, type ProjectionOptions } from './projection.js'
export { crnnFromPyTorch, type CrnnLayout, crnnToPyTorch, type ForeignTensor } from './pytorch.js'
export { audioEncoders, textEncoders } from './registry.js'
export { AudioSide, type EmbedOptions, type EncodedBlock, type PassOptions, TextSide } from './sides.js'
export {
  bytesOf,
  preparedCaptions,
  preparedClips,
  type PreparedItems,
  scoreTiles,
  type Tile,
} from './score-tiles.js'
export { loadState, type StateDict, stateOf } from './state.js'
export { exportOnnx, type ExportedModel, importOnnx } from './export-onnx.js'
export { frozen } from './frozen.js'
export { type SentenceHeadOptions, sentences, type SentencesOptions } from './sentences.js'
export { canonicalStart, type CanonicalStartOptions } from './start/canonical.js'
export { starts } from './start/registry.js'
export type { Start, StartPairs } from './start/start.js'
export { meanWords, words, type WordsOptions } from './words.js'
