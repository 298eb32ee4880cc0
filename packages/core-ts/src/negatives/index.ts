export { hardNegatives, semiHardNegatives } from './cross-modality.js'
export { fullBatchNegatives } from './full-batch.js'
export { randomNegatives } from './random.js'
export { guards, strategies } from './registry.js'
export { equalCaptions, givenPairs, type Guard, type GuardQuery, guardedPairs, sameGroup } from './guards.js'
export { groupsOf, type PairItem, PairMask } from './pairs.js'
export type { Plane, Planes } from './planes.js'
export { negativeQuery, type NegativeQuery, type QueryOptions } from './query.js'
export {
  checkNegatives,
  fromPicks,
  type NegativeSet,
  type NegativeStrategy,
  type RememberingStrategy,
} from './strategy.js'
export {
  easyAudioNegatives,
  easyTextNegatives,
  hardAudioNegatives,
  hardTextNegatives,
} from './within-modality.js'
