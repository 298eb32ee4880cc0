/** Stable codes of everything this library throws on purpose. */
export type ErrorCode =
  | 'INVALID_ARGUMENT'
  | 'INVALID_FILE'
  | 'INVALID_CONFIG'
  | 'INVALID_DATA'
  | 'TOO_LONG'
  | 'UNSUPPORTED'
  | 'MISSING_FILE'
  | 'MISSING_DEPENDENCY'
  | 'BACKEND_UNAVAILABLE'
  | 'DEVICE_ERROR'
  | 'OUT_OF_MEMORY'
  | 'WRITE_FAILED'
  | 'IN_USE'
  | 'NUMERIC'
  | 'ABORTED'

export interface ErrorDetails {
  /** File the error is about, when there is one. */
  file?: string
  /** What the user can do about it, as a sentence. */
  remedy?: string
  cause?: unknown
}

/** The one error class: `code` is stable, `message` says what was expected, what was found, and what to do. */
export class SonotextError extends Error {
  readonly code: ErrorCode
  readonly file: string | undefined
  readonly remedy: string | undefined

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    const where = details.file === undefined ? '' : `${details.file}: `
    const remedy = details.remedy === undefined ? '' : ` ${details.remedy}`
    super(`${where}${message}${remedy}`, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'SonotextError'
    this.code = code
    this.file = details.file
    this.remedy = details.remedy
  }
}

/** `Expected <what> for <name>, got <value>.` */
export function expected(
  what: string,
  name: string,
  got: unknown,
  details: ErrorDetails = {},
): SonotextError {
  return new SonotextError('INVALID_ARGUMENT', `Expected ${what} for ${name}, got ${describe(got)}.`, details)
}

/** Short rendering of any value for a message. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'string') return value.length > 80 ? `"${value.slice(0, 77)}..."` : `"${value}"`
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return String(value)
  if (typeof value === 'symbol') return value.toString()
  if (value instanceof DataView) return `DataView of ${value.byteLength} bytes`
  if (ArrayBuffer.isView(value)) {
    return `${value.constructor.name} of length ${(value as unknown as ArrayLike<number>).length}`
  }
  if (Array.isArray(value)) return `array of length ${value.length}`
  return typeof value === 'function' ? 'function' : (value.constructor?.name ?? 'object')
}

export function isSonotextError(error: unknown): error is SonotextError {
  return error instanceof SonotextError
}

/** An error as plain data, to be sent to another thread. */
export interface PlainError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly code?: ErrorCode
  readonly file?: string
  readonly remedy?: string
}

export function plainError(error: unknown): PlainError {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
  if (!isSonotextError(error)) return { name, message, stack }
  const { code, file, remedy } = error
  return {
    ...{ name, message, stack, code },
    ...(file === undefined ? {} : { file }),
    ...(remedy === undefined ? {} : { remedy }),
  }
}

/** The error again, with the same code, file, remedy and message. */
export function errorFrom({ name, message, stack, code, file, remedy }: PlainError): Error {
  const cause = stack
  if (code === undefined) return Object.assign(new Error(message, { cause }), { name })
  const details = {
    cause,
    ...(file === undefined ? {} : { file }),
    ...(remedy === undefined ? {} : { remedy }),
  }
  return Object.assign(new SonotextError(code, message, details), { message })
}

/** The same error about a file, where it does not name one yet. */
export function aboutFile(error: unknown, file: string): unknown {
  if (!isSonotextError(error) || error.file !== undefined) return error
  const { code, remedy, message } = error
  const bare = remedy === undefined ? message : message.slice(0, -remedy.length - 1)
  return new SonotextError(code, bare, { file, cause: error, ...(remedy === undefined ? {} : { remedy }) })
}
