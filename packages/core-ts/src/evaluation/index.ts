export {
  type CaptionScorer,
  evaluateModel,
  type RelevanceOptions,
  type RetrievalMeasureOptions,
  retrievalMeasures,
  type ScoringModel,
  scoreSplit,
  type SplitOptions,
  type SplitScores,
} from './evaluate-model.js'
