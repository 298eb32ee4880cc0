import type { Backend } from '../backend/port.js'
import { SonotextError } from '../base/errors.js'
import { matrix, type Matrix } from '../base/matrix.js'
import type { AudioFeatures } from './feature-kind.js'
import { pooledRows, type Pooling } from './pooled-rows.js'
import { type SampleBlocks, SampleWindow } from './sample-blocks.js'

/** Options of a computation, as `AudioFeatures.compute` takes them. */
interface Computing {
  readonly backend: Backend
  readonly signal?: AbortSignal
}

/** One of several kinds of features that hear the same sound: it is handed samples, and works them off into rows. */
export class Listener {
  readonly name: string
  readonly cols: number
  /** Seconds between rows; 0 where it gives one for the whole clip. */
  readonly frameStep: number
  /** All samples have been worked off, and every row is there. */
  ended = false
  /** Rows that have come so far. */
  count = 0
  readonly #lead: number
  /** Rows from the first that is still needed. */
  readonly #held = new SampleWindow()
  readonly #rows: AsyncIterable<Matrix>
  /** Until it waits for samples, or has ended. */
  #turn = Promise.withResolvers<void>()
  /** The samples that it waits for: undefined behind the last, null where nobody wants its rows any more. */
  #next = Promise.withResolvers<Float32Array | undefined | null>()
  #failure: { readonly error: unknown } | undefined
  #work: Promise<void> | undefined

  /** `pool`: statistics that become its one row; none leave its rows as they are. */
  constructor(kind: AudioFeatures, sampleRate: number, pool: readonly Pooling[], options: Computing) {
    const { frameStep, blocks } = kind.compute({ sampleRate, blocks: this.#samples() }, options)
    this.name = kind.name
    this.cols = kind.cols * Math.max(1, pool.length)
    this.frameStep = pool.length > 0 ? 0 : frameStep
    this.#lead = kind.lead ?? 0
    this.#rows = pool.length > 0 ? pooledRows(blocks, kind.cols, pool) : blocks
  }

  /** Gives it the next samples, or undefined behind the last, and waits until it wants more or has ended. Throws what it throws. */
  async hand(samples: Float32Array | undefined): Promise<void> {
    this.#work ??= this.#take()
    await this.#turn.promise
    if (!this.ended) {
      const wanted = this.#next
      this.#next = Promise.withResolvers()
      this.#turn = Promise.withResolvers()
      wanted.resolve(samples)
      await this.#turn.promise
    }
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Ends its work wherever it is, so that it lets go of what it holds. */
  async stop(): Promise<void> {
    if (!this.ended) this.#next.resolve(null)
    await this.#work
  }

  /** The number of its row that is nearest in time to row `index` of another; the last may still have to come. */
  nearest(index: number, other: Listener): number {
    if (this.frameStep === 0) return 0
    if (other === this) return index
    const time = (index + 0.5) * other.frameStep + other.#lead
    const place = Math.max(0, Math.round((time - this.#lead) / this.frameStep - 0.5))
    return this.ended ? Math.min(place, this.count - 1) : place
  }

  row(index: number): Float32Array {
    return this.#held.from(index * this.cols).subarray(0, this.cols)
  }

  dropBefore(index: number): void {
    this.#held.dropBefore(index * this.cols)
  }

  async *#samples(): AsyncGenerator<Float32Array, void, undefined> {
    for (;;) {
      const { promise } = this.#next
      this.#turn.resolve()
      const samples = await promise
      if (samples === null) throw new SonotextError('ABORTED', 'Its features are not wanted any more.')
      if (samples === undefined) return
      yield samples
    }
  }

  async #take(): Promise<void> {
    try {
      for await (const { rows, data } of this.#rows) {
        this.#held.append(data)
        this.count += rows
      }
    } catch (error) {
      this.#failure = { error }
    }
    this.ended = true
    this.#turn.resolve()
  }
}

/**
 * The rows of the first listener, beside each those of the others that are nearest in time. Sound is read once and handed to all of them block
 * by block, so that none runs ahead and memory does not grow with the clip.
 */
export async function* sideBySide(
  { blocks }: SampleBlocks,
  listeners: readonly Listener[],
): AsyncGenerator<Matrix, void, undefined> {
  let given = 0
  const ready = (): Matrix | undefined => {
    const until = knownUntil(listeners, given)
    if (until === given) return undefined
    const rows = rowsBeside(listeners, given, until)
    given = until
    return rows
  }
  try {
    for await (const block of blocks) {
      await Promise.all(listeners.map((listener) => listener.hand(block)))
      const rows = ready()
      if (rows !== undefined) yield rows
    }
    await Promise.all(listeners.map((listener) => listener.hand(undefined)))
    const rows = ready()
    if (rows !== undefined) yield rows
  } finally {
    await Promise.all(listeners.map((listener) => listener.stop()))
  }
}

/** Rows of the first from `from` on, for which all others have theirs. */
function knownUntil([first, ...others]: readonly Listener[], from: number): number {
  let until = first!.count
  for (const other of others) {
    if (other.ended && other.count === 0 && until > from) {
      throw new SonotextError('INVALID_DATA', `the features "${other.name}" give nothing of the clip.`, {
        remedy: 'Leave the clip out.',
      })
    }
    while (until > from && other.nearest(until - 1, first!) >= other.count) until--
  }
  return until
}

function rowsBeside(listeners: readonly Listener[], from: number, until: number): Matrix {
  const first = listeners[0]!
  const cols = listeners.reduce((sum, listener) => sum + listener.cols, 0)
  const out = matrix(until - from, cols)
  let at = 0
  for (let index = from; index < until; index++) {
    for (const listener of listeners) {
      out.data.set(listener.row(listener.nearest(index, first)), at)
      at += listener.cols
    }
  }
  // The last row stays: it stands beside all that follow where no more of its kind come.
  for (const listener of listeners)
    listener.dropBefore(Math.min(listener.nearest(until, first), listener.count - 1))
  return out
}
