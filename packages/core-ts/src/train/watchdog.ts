import { SonotextError } from '../base/errors.js'

/** Throws NUMERIC when a step's loss or gradient is not finite, before the step changes any weight. */
export function checkFinite(
  what: 'loss' | 'gradient' | 'validation loss',
  value: number,
  at: { step: number; epoch: number },
  lastGood: string | null,
): void {
  if (Number.isFinite(value)) return
  const kept =
    lastGood === null ? 'No checkpoint was written yet.' : `The last good checkpoint is kept in ${lastGood}.`
  throw new SonotextError(
    'NUMERIC',
    `the ${what} became ${value} at step ${at.step} (epoch ${at.epoch.toFixed(2)}); the weights were not changed by this step.`,
    {
      remedy: `Lower the learning rate, clip gradients (for example clip: 1), or run the data check for features that are not finite. ${kept}`,
    },
  )
}

export interface CollapseOptions {
  /** Least spread over clips of the clip vectors, relative to their length 1. Default 0.01. */
  spread?: number
  /** Largest mean cosine of two different clips. Default 0.99. */
  cosine?: number
  /** How close to the loss of equal scores counts as stuck there, relative. Default 0.01. */
  stuck?: number
  /** Epochs in a row that the loss must be stuck. Default 3. */
  epochs?: number
}

/** What an epoch tells about collapse. */
export interface CollapseSigns {
  /** [clips × d] unit clip vectors. */
  readonly vectors: Float32Array
  readonly clips: number
  /** Share of clip–caption scores that are exactly 0; null when there were no scores. */
  readonly zeroScores: number | null
  readonly loss: number
  /** The loss if every score were the same; null when the loss does not say. */
  readonly lossOfEqualScores: number | null
}

export interface CollapseReport {
  readonly values: { readonly clipSpread: number; readonly clipCosine: number; readonly zeroScores?: number }
  /** Sentences, empty when all is well. */
  readonly warnings: readonly string[]
}

/**
 * Watches for collapse: all clips in one place, all scores alike. Hard negatives are known for it (Xie, Räsänen,
 * Virtanen, ICASSP 2023).
 */
export class CollapseMonitor {
  readonly #options: Required<CollapseOptions>
  /** Epochs in a row with the loss where equal scores would put it; part of a checkpoint. */
  stuckEpochs = 0

  constructor({ spread = 0.01, cosine = 0.99, stuck = 0.01, epochs = 3 }: CollapseOptions = {}) {
    this.#options = { spread, cosine, stuck, epochs }
  }

  epochEnd(signs: CollapseSigns): CollapseReport {
    const { spread, cosine, stuck, epochs } = this.#options
    const { clipSpread, clipCosine } = geometry(signs.vectors, signs.clips)
    const warnings: string[] = []
    if (clipSpread < spread) {
      warnings.push(
        `the vectors of different clips hardly differ (spread ${clipSpread.toPrecision(3)} below ${spread})`,
      )
    }
    if (clipCosine > cosine) {
      warnings.push(`different clips have a mean cosine of ${clipCosine.toFixed(4)} (above ${cosine})`)
    }
    if (signs.zeroScores === 1) warnings.push('every clip–caption score is 0')
    const { loss, lossOfEqualScores } = signs
    const close =
      lossOfEqualScores !== null && Math.abs(loss - lossOfEqualScores) <= stuck * lossOfEqualScores
    this.stuckEpochs = close ? this.stuckEpochs + 1 : 0
    if (this.stuckEpochs >= epochs) {
      warnings.push(
        `for ${this.stuckEpochs} epochs the loss stands at ${loss.toPrecision(4)}, where it would be if all scores were equal`,
      )
    }
    const zeros = signs.zeroScores === null ? {} : { zeroScores: signs.zeroScores }
    return {
      values: { clipSpread, clipCosine, ...zeros },
      warnings: warnings.map(
        (sign) =>
          `Sign of collapse: ${sign}. Try easier negatives (semi-hard, random) or a lower learning rate.`,
      ),
    }
  }
}

/** Root mean square distance of unit vectors from their mean, and mean cosine of two different ones. */
function geometry(vectors: Float32Array, clips: number): { clipSpread: number; clipCosine: number } {
  if (clips < 2) return { clipSpread: 1, clipCosine: 0 }
  const d = vectors.length / clips
  let squares = 0
  let meanSquare = 0
  for (let k = 0; k < d; k++) {
    let sum = 0
    for (let i = 0; i < clips; i++) {
      const value = vectors[i * d + k]!
      sum += value
      squares += value * value
    }
    meanSquare += (sum / clips) ** 2
  }
  return {
    clipSpread: Math.sqrt(Math.max(0, squares / clips - meanSquare)),
    clipCosine: (meanSquare * clips * clips - squares) / (clips * (clips - 1)),
  }
}
