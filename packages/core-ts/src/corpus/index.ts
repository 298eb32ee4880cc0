export { type EntryFacts } from './cache-file.js'
export {
  Corpus,
  type ClipWithFeatures,
  type CorpusClip,
  type CorpusFeatures,
  type ClipFacts,
  type CorpusOptions,
  openCorpus,
  type ReadOptions,
  type SiftedClips,
  type SiftOptions,
} from './corpus.js'
export { givenFeatures, idsFileOf, type GivenFeaturesOptions } from './given-features.js'
export { heldSource } from './held.js'
export { featureKinds } from './registry.js'
export { type Part } from './part.js'
export { type CorpusStats } from './recordings.js'
export { type ClipWindow, type WindowOptions } from './windows.js'
