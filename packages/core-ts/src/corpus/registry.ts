import { type FeatureKind, logMelPart, onnxPart } from '../audio/index.js'
import { Family } from '../registry/index.js'
import { givenPart } from './given-features.js'

/** What a model hears of a clip: `await featureKinds.build({ type: 'log-mel', preset: 'librosa' })`. */
export const featureKinds = new Family<FeatureKind | Promise<FeatureKind>>('features', [
  logMelPart,
  onnxPart,
  givenPart,
])
