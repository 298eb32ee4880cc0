import type { BatchSource, PairBatch } from './batch-source.js'

/** The batches of one step, by the source they are from. */
export type StepBatches = ReadonlyMap<BatchSource, PairBatch>

/**
 * How several sources take part in a run: `sum` takes a batch of each for every step; `turns` gives each source a step in
 * turn.
 */
export type Mix = 'sum' | 'turns'

/** The sources of a run. The first one says how long an epoch is; the others begin again when they are at their end. */
export class Feed {
  readonly sources: readonly BatchSource[]
  readonly #mix: Mix

  constructor(sources: Iterable<BatchSource>, mix: Mix) {
    this.sources = [...new Set(sources)]
    this.#mix = mix
  }

  get stepsPerEpoch(): number {
    return this.sources[0]!.batchesPerEpoch * (this.#mix === 'turns' ? this.sources.length : 1)
  }

  /** The steps left of an epoch of which `done` are done. Leaving the loop early keeps the position of every source. */
  async *epoch(done: number, signal: AbortSignal | undefined): AsyncGenerator<StepBatches> {
    const options = signal === undefined ? {} : { signal }
    const streams = this.sources.map((source, i) =>
      i === 0 ? source.epoch(options) : endless(source, options),
    )
    let started = false
    const next = async (i: number): Promise<readonly [BatchSource, PairBatch] | null> => {
      if (i === 0) started = true
      const { value } = await streams[i]!.next()
      return value === undefined ? null : [this.sources[i]!, value]
    }
    try {
      for (let step = done; step < this.stepsPerEpoch; step++) {
        const turn = step % this.sources.length
        const wanted = this.#mix === 'turns' ? [turn] : [...this.sources.keys()]
        const batches: (readonly [BatchSource, PairBatch])[] = []
        for (const i of wanted) {
          const batch = await next(i)
          if (batch === null) return
          batches.push(batch)
        }
        yield new Map(batches)
      }
      // The first source sees that its epoch is over.
      if (started) await streams[0]!.next()
    } finally {
      for (const stream of streams) await stream.return()
    }
  }
}

async function* endless(
  source: BatchSource,
  options: { signal?: AbortSignal },
): AsyncGenerator<PairBatch, void, undefined> {
  for (;;) yield* source.epoch(options)
}
