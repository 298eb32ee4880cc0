import { isSonotextError } from '@sonotext/core/base'

/** Exit codes of every command. */
export const exitCode = { ok: 0, failure: 1, usage: 2, interrupted: 130 } as const

/** The command line itself is wrong: exit code 2 and a pointer to the help. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Exit code of an error thrown by a command: what the user asked for wrongly is usage, everything else failure. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return exitCode.usage
  if (!isSonotextError(error)) return exitCode.failure
  if (error.code === 'ABORTED') return exitCode.interrupted
  return error.code === 'INVALID_CONFIG' || error.code === 'INVALID_ARGUMENT'
    ? exitCode.usage
    : exitCode.failure
}

/** What is printed about an error: its message; of one that nobody foresaw, also how to see where it came from. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (isSonotextError(error) && error.code === 'ABORTED') return 'interrupted'
  const foreseen = error instanceof UsageError || isSonotextError(error) || 'syscall' in error
  return foreseen ? error.message : `${error.message} (unexpected; SONOTEXT_DEBUG=1 shows where it happened)`
}
