import type { Stats } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { throwIfAborted } from '../base/abort.js'
import { isSonotextError, SonotextError } from '../base/errors.js'

/** The bytes of a recording, wherever they lie: no reader needs all of them at once. */
export interface ByteSource {
  readonly length: number
  /** Up to `count` bytes from `start` on, fewer where the source ends. They are not to be written to. */
  read(start: number, count: number): Promise<Uint8Array>
}

/** Bytes that are in memory. */
export function memorySource(bytes: Uint8Array): ByteSource {
  return {
    length: bytes.length,
    read: async (start, count) => bytes.subarray(Math.min(start, bytes.length), start + count),
  }
}

/** A part of a source, as a source. */
export function sliceSource(source: ByteSource, start: number, end = source.length): ByteSource {
  const length = Math.max(0, Math.min(end, source.length) - start)
  return {
    length,
    read: (from, count) => source.read(start + from, Math.max(0, Math.min(count, length - from))),
  }
}

/** Bytes that are read at once, however few are asked for. */
const READ = 1 << 18
/** Files up to this size are read whole. */
const SMALL = 1 << 22

/** A file that is read where it is asked for; a piece of it is kept, so that small reads one behind the other cost little. */
export class FileSource implements ByteSource, AsyncDisposable {
  readonly path: string
  readonly length: number
  /** Of the last change of contents, ns since 1970. */
  readonly mtimeNs: bigint
  /** Bytes that were read from the file so far. */
  bytesRead = 0
  readonly #handle: FileHandle
  readonly #signal: AbortSignal | undefined
  #piece: Uint8Array = new Uint8Array(0)
  #pieceStart = 0

  private constructor(
    path: string,
    handle: FileHandle,
    { size, mtimeNs }: { size: bigint; mtimeNs: bigint },
    signal: AbortSignal | undefined,
  ) {
    this.path = path
    this.#handle = handle
    this.length = Number(size)
    this.mtimeNs = mtimeNs
    this.#signal = signal
  }

  /** Throws MISSING_FILE, or INVALID_FILE for what is no file or may not be read. */
  static async open(path: string, signal?: AbortSignal): Promise<FileSource> {
    throwIfAborted(signal)
    try {
      // Asked before it is opened: a pipe would wait for its other end.
      refuseOther(await stat(path), path)
      const handle = await open(path, 'r')
      return new FileSource(path, handle, await handle.stat({ bigint: true }), signal)
    } catch (cause) {
      throw isSonotextError(cause) ? cause : unreadable(path, cause)
    }
  }

  async read(start: number, count: number): Promise<Uint8Array> {
    throwIfAborted(this.#signal)
    const end = Math.min(start + count, this.length)
    const held = this.#pieceStart + this.#piece.length
    if (start < this.#pieceStart || end > held) {
      const from = this.length <= SMALL ? 0 : Math.min(start, this.length)
      const wanted = this.length <= SMALL ? this.length : Math.max(end - start, READ)
      // Always new memory: who holds an earlier piece keeps it as it was.
      const piece = new Uint8Array(Math.max(0, Math.min(wanted, this.length - from)))
      let done = 0
      while (done < piece.length) {
        const { bytesRead } = await this.#handle
          .read(piece, done, piece.length - done, from + done)
          .catch((cause: unknown) => {
            throw unreadable(this.path, cause)
          })
        if (bytesRead === 0) break
        done += bytesRead
      }
      this.bytesRead += done
      this.#piece = piece.subarray(0, done)
      this.#pieceStart = from
    }
    return this.#piece.subarray(start - this.#pieceStart, Math.max(start, end) - this.#pieceStart)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close()
  }
}

function refuseOther(info: Stats, file: string): void {
  if (info.isFile()) return
  throw new SonotextError(
    'INVALID_FILE',
    `Expected an audio file, found ${info.isDirectory() ? 'a folder' : 'a device'}.`,
    { file, remedy: 'Name a file inside it.' },
  )
}

/** Why a file could not be read, as an error that names it. */
export function unreadable(file: string, cause: unknown): SonotextError {
  const code = (cause as NodeJS.ErrnoException).code ?? String(cause)
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new SonotextError('MISSING_FILE', 'Expected an audio file, found nothing.', {
      file,
      remedy: 'Check the path, and the folder that relative paths start from.',
      cause,
    })
  }
  return new SonotextError('INVALID_FILE', `Expected a readable audio file (${code}).`, {
    file,
    remedy: 'Check its permissions.',
    cause,
  })
}

/** Where `pattern` (Latin-1 text or one byte) begins first in `from` … `to`, or -1. */
export async function find(
  source: ByteSource,
  pattern: string | number,
  from: number,
  to = source.length,
): Promise<number> {
  const length = typeof pattern === 'string' ? pattern.length : 1
  for (let at = from; at + length <= to;) {
    const { buffer, byteOffset, byteLength } = await source.read(at, Math.min(READ, to - at))
    const place = Buffer.from(buffer, byteOffset, byteLength).indexOf(pattern, 0, 'latin1')
    if (place >= 0) return at + place
    if (byteLength < length) break
    // The pattern may lie across the border of two pieces.
    at += byteLength - length + 1
  }
  return -1
}
