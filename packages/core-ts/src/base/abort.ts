import { SonotextError } from './errors.js'

/** Throws ABORTED, with the signal's reason as cause, once the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortedError(signal)
}

export function abortedError(signal?: AbortSignal): SonotextError {
  return new SonotextError('ABORTED', 'The operation was aborted.', { cause: signal?.reason })
}
