export {
  evaluateModel,
  type RelevanceOptions,
  type RetrievalMeasureOptions,
  retrievalMeasures,
  scoreSplit,
  type SplitOptions,
  type SplitScores,
} from './evaluate-model.js'
