export { type ApplyOptions, applyRelevance } from './apply.js'
export {
  captionedClips,
  type CaptionedClips,
  captionsOfClips,
  type ClipCaption,
  readCaptions,
} from './captioned.js'
export { type ComparedPair, dot, similaritiesOf, type SimilarityFeature } from './features.js'
export {
  type CalibrationBin,
  checkFittable,
  type FitOptions,
  type FitQuality,
  fitQuality,
  fitRelevance,
  fitSimilarities,
  type FittedRelevance,
  type QualityOptions,
  type RatedPair,
  ratedPairs,
} from './fit.js'
export { RelevanceModel } from './model.js'
export { namedFeatures, type NamedFeaturesOptions } from './named-features.js'
export { decodeRelevanceModel, loadRelevanceModel, saveRelevanceModel } from './saved.js'
export { type NamedVectors, openVectors, type OpenVectorsOptions, type VectorsSource } from './sources.js'
export type { CaptionText, CaptionVectors } from './vectors.js'
