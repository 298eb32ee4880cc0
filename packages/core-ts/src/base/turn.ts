import { throwIfAborted } from './abort.js'

/** Lets timers, input and signals have their turn in the middle of long work; throws ABORTED when the signal has fired by then. */
export async function nextTurn(signal?: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  throwIfAborted(signal)
}
