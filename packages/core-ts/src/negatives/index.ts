export { hardNegatives, semiHardNegatives } from './cross-modality.js'
export { fullBatchNegatives } from './full-batch.js'
export { randomNegatives } from './random.js'
export { negatives, negativeStrategy, type NegativeStrategyName } from './registry.js'
export {
  checkNegatives,
  fromPicks,
  type NegativeQuery,
  type NegativeSet,
  type NegativeStrategy,
  type Plane,
} from './strategy.js'
export {
  easyAudioNegatives,
  easyTextNegatives,
  hardAudioNegatives,
  hardTextNegatives,
} from './within-modality.js'
