import { readFileSync } from 'node:fs'

/** What tools/golden/relevance.py made. */
export const goldenRelevance = JSON.parse(
  readFileSync(new URL('../../test-data/relevance/golden.json', import.meta.url), 'utf8'),
) as {
  readonly alpha: readonly { units: number[][]; nominal: number; interval: number }[]
  readonly correlation: readonly {
    x: number[]
    y: number[]
    pearson: number
    spearman: number
    kendall: number
  }[]
  readonly graded: readonly {
    scores: number[]
    grades: (number | null)[]
    irrelevant: Record<string, number>
    'left-out': Record<string, number>
  }[]
  readonly regression: {
    x: number[]
    y: number[]
    logistic: { b0: number; b1: number }
    at: number[]
    isotonic: number[]
  }
  readonly krippendorff2011: { units: number[][]; nominal: number; ordinal: number; interval: number }
  readonly shroutFleiss1979: { rows: number[][] } & Record<
    'icc1' | 'icc2' | 'icc3' | 'icc1k' | 'icc2k' | 'icc3k',
    number
  >
}
