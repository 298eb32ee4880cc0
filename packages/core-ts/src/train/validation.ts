import { throwIfAborted } from '../base/abort.js'
import { Rng } from '../base/rng.js'
import { type Loss, LossInput, type RunningLoss } from '../losses/index.js'
import type { Guard } from '../negatives/index.js'
import { freeModule, Tape } from '../nn/index.js'
import { poolEmbedded } from '../similarity/index.js'
import type { BatchSource, TrainableModel } from './batch-source.js'
import type { CollapseSigns } from './watchdog.js'

/** Options of {@link Validator}. */
export interface ValidatorOptions {
  model: TrainableModel
  /** Its own batches. */
  data: BatchSource
  /** The loss that is trained, as it stands: `learner.objectives[0]`. */
  objective: { readonly loss: Loss; readonly running: RunningLoss }
  /** Further losses, by name. */
  yardsticks?: Readonly<Record<string, Loss>>
  /** Pairs that must not be negatives, besides those of one group. */
  guards?: readonly Guard[]
  seed: number
}

/** Means over the validation batches, and what a {@link CollapseMonitor} wants to see. */
export interface ValidationResult {
  readonly loss: number
  /** Other losses by name. */
  readonly yardsticks: Readonly<Record<string, number>>
  readonly signs: CollapseSigns
}

/**
 * Losses of a model without training. Always the same batches and the same random draws, so that epochs can be compared:
 * the source is rewound to its first epoch and the stream is made anew from the seed.
 */
export class Validator implements Disposable {
  readonly #options: ValidatorOptions
  readonly #yardsticks: readonly { readonly name: string; readonly running: RunningLoss }[]

  constructor(options: ValidatorOptions) {
    const { model, yardsticks = {} } = options
    this.#options = options
    this.#yardsticks = Object.entries(yardsticks).map(([name, loss]) => ({
      name,
      running: loss.build(model.backend),
    }))
  }

  /** `step` and `epoch` of the run, which strategies see. */
  async look(at: { step?: number; epoch?: number; signal?: AbortSignal } = {}): Promise<ValidationResult> {
    const { model, data, objective, guards = [], seed } = this.#options
    const { step = 1, epoch = 0, signal } = at
    const rng = new Rng(seed, 'validation')
    const losses = [{ name: 'loss', running: objective.running }, ...this.#yardsticks]
    const sums = losses.map(() => 0)
    const remembered = losses.map(({ running }) => structuredClone(running.state?.()))
    const vectors: Float32Array[] = []
    let [pairs, zeros, scored, index] = [0, 0, 0, 0]
    let equal: number | null = 0
    data.rewind(0)
    try {
      for await (const batch of data.epoch({ ...(signal && { signal }) })) {
        throwIfAborted(signal)
        using tape = new Tape(model.backend)
        const n = batch.items.length
        const embeddings = model.forward(tape, batch)
        const about = { items: batch.items, guards, step, epoch }
        const input = new LossInput(tape, model.similarity, { ...embeddings, ...about })
        for (const [i, { running }] of losses.entries())
          sums[i]! += n * running.compute(input, rng.fork(index)).loss.item()
        if (input.scoresSoFar !== null) {
          for (const score of input.scoresSoFar.toArray()) if (score === 0) zeros++
          scored += n * n
        }
        vectors.push(Float32Array.from(poolEmbedded(tape, embeddings.audio).toArray()))
        const equalHere = objective.loss.valueOfEqualScores(n)
        equal = equal === null || equalHere === null ? null : equal + n * equalHere
        pairs += n
        index++
        await new Promise((resolve) => setImmediate(resolve))
      }
    } finally {
      // Looking is not training: what losses remember stays as it was.
      for (const [i, { running }] of losses.entries()) running.restore?.(remembered[i])
    }
    const [loss, ...others] = sums.map((sum) => sum / pairs) as [number, ...number[]]
    return {
      loss,
      yardsticks: Object.fromEntries(this.#yardsticks.map(({ name }, i) => [name, others[i]!])),
      signs: {
        vectors: concatenated(vectors),
        clips: pairs,
        zeroScores: scored === 0 ? null : zeros / scored,
        loss,
        lossOfEqualScores: equal === null ? null : equal / pairs,
      },
    }
  }

  /** Gives back what the yardsticks own. */
  [Symbol.dispose](): void {
    for (const { running } of this.#yardsticks) freeModule(running)
  }
}

function concatenated(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
