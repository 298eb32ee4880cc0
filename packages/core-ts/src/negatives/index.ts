export { bandNegatives, type BandOptions } from './band.js'
export { captionRuleNegatives, type CaptionRulesOptions } from './caption-rules.js'
export { clusteredNegatives } from './cluster-batches.js'
export { hardNegatives, semiHardNegatives } from './cross-modality.js'
export { distanceWeightedNegatives, type DistanceWeightedOptions } from './distance-weighted.js'
export { facenetSemiHardNegatives } from './facenet-semi-hard.js'
export { fullBatchNegatives } from './full-batch.js'
export { randomNegatives } from './random.js'
export { guards, strategies } from './registry.js'
export {
  duplicateClips,
  equalCaptions,
  givenPairs,
  type Guard,
  type GuardQuery,
  guardedPairs,
  sameGroup,
  similarCaptions,
  type SimilarCaptionsOptions,
} from './guards.js'
export { mixedNegatives } from './mixture.js'
export { queuedNegatives } from './queue.js'
export { scheduledNegatives } from './schedule.js'
export { groupsOf, type PairItem, PairMask } from './pairs.js'
export type { Plane, Planes } from './planes.js'
export {
  checkQuery,
  negativeQuery,
  planeOf,
  type NegativeQuery,
  type QueryOptions,
  type WrittenCaption,
} from './query.js'
export {
  type BatchWishes,
  checkNegatives,
  checkStrategy,
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
export { relevantPairs, unjudgedPairs } from './relevance-guard.js'
