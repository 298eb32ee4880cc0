import { type FeatureKind, logMelPart, onnxPart } from '../audio/index.js'
import { Family } from '../registry/index.js'
import { concatenatedPart } from './concatenated-part.js'
import { givenPart } from './given-features.js'

/** What a model hears of a clip: `await featureKinds.build({ type: 'log-mel', preset: 'librosa' })`. */
export const featureKinds: Family<FeatureKind | Promise<FeatureKind>> = new Family<
  FeatureKind | Promise<FeatureKind>
>('features', [logMelPart, onnxPart, givenPart, concatenatedPart((config) => featureKinds.build(config))])
