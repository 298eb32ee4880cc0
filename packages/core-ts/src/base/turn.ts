import { throwIfAborted } from './abort.js'

/** Lets timers, input and signals have their turn in the middle of long work; throws ABORTED when the signal has fired by then. */
export async function nextTurn(signal?: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  throwIfAborted(signal)
}

/** Long work in pieces: a generator that yields now and then, where it could stop. */
export type InPieces<T> = Generator<void, T>

/** Does it all at once. */
export function atOnce<T>(work: InPieces<T>): T {
  for (;;) {
    const { done, value } = work.next()
    if (done) return value
  }
}

/** Milliseconds that work may hold the event loop. */
const longest = 20

/** When long work in pieces gives the event loop its turn: a turn after every short piece would cost more than the piece. */
export class Turns {
  readonly #signal: AbortSignal | undefined
  #since = performance.now()

  constructor(signal?: AbortSignal) {
    this.#signal = signal
  }

  /** Whether the event loop has been held long enough. */
  get due(): boolean {
    return performance.now() - this.#since >= longest
  }

  /** Throws ABORTED when the signal has fired by then. */
  async take(): Promise<void> {
    await nextTurn(this.#signal)
    this.#since = performance.now()
  }
}

/** Does it with turns of the event loop in between, as often as pieces let it; throws ABORTED when the signal fires. */
export async function inTurns<T>(work: InPieces<T>, signal?: AbortSignal): Promise<T> {
  throwIfAborted(signal)
  const turns = new Turns(signal)
  for (;;) {
    const { done, value } = work.next()
    if (done) return value
    if (turns.due) await turns.take()
  }
}
