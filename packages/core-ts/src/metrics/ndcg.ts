import { expected } from '../base/index.js'
import { cutoff, cutoffOf, meanMeasure, type Measure, measurePart, nameWith } from './measure.js'

/**
 * nDCG@k = DCG@k / ideal DCG@k, DCG@k = Σ_{n≤k} gain(n) / log2(n + 1) (Järvelin and Kekäläinen 2002). Linear gains are the grades as given,
 * exponential ones 2^grade − 1 (Burges et al. 2005). Without grades every relevant item gains 1. A query counts when anything can be
 * gained on it, from whichever grade on items are relevant for other measures.
 * By chance every rank expects the mean gain of the N items.
 */
export function ndcg(name: string, k: number, gain: 'linear' | 'exponential' = 'linear'): Measure {
  const gainOf = gain === 'linear' ? (grade: number) => grade : exponential
  const averaged = meanMeasure(
    name,
    (query) => {
      const { ranks, gains } = query.idealGains
        ? (query.graded ?? nothing)
        : { ranks: query.ranks, gains: undefined }
      let dcg = 0
      for (let i = 0; i < ranks.length; i++)
        if (ranks[i]! <= k) dcg += (gains ? gainOf(gains[i]!) : 1) / Math.log2(ranks[i]! + 1)
      return ratio(dcg, idealDcg(query.idealGains, query.relevant, k, gainOf))
    },
    ({ relevant, idealGains }, { items, depth }) => {
      let mean = relevant / items
      if (idealGains) {
        mean = 0
        for (let i = 0; i < idealGains.length; i++) mean += gainOf(idealGains[i]!) / items
      }
      return ratio(
        mean * idealDcg(undefined, Math.min(k, depth, items), k, gainOf),
        idealDcg(idealGains, relevant, k, gainOf),
      )
    },
  )
  return {
    ...averaged,
    ...cutoffOf(k),
    counts: ({ relevant, idealGains }) => (idealGains?.length ?? relevant) > 0,
  }
}

const nothing = { ranks: [], gains: [] } as { ranks: readonly number[]; gains: readonly number[] }

function exponential(grade: number): number {
  if (grade <= largestExponent) return 2 ** grade - 1
  throw expected(`grades of at most ${largestExponent}`, 'nDCG-exp', grade, {
    remedy: 'State the largest grade, by which all are divided: --grade-scale 100, or gradeScale.',
  })
}

/** Of more than a million to one nothing but the best grade would count. */
const largestExponent = 20

/** A query on which nothing can be gained scores 0. */
function ratio(dcg: number, ideal: number): number {
  return ideal > 0 ? dcg / ideal : 0
}

/** DCG@k of the best ranking; without gains, of `count` items that gain 1 each. */
function idealDcg(
  gains: ArrayLike<number> | undefined,
  count: number,
  k: number,
  gainOf: (grade: number) => number,
): number {
  let dcg = 0
  for (let n = 1; n <= Math.min(k, gains?.length ?? count); n++)
    dcg += (gains ? gainOf(gains[n - 1]!) : 1) / Math.log2(n + 1)
  return dcg
}

export const ndcgPart = measurePart({
  name: 'nDCG',
  description: 'Gain of the ranking beside that of the best one.',
  schema: cutoff.optional,
  aliases: ['DCG'],
  fromConfig: ({ k }) => ndcg(nameWith('nDCG', k), k ?? Number.POSITIVE_INFINITY),
})

export const ndcgExponentialPart = measurePart({
  name: 'nDCG-exp',
  description: 'nDCG with gains of 2^grade − 1, which favours the best items.',
  schema: cutoff.optional,
  fromConfig: ({ k }) => ndcg(nameWith('nDCG-exp', k), k ?? Number.POSITIVE_INFINITY, 'exponential'),
})
