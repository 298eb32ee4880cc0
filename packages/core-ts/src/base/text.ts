import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { throwIfAborted } from './abort.js'
import { SonotextError } from './errors.js'

/**
 * How the bytes of a text file are read. A byte order mark and UTF-16 are always recognised. 'utf-8' refuses anything else with a
 * remedy; 'latin1' reads ISO-8859-1; 'utf-8-or-latin1' takes UTF-8 where it is valid and ISO-8859-1 otherwise (for files known to
 * come in both).
 */
export type TextEncoding = 'utf-8' | 'latin1' | 'utf-8-or-latin1'

/** Options of {@link readText}. */
export interface ReadTextOptions {
  /** Default 'utf-8'. */
  encoding?: TextEncoding
  /** Largest file accepted, in bytes; default 256 MiB. It is asked before anything is read. */
  maxBytes?: number
  signal?: AbortSignal | undefined
}

const mebi = 2 ** 20

/**
 * A whole text file, its line ends as LF. Throws MISSING_FILE, or INVALID_FILE when it is too large, of another encoding, or holds
 * control characters.
 */
export async function readText(path: string, options: ReadTextOptions = {}): Promise<string> {
  const { encoding = 'utf-8', maxBytes = 256 * mebi, signal } = options
  const chunks: Uint8Array[] = []
  let size = 0
  const tooLarge = () =>
    new SonotextError('INVALID_FILE', `expected a text of at most ${maxBytes} bytes, got more.`, {
      file: path,
      remedy: 'Check that this is the right file.',
    })
  try {
    const info = await stat(path)
    if (info.isFile() && info.size > maxBytes) throw tooLarge()
    // Pipes and devices have no size, so what comes is counted too.
    for await (const chunk of createReadStream(path, bigChunks) as AsyncIterable<Uint8Array>) {
      throwIfAborted(signal)
      size += chunk.length
      if (size > maxBytes) throw tooLarge()
      chunks.push(chunk)
    }
  } catch (cause) {
    rethrowMissing(path, cause)
  }
  return decodeText(Buffer.concat(chunks), path, encoding)
}

/** Bytes to text, as {@link readText}. Throws INVALID_FILE naming the line, the likely encoding and the remedy. */
export function decodeText(bytes: Uint8Array, path: string, encoding: TextEncoding = 'utf-8'): string {
  const text = unmarked(decoded(bytes, path, encoding)).replace(/\r\n?/g, '\n')
  const at = text.search(control)
  if (at >= 0) {
    const line = text.slice(0, at).split('\n')
    throw holdsControl(path, line.length, line.at(-1)!.length + 1, text.charCodeAt(at))
  }
  return text
}

function decoded(bytes: Uint8Array, path: string, encoding: TextEncoding): string {
  const wide = wideEncoding(bytes, path)
  if (wide !== null) {
    try {
      return new TextDecoder(wide, { fatal: true }).decode(bytes)
    } catch {
      throw brokenUtf16(path)
    }
  }
  if (encoding === 'latin1' && !isMarkedUtf8(bytes)) return Buffer.from(bytes).toString('latin1')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    if (encoding === 'utf-8-or-latin1') return Buffer.from(bytes).toString('latin1')
    throw notUtf8(path, lineOf(bytes, firstInvalidByte(bytes)))
  }
}

/** A line of a text file. */
export interface TextLine {
  /** Counted from 1. */
  readonly number: number
  /** Without its line end (LF, CR LF or CR). */
  readonly text: string
  /** Whether a line end follows; false only for a last line that stops without one. */
  readonly ended: boolean
}

/** A line of a text file, not decoded. */
export interface ByteLine {
  /** Counted from 1. */
  readonly number: number
  /** UTF-8 without line end and byte order mark; valid until the next line is asked for. */
  readonly bytes: Uint8Array
  readonly ended: boolean
}

/** Options of {@link readLines}. */
export interface ReadLinesOptions {
  /** Longest line accepted, in bytes of UTF-8; default 64 MiB. A longer one is no text file of lines. */
  maxBytes?: number
  signal?: AbortSignal | undefined
}

/** Lines of a text file (UTF-8 or UTF-16) in a stream: memory is one chunk and one line. Throws as {@link readText}. */
export async function* readLines(path: string, options: ReadLinesOptions = {}): AsyncGenerator<TextLine> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  for await (const { number, bytes, ended } of byteLines(createReadStream(path, bigChunks), path, options)) {
    let text: string
    try {
      text = decoder.decode(bytes)
    } catch {
      throw notUtf8(path, number)
    }
    const at = text.search(control)
    if (at >= 0) throw holdsControl(path, number, at + 1, text.charCodeAt(at))
    yield { number, text, ended }
  }
}

const bigChunks = { highWaterMark: mebi }
const [lf, cr] = [10, 13]

/** Lines of a stream of bytes, undecoded; UTF-16 becomes UTF-8. Throws INVALID_FILE for binary data and a line past `maxBytes`. */
export async function* byteLines(
  chunks: AsyncIterable<Uint8Array>,
  path: string,
  options: ReadLinesOptions = {},
): AsyncGenerator<ByteLine> {
  const { maxBytes = 64 * mebi, signal } = options
  let number = 0
  let pending: Uint8Array[] = []
  let pendingBytes = 0
  let afterCr = false
  const take = (piece: Uint8Array): void => {
    pendingBytes += piece.length
    if (pendingBytes > maxBytes) {
      throw new SonotextError('INVALID_FILE', `line ${number + 1} is longer than ${maxBytes} bytes.`, {
        file: path,
        remedy: 'Check that this is a text file with one entry a line.',
      })
    }
    pending.push(piece)
  }
  const finish = (ended: boolean): ByteLine => {
    const bytes = pending.length === 1 ? pending[0]! : Buffer.concat(pending)
    pending = []
    pendingBytes = 0
    return { number: ++number, bytes, ended }
  }
  try {
    for await (const chunk of asUtf8(chunks, path)) {
      throwIfAborted(signal)
      let start = afterCr && chunk[0] === lf ? 1 : 0
      afterCr = chunk.at(-1) === cr
      let [nextLf, nextCr] = [-2, -2]
      for (;;) {
        if (nextLf !== -1 && nextLf < start) nextLf = chunk.indexOf(lf, start)
        if (nextCr !== -1 && nextCr < start) nextCr = chunk.indexOf(cr, start)
        const end = nextLf < 0 ? nextCr : nextCr < 0 ? nextLf : Math.min(nextLf, nextCr)
        if (end < 0) break
        take(chunk.subarray(start, end))
        yield finish(true)
        start = end + (chunk[end] === cr && chunk[end + 1] === lf ? 2 : 1)
      }
      if (start < chunk.length) take(chunk.subarray(start))
    }
  } catch (cause) {
    rethrowMissing(path, cause)
  }
  if (pendingBytes > 0) yield finish(false)
}

/** Whether the bytes begin with a byte order mark, of UTF-8 or UTF-16. */
export function isMarkedText(bytes: Uint8Array): boolean {
  return isMarkedUtf8(bytes) || markedWide(bytes) !== null
}

/** The chunks as UTF-8 without byte order mark; the first chunk tells what they are. */
export async function* asUtf8(chunks: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<Uint8Array> {
  let decoder: InstanceType<typeof TextDecoder> | null = null
  let first = true
  for await (let chunk of chunks) {
    if (first) {
      const wide = wideEncoding(chunk, path)
      if (wide !== null) decoder = new TextDecoder(wide, { fatal: true })
      else if (isMarkedUtf8(chunk)) chunk = chunk.subarray(3)
      first = false
    }
    yield decoder === null ? chunk : Buffer.from(wideText(decoder, path, chunk))
  }
  if (decoder !== null) wideText(decoder, path)
}

function wideText(decoder: InstanceType<typeof TextDecoder>, path: string, chunk?: Uint8Array): string {
  try {
    return decoder.decode(chunk, { stream: chunk !== undefined })
  } catch {
    throw brokenUtf16(path)
  }
}

/** Rethrows a file-system error as MISSING_FILE (or INVALID_FILE for a folder); anything else unchanged. */
export function rethrowMissing(path: string, cause: unknown): never {
  const code = (cause as NodeJS.ErrnoException).code
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    throw new SonotextError('MISSING_FILE', 'there is no such file.', {
      file: path,
      remedy: 'Check the path.',
      cause,
    })
  }
  if (code === 'ELOOP') {
    throw new SonotextError('MISSING_FILE', 'the link leads in a circle.', {
      file: path,
      remedy: 'Point it at a file.',
      cause,
    })
  }
  if (code === 'EISDIR') {
    throw new SonotextError('INVALID_FILE', 'expected a file, got a folder.', {
      file: path,
      remedy: 'Name a file inside it.',
      cause,
    })
  }
  if (code === 'EACCES' || code === 'EPERM') {
    throw new SonotextError('INVALID_FILE', 'the file may not be read.', {
      file: path,
      remedy: 'Check its permissions.',
      cause,
    })
  }
  throw cause
}

/** What no text holds: control characters but tab, the line ends, vertical tab and form feed. */

const control = /[\x00-\x08\x0e-\x1f\x7f]/

function holdsControl(path: string, line: number, column: number, code: number): SonotextError {
  const name = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`
  return new SonotextError(
    'INVALID_FILE',
    `expected text, found the control character ${name} in line ${line}, column ${column}.`,
    { file: `${path}:${line}`, remedy: 'Remove it, or check that this is a text file.' },
  )
}

/** The UTF-16 a file is in, by its mark or by the zeros that every second byte of plain letters is; null for UTF-8 and its like. */
function wideEncoding(bytes: Uint8Array, path: string): 'utf-16le' | 'utf-16be' | null {
  const marked = markedWide(bytes)
  if (marked !== null) return marked
  const head = bytes.subarray(0, 512)
  const zeros = [0, 0]
  head.forEach((byte, i) => (zeros[i % 2]! += byte === 0 ? 1 : 0))
  const [even, odd] = zeros as [number, number]
  if (head.length < 8 || even + odd <= head.length / 4) return null
  if (even === 0) return 'utf-16le'
  if (odd === 0) return 'utf-16be'
  throw new SonotextError('INVALID_FILE', 'expected text, got binary data.', {
    file: path,
    remedy: 'Check that this is the right file.',
  })
}

function markedWide(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  return bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : null
}

function isMarkedUtf8(bytes: Uint8Array): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
}

function unmarked(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text
}

function brokenUtf16(path: string): SonotextError {
  return new SonotextError('INVALID_FILE', 'the UTF-16 text is cut short or damaged.', {
    file: path,
    remedy: 'Save it as UTF-8 again.',
  })
}

function notUtf8(path: string, line: number): SonotextError {
  return new SonotextError(
    'INVALID_FILE',
    `expected UTF-8 text, but line ${line} is not; it may be ISO-8859-1 or Windows-1252.`,
    {
      file: `${path}:${line}`,
      remedy: 'Save it as UTF-8, for example: iconv -f WINDOWS-1252 -t UTF-8 IN > OUT.',
    },
  )
}

/** Index of the first byte that breaks UTF-8 (to within the sequence it stands in). */
function firstInvalidByte(bytes: Uint8Array): number {
  let low = 0
  let high = bytes.length
  const decoder = new TextDecoder('utf-8', { fatal: true })
  while (low < high) {
    const middle = (low + high) >> 1
    try {
      decoder.decode(bytes.subarray(0, middle + 1), { stream: true })
      low = middle + 1
    } catch {
      high = middle
    }
    try {
      decoder.decode()
    } catch {
      // an unfinished sequence at the cut is not yet an error
    }
  }
  return low
}

/** The line a byte stands on, whichever line ends are used. */
function lineOf(bytes: Uint8Array, offset: number): number {
  let line = 1
  for (let i = 0; i < Math.min(offset, bytes.length); i++) {
    if (bytes[i] === lf || (bytes[i] === cr && bytes[i + 1] !== lf)) line++
  }
  return line
}
