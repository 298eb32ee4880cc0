import { SonotextError } from '../base/errors.js'

/** Throws NUMERIC when a step's loss or gradient is not finite, before the step changes anything of the model. */
export function checkFinite(
  what: 'loss' | 'gradient',
  value: number,
  at: { readonly step: number; readonly epoch: number },
): void {
  if (Number.isFinite(value)) return
  throw new SonotextError(
    'NUMERIC',
    `the ${what} became ${value} at step ${at.step} (epoch ${at.epoch.toFixed(2)}); the step was not taken and the model is as it was before it.`,
    {
      remedy:
        'Lower the learning rate, clip gradients (for example clip: 1), or run the data check for features that are not finite.',
    },
  )
}

/** Throws NUMERIC when the loss over the validation batches is not finite. */
export function checkValidationLoss(
  value: number,
  at: { readonly step: number; readonly epoch: number },
): void {
  if (Number.isFinite(value)) return
  throw new SonotextError(
    'NUMERIC',
    `the validation loss is ${value} after step ${at.step} (epoch ${at.epoch}): the model as trained so far gives numbers that are not finite for the validation batches.`,
    {
      remedy:
        'Run the data check for validation features that are not finite, or go on from an earlier checkpoint with a lower learning rate.',
    },
  )
}

/** Options of {@link CollapseMonitor}. */
export interface CollapseOptions {
  /** Least spread over clips of the clip vectors, relative to their length 1. Default 0.01. */
  spread?: number
  /** Largest mean cosine of two different clips. Default 0.99. */
  cosine?: number
  /** How close to the loss of equal scores counts as stuck there, and how little a better number as no better, relative. Default 0.01. */
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
  /** Further numbers that are the higher the better the model, by name, such as mAP@10. */
  readonly quality?: Readonly<Record<string, number>>
}

/** What the monitor remembers, as JSON. */
export interface CollapseState {
  readonly stuckEpochs: number
  /** Best of every number so far. */
  readonly best: Readonly<Record<string, number>>
}

/** Numbers of a {@link CollapseReport}: too small or too large is bad, but none is better the more it is either. */
export const collapseSigns: ReadonlySet<string> = new Set(['clipSpread', 'clipCosine', 'zeroScores'])

/** What {@link CollapseMonitor} saw in an epoch. */
export interface CollapseReport {
  readonly values: { readonly clipSpread: number; readonly clipCosine: number; readonly zeroScores?: number }
  /** Sentences, empty when all is well. */
  readonly warnings: readonly string[]
}

/**
 * Watches for collapse: all clips in one place, all scores alike. Hard negatives are known for it (Xie, Räsänen,
 * Virtanen, ICASSP 2023). While the loss or another number still gets better it says nothing.
 */
export class CollapseMonitor {
  readonly #options: Required<CollapseOptions>
  readonly #advice: string
  /** Epochs in a row with the loss where equal scores would put it. */
  #stuckEpochs = 0
  #best: Record<string, number> = {}

  /** `easier` is what this run may try, for the advice: `Loss.easier`. */
  constructor(options: CollapseOptions & { readonly easier?: string | undefined } = {}) {
    const { spread = 0.01, cosine = 0.99, stuck = 0.01, epochs = 3, easier } = options
    this.#options = { spread, cosine, stuck, epochs }
    this.#advice = `Try ${easier === undefined ? '' : `${easier} or `}a lower learning rate.`
  }

  /** Takes note of the untrained model, which may look collapsed. */
  start(signs: CollapseSigns): void {
    this.#improves(signs)
  }

  state(): CollapseState {
    return { stuckEpochs: this.#stuckEpochs, best: { ...this.#best } }
  }

  restore({ stuckEpochs, best }: CollapseState): void {
    this.#stuckEpochs = stuckEpochs
    this.#best = { ...best }
  }

  epochEnd(signs: CollapseSigns): CollapseReport {
    const { spread, cosine, stuck, epochs } = this.#options
    const improves = this.#improves(signs)
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
    this.#stuckEpochs = close && !improves ? this.#stuckEpochs + 1 : 0
    if (this.#stuckEpochs >= epochs) {
      warnings.push(
        `for ${this.#stuckEpochs} epochs the loss stands at ${loss.toPrecision(4)}, where it would be if all scores were equal`,
      )
    }
    const zeros = signs.zeroScores === null ? {} : { zeroScores: signs.zeroScores }
    return {
      values: { clipSpread, clipCosine, ...zeros },
      warnings: improves ? [] : warnings.map((sign) => `Sign of collapse: ${sign}. ${this.#advice}`),
    }
  }

  /** Whether any number is better than it ever was, by more than `stuck`. */
  #improves({ loss, quality = {} }: CollapseSigns): boolean {
    let improves = false
    for (const [name, value] of Object.entries({ ...quality, loss: -loss })) {
      const best = this.#best[name]
      if (best !== undefined && value > best + this.#options.stuck * Math.abs(best)) improves = true
      if (best === undefined || value > best) this.#best[name] = value
    }
    return improves
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
