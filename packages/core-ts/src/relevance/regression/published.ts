import { logistic } from './logistic.js'

/**
 * What the published systems take for the relevance of a clip whose caption has the cosine s with the query (code of Xie, Khorrami, Räsänen
 * and Virtanen, arXiv 2412.01356), as a target of training: weights whose proportions within a list are the probabilities of ranking.
 */
export type RelevanceFunction =
  | {
      readonly type: 'rating'
      readonly intercept: number
      readonly slope: number
      readonly temperature: number
    }
  | { readonly type: 'logistic'; readonly alpha: number; readonly beta: number }
  | { readonly type: 'threshold'; readonly least: number }

/** The constants of the published code. */
export const publishedFunctions = {
  /** σ(1.85 − 4.58·(1 − s)), then softmax at τ = 0.05. */
  rating: { type: 'rating', intercept: 1.85, slope: 4.58, temperature: 0.05 },
  /** σ(25·s − 20), then shares of the sum. */
  logistic: { type: 'logistic', alpha: 25, beta: 20 },
  /** s above 0.7, else 0, then shares of the sum. */
  threshold: { type: 'threshold', least: 0.7 },
} as const satisfies Record<RelevanceFunction['type'], RelevanceFunction>

/** Relevance of a similarity, before a list becomes probabilities. */
export function relevanceOf(f: RelevanceFunction, s: number): number {
  switch (f.type) {
    case 'rating':
      return logistic(f.intercept - f.slope * (1 - s))
    case 'logistic':
      return logistic(f.alpha * s - f.beta)
    case 'threshold':
      return s > f.least ? s : 0
  }
}

/** Weights of a list of similarities: only their proportions count, and for `rating` those are softmax(relevance / τ). */
export function weightOf(f: RelevanceFunction, s: number): number {
  const relevance = relevanceOf(f, s)
  return f.type === 'rating' ? softWeight(relevance, f.temperature) : relevance
}

/** exp((r − 1) / τ) of a relevance in [0, 1]: shares of these are softmax(r / τ). */
export function softWeight(relevance: number, temperature: number): number {
  return Math.exp((relevance - 1) / temperature)
}
