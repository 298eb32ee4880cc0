import { cutoff, meanMeasure, type Measure, measurePart, nameWith } from './measure.js'

/**
 * nDCG@k = DCG@k / ideal DCG@k, DCG@k = Σ_{n≤k} gain(n) / log2(n + 1) (Järvelin and Kekäläinen 2002). Gains are the grades as given;
 * for exponential gains give 2^grade − 1 as the grade. Without grades every relevant item gains 1. A query counts when anything can be
 * gained on it, from whichever grade on items are relevant for other measures.
 * By chance every rank expects the mean gain of the N items.
 */
export function ndcg(name: string, k: number): Measure {
  const averaged = meanMeasure(
    name,
    (query) => {
      const { ranks, gains } = query.idealGains
        ? (query.graded ?? nothing)
        : { ranks: query.ranks, gains: undefined }
      let dcg = 0
      for (let i = 0; i < ranks.length; i++)
        if (ranks[i]! <= k) dcg += (gains ? gains[i]! : 1) / Math.log2(ranks[i]! + 1)
      return ratio(dcg, idealDcg(query.idealGains, query.relevant, k))
    },
    ({ relevant, idealGains }, { items, depth }) => {
      let mean = relevant / items
      if (idealGains) {
        mean = 0
        for (let i = 0; i < idealGains.length; i++) mean += idealGains[i]! / items
      }
      return ratio(
        mean * idealDcg(undefined, Math.min(k, depth, items), k),
        idealDcg(idealGains, relevant, k),
      )
    },
  )
  return { ...averaged, counts: ({ relevant, idealGains }) => (idealGains?.length ?? relevant) > 0 }
}

const nothing = { ranks: [], gains: [] } as { ranks: readonly number[]; gains: readonly number[] }

/** A query on which nothing can be gained scores 0. */
function ratio(dcg: number, ideal: number): number {
  return ideal > 0 ? dcg / ideal : 0
}

/** DCG@k of the best ranking; without gains, of `count` items that gain 1 each. */
function idealDcg(gains: ArrayLike<number> | undefined, count: number, k: number): number {
  let dcg = 0
  for (let n = 1; n <= Math.min(k, gains?.length ?? count); n++)
    dcg += (gains ? gains[n - 1]! : 1) / Math.log2(n + 1)
  return dcg
}

export const ndcgPart = measurePart({
  name: 'nDCG',
  description: 'Gain of the ranking beside that of the best one.',
  schema: cutoff.optional,
  aliases: ['DCG'],
  fromConfig: ({ k }) => ndcg(nameWith('nDCG', k), k ?? Number.POSITIVE_INFINITY),
})
