export { type EntryFacts } from './cache-file.js'
export {
  Corpus,
  type ClipWithFeatures,
  type CorpusClip,
  type CorpusFeatures,
  type CorpusOptions,
  openCorpus,
  type ReadOptions,
  type SiftOptions,
} from './corpus.js'
export { givenFeatures, type GivenFeaturesOptions } from './given-features.js'
export { type Part } from './part.js'
export { type CorpusStats } from './recordings.js'
export { type ClipWindow, type WindowOptions } from './windows.js'
