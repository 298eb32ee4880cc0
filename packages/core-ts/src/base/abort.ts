import { expected, SonotextError } from './errors.js'

/** Throws ABORTED, with the signal's reason as cause, once the signal has fired; INVALID_ARGUMENT for what is no signal. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal === undefined || signal === null) return
  const { aborted, addEventListener, removeEventListener } = signal
  const methods = [addEventListener, removeEventListener]
  if (typeof aborted !== 'boolean' || !methods.every((method) => typeof method === 'function'))
    throw expected('an AbortSignal', 'signal', signal)
  if (aborted) throw abortedError(signal)
}

/** The error of work whose signal has fired, with the signal's reason as its cause. */
export function abortedError(signal?: AbortSignal): SonotextError {
  return new SonotextError('ABORTED', 'The operation was aborted.', { cause: signal?.reason })
}
