/** Stable codes of everything this library throws on purpose. `tools/error-docs.mjs` makes the page of errors from what is said here. */
export type ErrorCode =
  /** An argument or option is not what the function takes. The message names it, what it takes and what it got: correct the call. */
  | 'INVALID_ARGUMENT'
  /** A file is not what its kind asks for: damaged, cut short, or written by something else. The message names file and place: mend or replace it. */
  | 'INVALID_FILE'
  /** A configuration has keys or values that there are none of. Every one of them is named: `sonotext config` lists what there is. */
  | 'INVALID_CONFIG'
  /** Files are whole, but what they say does not fit together, as clips without a caption or a split without clips. `sonotext check` looks through a manifest. */
  | 'INVALID_DATA'
  /** A recording is longer than the limit. Cut it, take it in windows, or raise `maxSeconds` (`--max-seconds`). */
  | 'TOO_LONG'
  /** A format, or a combination of options, that is not supported. The message says what is, and for recordings the command that converts them. */
  | 'UNSUPPORTED'
  /** There is no such file, or it may not be read. Check the path, and the folder that relative paths start from. */
  | 'MISSING_FILE'
  /** An optional package, a program or a plugin is needed and not there. The message has the command that installs it. */
  | 'MISSING_DEPENDENCY'
  /** The backend that was asked for cannot be had. The message says what was tried and what to run; `sonotext doctor` shows the machine. */
  | 'BACKEND_UNAVAILABLE'
  /** A device failed in the middle of work, or was lost. Open the backend again; where it comes back, report it with the message. */
  | 'DEVICE_ERROR'
  /** Memory for a buffer cannot be had. Take smaller batches, or end what else uses the device's memory. */
  | 'OUT_OF_MEMORY'
  /** A file could not be written; what was there before is whole. Check space and rights of the folder. */
  | 'WRITE_FAILED'
  /** A folder or file is in use by another process, or would be overwritten. Wait for it, or name another. */
  | 'IN_USE'
  /** A number is not finite: a loss, a gradient or a score. Lower the learning rate, or check the data. */
  | 'NUMERIC'
  /** A process of a data-parallel run ended, failed or cannot be reached, and the others ended with it. The message names it and what it said; `--resume` goes on from the last checkpoint. */
  | 'RANK_LOST'
  /** The work was stopped by its AbortSignal, whose reason is the `cause`. Nothing is to be mended. */
  | 'ABORTED'

/** What an error knows besides its code and message. */
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
  if (ArrayBuffer.isView(value))
    return `${className(value)} of length ${(value as unknown as ArrayLike<number>).length}`
  if (Array.isArray(value)) return `array of length ${value.length}`
  return typeof value === 'function' ? 'function' : className(value)
}

/** Any code may stand behind an object's class, and its name may be anything. */
function className(value: object): string {
  try {
    const name: unknown = value.constructor.name
    return typeof name === 'string' ? name : 'object'
  } catch {
    return 'object'
  }
}

/** Whether an error is the library's own, with a `code`. Only of this copy of the library: of another's, compare codes. */
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

/** An error as plain data, for another thread. */
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
