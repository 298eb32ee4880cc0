import { checkOptions, expected, Rng, SonotextError } from '../../base/index.js'
import { type Interval, pearson, spearman } from '../../metrics/index.js'
import { intervalByQuery } from '../draws.js'
import {
  type CalibrationType,
  fitCalibration,
  fitLogistic,
  linearPredictor,
  logistic,
} from '../regression/index.js'
import type { Relevances } from '../relevances.js'
import type { CaptionedClips } from './captioned.js'
import { type ComparedPair, similaritiesOf, type SimilarityFeature } from './features.js'
import { RelevanceModel } from './model.js'

/** A judged pair with what its relevance is predicted from. */
export interface RatedPair extends ComparedPair {
  readonly clip: string
  readonly relevance: number
}

/**
 * The judged pairs of captions (queries) and clips, each with the clip's captions but the query itself. Pairs whose clip has no other
 * caption say nothing and are left out. Throws INVALID_DATA for queries and clips that the captions do not know, or when no pair is left.
 */
export function ratedPairs(relevances: Relevances, captions: CaptionedClips): RatedPair[] {
  const pairs = relevances.pairs.flatMap(({ query: id, item, relevance }) => {
    const query = captions.byId.get(id)
    const ofClip = captions.byClip.get(item)
    if (query === undefined || ofClip === undefined) {
      throw new SonotextError(
        'INVALID_DATA',
        `Expected captions for every rated query and clip, got none for the ${query === undefined ? `query "${id}"` : `clip "${item}"`}.`,
        { remedy: 'Give the captions that belong to these ratings; ids must be written the same.' },
      )
    }
    const others = ofClip.filter((caption) => caption.id !== id)
    return others.length === 0 ? [] : [{ query, clip: item, captions: others, relevance }]
  })
  if (pairs.length === 0) {
    throw new SonotextError('INVALID_DATA', 'Expected clips with captions besides the query, got none.', {
      remedy: 'Clips of one caption cannot be compared with it.',
    })
  }
  return pairs
}

/** How well predictions fit relevances. */
export interface FitQuality {
  readonly pairs: number
  readonly queries: number
  /** Over all pairs; null where either side is constant. */
  readonly pearson: number | null
  /** 95 % by draws of queries; null with one query. */
  readonly pearsonInterval: Interval | null
  readonly spearman: number | null
  /** Mean squared error of relevances in [0, 1], and of predicting their mean throughout. */
  readonly mse: number
  readonly constantMse: number
  readonly calibration: readonly CalibrationBin[]
}

/** Pairs of about the same prediction. */
export interface CalibrationBin {
  readonly pairs: number
  readonly predicted: number
  readonly observed: number
}

/** Options of {@link fitQuality}. */
export interface QualityOptions {
  /** Draws of queries for the interval; default 999. */
  readonly replicates?: number
  readonly seed?: number
}

/** How well predictions fit relevances; intervals come from draws of whole queries. */
export function fitQuality(
  pairs: readonly Pick<RatedPair, 'query' | 'relevance'>[],
  predicted: ArrayLike<number>,
  { replicates = 999, seed = 17 }: QualityOptions = {},
): FitQuality {
  const observed = Float64Array.from(pairs, ({ relevance }) => relevance)
  const mean = observed.reduce((sum, x) => sum + x, 0) / observed.length
  const squared = (of: (i: number) => number) => observed.reduce((sum, x, i) => sum + (x - of(i)) ** 2, 0)
  const queries = [...Map.groupBy(pairs.keys(), (i) => pairs[i]!.query.id).values()]
  const correlation = (drawn: readonly (readonly number[])[]) => {
    const rows = drawn.flat()
    return pearson(
      rows.map((i) => predicted[i]!),
      rows.map((i) => observed[i]!),
    )
  }
  return {
    pairs: pairs.length,
    queries: queries.length,
    pearson: pearson(predicted, observed),
    pearsonInterval: intervalByQuery(queries, correlation, { replicates, seed, stream: 'fit' }),
    spearman: spearman(predicted, observed),
    mse: squared((i) => predicted[i]!) / observed.length,
    constantMse: squared(() => mean) / observed.length,
    calibration: calibrationBins(predicted, observed),
  }
}

/** Ten bins of equal width; those without pairs are not there. */
function calibrationBins(predicted: ArrayLike<number>, observed: Float64Array): CalibrationBin[] {
  const bins = Map.groupBy(observed.keys(), (i) => Math.min(9, Math.floor(10 * predicted[i]!)))
  return [...bins]
    .sort(([a], [b]) => a - b)
    .map(([, rows]) => ({
      pairs: rows.length,
      predicted: rows.reduce((sum, i) => sum + predicted[i]!, 0) / rows.length,
      observed: rows.reduce((sum, i) => sum + observed[i]!, 0) / rows.length,
    }))
}

/** Options of {@link fitRelevance}. */
export interface FitOptions extends QualityOptions {
  /** What corrects the logistic function; default nothing. */
  readonly calibration?: CalibrationType
  /** Parts of cross-validation, by query; default 5, 0 for none. */
  readonly folds?: number
  readonly signal?: AbortSignal
}

/** A fitted model and how well it fits. */
export interface FittedRelevance {
  readonly model: RelevanceModel
  /** On the pairs it was fitted on. */
  readonly quality: FitQuality
  /** On pairs of queries that were left out when their prediction was fitted; null without folds. */
  readonly crossValidated: FitQuality | null
}

/**
 * Fits relevance to similarities of captions: a logistic function by least squares, with slopes of 0 or more, then, if asked for, a rising
 * curve that corrects it. Cross-validation leaves out whole queries. Throws INVALID_DATA where all pairs are equally relevant, and for one
 * query where it is to be cross-validated.
 */
export async function fitRelevance(
  pairs: readonly RatedPair[],
  features: readonly SimilarityFeature[],
  options: FitOptions = {},
): Promise<FittedRelevance> {
  const { signal } = checkOptions(options, 'fitRelevance')
  if (features.length === 0) throw expected('one similarity or more', 'features', features)
  checkFittable(pairs, options)
  const rows = await similaritiesOf(pairs, features, { ...(signal && { signal }) })
  return fitSimilarities(pairs, rows, features, options)
}

/** {@link fitRelevance} from similarities that are known, a row a pair. Throws INVALID_DATA where all pairs are equally relevant. */
export function fitSimilarities(
  pairs: readonly Pick<RatedPair, 'query' | 'relevance'>[],
  rows: readonly Float64Array[],
  features: readonly SimilarityFeature[],
  options: FitOptions = {},
): FittedRelevance {
  const { calibration, folds = 5, seed = 17 } = options
  const relevance = Float64Array.from(pairs, (pair) => pair.relevance)
  checkFittable(pairs, { folds })
  const queries = [...new Set(pairs.map(({ query }) => query.id))]
  const model = fitRows(rows, relevance, features, calibration)
  let crossValidated: FitQuality | null = null
  if (folds !== 0) {
    const order = new Rng(seed, 'folds').shuffle([...queries])
    const foldOf = new Map(order.map((query, i) => [query, i % folds]))
    const predicted = new Float64Array(pairs.length)
    for (let fold = 0; fold < folds; fold++) {
      const isOut = (i: number) => foldOf.get(pairs[i]!.query.id) === fold
      const inside = [...pairs.keys()].filter((i) => !isOut(i))
      const part = fitRows(
        inside.map((i) => rows[i]!),
        inside.map((i) => relevance[i]!),
        features,
        calibration,
      )
      for (const i of pairs.keys()) if (isOut(i)) predicted[i] = part.relevanceOf(rows[i]!)
    }
    crossValidated = fitQuality(pairs, predicted, options)
  }
  const own = rows.map((similarities) => model.relevanceOf(similarities))
  return { model, quality: fitQuality(pairs, own, options), crossValidated }
}

/**
 * Throws, before vectors are made, what {@link fitRelevance} would throw of these pairs: INVALID_DATA where all are equally relevant, so that no
 * similarity tells anything of them, and for one query where it is to be cross-validated; INVALID_ARGUMENT for folds that cannot be.
 */
export function checkFittable(
  pairs: readonly Pick<RatedPair, 'query' | 'relevance'>[],
  { folds = 5 }: Pick<FitOptions, 'folds'> = {},
): void {
  const [first] = pairs
  if (first !== undefined && pairs.every(({ relevance }) => relevance === first.relevance)) {
    throw new SonotextError(
      'INVALID_DATA',
      `Expected pairs of different relevance to fit, got ${first.relevance} for all ${pairs.length}.`,
      { remedy: 'Give ratings of clips that fit their captions more and less.' },
    )
  }
  if (folds === 0) return
  const queries = new Set(pairs.map(({ query }) => query.id)).size
  if (queries < 2) {
    throw new SonotextError('INVALID_DATA', 'Expected ratings of two queries or more, got one.', {
      remedy: 'Cross-validation leaves out whole queries: rate more of them, or fit without it (--folds 0).',
    })
  }
  if (!Number.isInteger(folds) || folds < 2 || folds > queries)
    throw expected(`a whole number from 2 to the number of queries, ${queries}`, 'folds', folds)
}

function fitRows(
  rows: readonly Float64Array[],
  relevance: ArrayLike<number>,
  features: readonly SimilarityFeature[],
  calibration: CalibrationType | undefined,
): RelevanceModel {
  const constants = fitLogistic(rows, relevance)
  if (calibration === undefined) return new RelevanceModel(features, constants)
  const predicted = rows.map((row) => logistic(linearPredictor(constants, row)))
  return new RelevanceModel(features, constants, fitCalibration(calibration, predicted, relevance))
}
