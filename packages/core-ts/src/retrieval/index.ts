export {
  createIndex,
  EmbeddingIndex,
  type IndexOptions,
  loadIndex,
  type LoadIndexOptions,
} from './embedding-index.js'
export { captionScorer, clipScorer, type FrameWordScorerOptions } from './frame-word-scorer.js'
export type { IndexPrecision } from './narrow-items.js'
export type { Hit, SearchOptions } from './hits.js'
export { type Scorer, searchByScore, type ScorerSearchOptions } from './scorer.js'
