import type { Measure, MeasureSummary, QueryShape, RankedQuery, RankingSize } from './measure.js'

/** Two-sided 95 % quantile of the standard normal distribution. */
export const Z95 = 1.959963984540054

/** A measure that is averaged over queries, from its value for one ranking and its expectation over all rankings. */
export function meanMeasure(
  name: string,
  score: (query: RankedQuery) => number,
  expectation: (query: QueryShape, size: RankingSize) => number,
): Measure {
  return {
    name,
    score,
    summarize: summarizeMean,
    chance: (queries, size) => {
      const byRelevant = new Map<number, number>()
      let sum = 0
      for (const query of queries) {
        let value = query.idealGains ? undefined : byRelevant.get(query.relevant)
        if (value === undefined) {
          value = expectation(query, size)
          if (!query.idealGains) byRelevant.set(query.relevant, value)
        }
        sum += value
      }
      return sum / queries.length
    },
  }
}

/**
 * Mean with its jackknife 95 % interval. Leaving one out n times gives, for a mean, a standard error of exactly s/√n
 * (s the sample standard deviation), so the closed form is used.
 */
export function summarizeMean(values: Float64Array): MeasureSummary {
  const n = values.length
  let sum = 0
  for (const value of values) sum += value
  const mean = sum / n
  if (n < 2) return { value: mean, interval: null }
  let squares = 0
  for (const value of values) squares += (value - mean) ** 2
  const half = Z95 * Math.sqrt(squares / (n - 1) / n)
  return { value: mean, interval: [mean - half, mean + half] }
}
