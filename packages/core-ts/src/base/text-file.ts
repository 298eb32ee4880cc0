import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { throwIfAborted } from './abort.js'
import { SonotextError } from './errors.js'

/**
 * How the bytes of a text file are read. 'utf-8' refuses anything else with a remedy; 'latin1' reads ISO-8859-1;
 * 'utf-8-or-latin1' takes UTF-8 where it is valid and ISO-8859-1 otherwise (for files known to come in both).
 */
export type TextEncoding = 'utf-8' | 'latin1' | 'utf-8-or-latin1'

/** A whole text file. Throws MISSING_FILE, or INVALID_FILE when the encoding is not the expected one. */
export async function readTextFile(path: string, encoding: TextEncoding = 'utf-8'): Promise<string> {
  return decodeText(await readFile(path).catch((cause) => rethrowMissing(path, cause)), path, encoding)
}

/** Bytes to text; a byte order mark of UTF-8 is dropped. Throws INVALID_FILE naming the likely encoding and the remedy. */
export function decodeText(bytes: Uint8Array, path: string, encoding: TextEncoding = 'utf-8'): string {
  refuseUtf16(bytes, path)
  if (encoding === 'latin1') return Buffer.from(bytes).toString('latin1')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    if (encoding === 'utf-8-or-latin1') return Buffer.from(bytes).toString('latin1')
    throw notUtf8(path, lineOf(bytes, firstInvalidByte(bytes)))
  }
}

export interface TextLine {
  /** Counted from 1. */
  readonly number: number
  /** Without its line end (LF or CR LF). */
  readonly text: string
  /** Whether a line end follows; false only for a last line that stops without one. */
  readonly ended: boolean
}

export interface ByteLine {
  /** Counted from 1. */
  readonly number: number
  /** Without its line end (LF or CR LF) and without a byte order mark; valid until the next line is asked for. */
  readonly bytes: Uint8Array
  readonly ended: boolean
}

export interface ReadLinesOptions {
  /** Longest line accepted, in bytes; default 64 MiB. A longer one is no text file of lines. */
  maxBytes?: number
  signal?: AbortSignal | undefined
}

/** Lines of a UTF-8 file in a stream: memory is one chunk and one line. Throws as {@link readTextFile}. */
export async function* readLines(path: string, options: ReadLinesOptions = {}): AsyncGenerator<TextLine> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  for await (const { number, bytes, ended } of byteLines(createReadStream(path, bigChunks), path, options)) {
    let text: string
    try {
      text = decoder.decode(bytes)
    } catch {
      throw notUtf8(path, number)
    }
    yield { number, text, ended }
  }
}

const bigChunks = { highWaterMark: 2 ** 20 }

/** Lines of a stream of bytes, undecoded. Throws INVALID_FILE for UTF-16 and for a line past `maxBytes`. */
export async function* byteLines(
  chunks: AsyncIterable<Uint8Array>,
  path: string,
  options: ReadLinesOptions = {},
): AsyncGenerator<ByteLine> {
  const { maxBytes = 64 * 2 ** 20, signal } = options
  let number = 0
  let pending: Uint8Array[] = []
  let pendingBytes = 0
  const finish = (tail: Uint8Array, ended: boolean): ByteLine => {
    number++
    let bytes = pending.length === 0 ? tail : Buffer.concat([...pending, tail])
    pending = []
    pendingBytes = 0
    if (ended && bytes[bytes.length - 1] === 0x0d) bytes = bytes.subarray(0, -1)
    if (number === 1 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) bytes = bytes.subarray(3)
    return { number, bytes, ended }
  }
  let first = true
  try {
    for await (const chunk of chunks) {
      throwIfAborted(signal)
      if (first) refuseUtf16(chunk, path)
      first = false
      let start = 0
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
        yield finish(chunk.subarray(start, end), true)
        start = end + 1
      }
      if (start < chunk.length) {
        pending.push(chunk.subarray(start))
        pendingBytes += chunk.length - start
        if (pendingBytes > maxBytes) {
          throw new SonotextError('INVALID_FILE', `line ${number + 1} is longer than ${maxBytes} bytes.`, {
            file: path,
            remedy: 'Check that this is a text file with one entry a line.',
          })
        }
      }
    }
  } catch (cause) {
    rethrowMissing(path, cause)
  }
  if (pendingBytes > 0) yield finish(new Uint8Array(0), false)
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
  if (code === 'EISDIR') {
    throw new SonotextError('INVALID_FILE', 'expected a file, got a folder.', { file: path, cause })
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

function refuseUtf16(bytes: Uint8Array, path: string): void {
  const marked = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)
  const head = bytes.subarray(0, 512)
  const zeros = head.reduce((count, byte) => count + (byte === 0 ? 1 : 0), 0)
  if (marked || (head.length >= 8 && zeros > head.length / 4)) {
    throw new SonotextError(
      'INVALID_FILE',
      `expected UTF-8 text, got ${marked || zeros < head.length * 0.6 ? 'UTF-16' : 'binary data'}.`,
      {
        file: path,
        remedy: 'Save it as UTF-8, for example: iconv -f UTF-16 -t UTF-8 IN > OUT.',
      },
    )
  }
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

function lineOf(bytes: Uint8Array, offset: number): number {
  let line = 1
  for (let i = bytes.indexOf(10); i >= 0 && i < offset; i = bytes.indexOf(10, i + 1)) line++
  return line
}
