export {
  analyseComplexity,
  type ComplexityAnalysis,
  type ComplexityCorrelation,
  type ComplexityOptions,
  type ComplexityRow,
  type ComplexityTarget,
  complexityTargets,
} from './analysis.js'
export { type PosteriorEntropies, posteriorEntropies } from './audio-measures.js'
export { type LinearFit, linearFit } from './linear-fit.js'
export { NgramModel } from './ngram-model.js'
export { type TextMeasure, textMeasureNames, textMeasures } from './text-measures.js'
