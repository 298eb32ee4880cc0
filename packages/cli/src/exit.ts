import { isSonotextError } from '@sonotext/core/base'

/** Exit codes of every command. */
export const exitCode = { ok: 0, failure: 1, usage: 2, interrupted: 130 } as const

/** The command line itself is wrong: exit code 2 and a pointer to the help. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Exit code of an error thrown by a command. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return exitCode.usage
  if (isSonotextError(error)) {
    if (error.code === 'ABORTED') return exitCode.interrupted
    if (error.code === 'INVALID_CONFIG') return exitCode.usage
  }
  return exitCode.failure
}
