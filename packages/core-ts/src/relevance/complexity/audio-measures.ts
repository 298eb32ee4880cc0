import { type Matrix, SonotextError } from '../../base/index.js'

/** How evenly activities spread, from 0 to 1. */
export interface PosteriorEntropies {
  /** Of the classes: 0 where one sounds alone, 1 where all sound alike. */
  readonly classes: number
  /** Of the frames: 0 where all activity is in one frame, 1 where every frame has as much. */
  readonly time: number
}

/**
 * How much happens in a clip, from activities [frames × classes] of any model, each 0 or more: the entropy of the mean over time, and that of
 * the mean over classes, each made shares and divided by the greatest one can be (arXiv 2408.14939). NaN where nothing is active and,
 * of a single class or frame, for what has no entropy. Throws INVALID_DATA for activities below 0 or not finite.
 */
export function posteriorEntropies({ rows, cols, data }: Matrix, name = 'the clip'): PosteriorEntropies {
  const [ofClass, ofFrame] = [new Float64Array(cols), new Float64Array(rows)]
  for (let t = 0; t < rows; t++) {
    for (let c = 0; c < cols; c++) {
      const activity = data[t * cols + c]!
      if (!(activity >= 0 && activity < Infinity)) {
        throw new SonotextError(
          'INVALID_DATA',
          `Expected activities of 0 or more for ${name}, got ${activity}.`,
          {
            remedy: 'Give probabilities, not logits.',
          },
        )
      }
      ofClass[c]! += activity
      ofFrame[t]! += activity
    }
  }
  return { classes: evenness(ofClass), time: evenness(ofFrame) }
}

/** Entropy of shares over that of equal ones. */
function evenness(weights: Float64Array): number {
  const sum = weights.reduce((total, weight) => total + weight, 0)
  if (!(sum > 0) || weights.length < 2) return Number.NaN
  let entropy = 0
  for (const weight of weights) if (weight > 0) entropy -= (weight / sum) * Math.log2(weight / sum)
  return entropy / Math.log2(weights.length)
}
