export * from './agreement/index.js'
export * from './complexity/index.js'
export { percentScale, type Rating, type RatingScale, type RatingTable } from './rating.js'
export {
  type GroupStatistics,
  type OwnItemStatistics,
  type RatingStatistics,
  ratingStatistics,
} from './rating-statistics.js'
export { manifestRelevances, strangePairs, withRelevance } from './manifest-relevances.js'
export {
  parseRatings,
  joinRatings,
  readRatings,
  type ReadRatingsOptions,
  writeRatings,
} from './read-ratings.js'
export {
  type AggregateOptions,
  aggregateRatings,
  type JudgedPair,
  type RatingAverage,
  Relevances,
  relevancesCsv,
  writeRelevances,
} from './relevances.js'
export { readRelevances, readRelevancesNow } from './read-relevances.js'
export {
  type Exclusion,
  type ScreenedRatings,
  type ScreeningOptions,
  screenRatings,
  type Unscreened,
} from './screening.js'
export * from './regression/index.js'
export * from './similarity/index.js'
export { controlRule } from './listening/controls.js'
export {
  type ListedItem,
  type ListeningOptions,
  type ListeningPlan,
  planListening,
  type RatingList,
} from './listening/plan.js'
