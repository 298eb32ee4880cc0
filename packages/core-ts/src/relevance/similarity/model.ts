import {
  type CalibrationCurve,
  calibrated,
  linearPredictor,
  logistic,
  type LogisticConstants,
} from '../regression/index.js'
import { type ComparedPair, similaritiesOf, type SimilarityFeature } from './features.js'

/** From similarities of captions to the relevance of a clip for a query. */
export class RelevanceModel {
  readonly features: readonly SimilarityFeature[]
  readonly constants: LogisticConstants
  /** What corrects the logistic function; null where it stands as it is. */
  readonly calibration: CalibrationCurve | null

  constructor(
    features: readonly SimilarityFeature[],
    constants: LogisticConstants,
    calibration: CalibrationCurve | null = null,
  ) {
    this.features = features
    this.constants = constants
    this.calibration = calibration
  }

  /** Relevance in [0, 1] of what {@link linearPredictor} gives. */
  relevanceAt(predictor: number): number {
    const relevance = logistic(predictor)
    return this.calibration === null ? relevance : calibrated(this.calibration, relevance)
  }

  /** Relevance of one pair's similarities, a number a feature. */
  relevanceOf(similarities: ArrayLike<number>): number {
    return this.relevanceAt(linearPredictor(this.constants, similarities))
  }

  async relevances(
    pairs: readonly ComparedPair[],
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<Float64Array> {
    const rows = await similaritiesOf(pairs, this.features, options)
    return Float64Array.from(rows, (similarities) => this.relevanceOf(similarities))
  }
}
