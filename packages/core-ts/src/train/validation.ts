import { throwIfAborted } from '../base/abort.js'
import { Rng } from '../base/rng.js'
import { type Loss, LossInput, type RunningLoss } from '../losses/index.js'
import type { DualEncoder } from '../models/index.js'
import { Tape } from '../nn/tape.js'
import { poolEmbedded } from '../similarity/index.js'
import type { BatchSource } from './batch-source.js'
import type { CollapseSigns } from './watchdog.js'

/** Means over the validation batches, and what the collapse monitor wants to see. */
export interface ValidationResult {
  readonly loss: number
  /** Other losses by name. */
  readonly yardsticks: Readonly<Record<string, number>>
  readonly signs: CollapseSigns
}

/**
 * Losses of a model without training. Always the same batches and the same random draws, so that epochs can be compared:
 * the source is rewound to its first epoch and the stream is made anew from `seed`.
 */
export async function validate(
  model: DualEncoder,
  data: BatchSource,
  losses: {
    readonly main: { readonly spec: Loss; readonly running: RunningLoss }
    readonly yardsticks: ReadonlyMap<string, Loss>
  },
  options: { seed: number; signal?: AbortSignal },
): Promise<ValidationResult> {
  const rng = new Rng(options.seed, 'validation')
  const yardsticks = [...losses.yardsticks].map(([name, loss]) => ({
    name,
    spec: loss,
    running: loss.build(model.backend),
    sum: 0,
  }))
  const main = { ...losses.main, sum: 0 }
  const vectors: Float32Array[] = []
  let pairs = 0
  let equal = 0
  let zeros = 0
  let scored = 0
  data.rewind(0)
  let index = 0
  for await (const batch of data.epoch({ ...(options.signal && { signal: options.signal }) })) {
    throwIfAborted(options.signal)
    using tape = new Tape(model.backend)
    const n = batch.items.length
    const embeddings = model.forward(tape, batch)
    const input = new LossInput(tape, model.similarity, { ...embeddings, items: batch.items })
    for (const entry of [main, ...yardsticks]) {
      entry.sum += n * entry.running.compute(input, rng.fork(index)).loss.item()
    }
    if (input.scoresSoFar !== null) {
      for (const score of input.scoresSoFar.toArray()) if (score === 0) zeros++
      scored += n * n
    }
    vectors.push(Float32Array.from(poolEmbedded(tape, embeddings.audio).toArray()))
    equal += n * (main.spec.valueOfEqualScores(n) ?? NaN)
    pairs += n
    index++
    await new Promise((resolve) => setImmediate(resolve))
  }
  return {
    loss: main.sum / pairs,
    yardsticks: Object.fromEntries(yardsticks.map(({ name, sum }) => [name, sum / pairs])),
    signs: {
      vectors: concatenated(vectors),
      clips: pairs,
      zeroScores: scored === 0 ? null : zeros / scored,
      loss: main.sum / pairs,
      lossOfEqualScores: Number.isNaN(equal) ? null : equal / pairs,
    },
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
