import { type FileHandle, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { AtomicFile } from '../base/files.js'
import { matrix, type Matrix } from '../base/matrix.js'
import { type Part, placeOf } from './part.js'

/** What an entry says of a clip, whichever part of it is read. */
export interface EntryFacts {
  /** Frames of the whole clip. */
  readonly frames: number
  /** Seconds between frames. */
  readonly frameStep: number
  /** Length of the clip in seconds. */
  readonly duration: number
  /** Whether all numbers are one and the same, as digital silence gives. */
  readonly constant: boolean
}

export interface Entry {
  readonly facts: EntryFacts
  /** The part that was asked for, and its first frame. */
  readonly features: Matrix
  readonly from: number
  /** Bytes that were read. */
  readonly bytes: number
}

const MAGIC = 'SNTXFTR2'
/** magic 8, frames u32, cols u32, frameStep f64, duration f64, frames of a block u32, constant u32, zeros, checksum u32 */
const HEADER = 64
/** Bytes of features that share a checksum, roughly: what is read of a part is whole blocks. */
const BLOCK = 1 << 14
/** A file that is still written is touched more often than this, ms. */
const ABANDONED = 15 * 60_000

/**
 * Features on disk, one file per content of a recording, named by its hash: a changed recording is a new entry, one under two names is
 * one. Entries are written whole or not at all, several processes may share a folder, and every 16 KiB have a checksum, so that a part of
 * an entry can be read and checked without the rest.
 */
export class FeatureCache {
  readonly folder: string
  readonly cols: number

  constructor(folder: string, cols: number) {
    this.folder = folder
    this.cols = cols
  }

  path(content: string): string {
    return join(this.folder, content.slice(0, 2), `${content}.features`)
  }

  /** A part of an entry, or undefined when there is none or what is read of it is damaged: then it is to be made again. */
  async read(content: string, part: Part = {}): Promise<Entry | undefined> {
    const handle = await open(this.path(content), 'r').catch(() => undefined)
    if (handle === undefined) return undefined
    try {
      return await readEntry(handle, this.cols, part)
    } catch {
      return undefined
    } finally {
      await handle.close()
    }
  }

  /** A new entry, written frame by frame. @throws SonotextError WRITE_FAILED, for example when the disk is full */
  async write(content: string, frameStep: number): Promise<EntryWriter> {
    const file = await AtomicFile.create(this.path(content), { within: this.#unfinished })
    return EntryWriter.begin(file, this.cols, frameStep)
  }

  /** Removes what killed processes left unfinished. */
  async tidy(): Promise<void> {
    for (const name of await readdir(this.#unfinished).catch(() => [])) {
      const path = join(this.#unfinished, name)
      const info = await stat(path).catch(() => undefined)
      if (info !== undefined && Date.now() - info.mtimeMs > ABANDONED) await rm(path, { force: true })
    }
  }

  get #unfinished(): string {
    return join(this.folder, 'unfinished')
  }
}

/** An entry that is being written; without {@link finish} nothing of it stays. */
export class EntryWriter implements AsyncDisposable {
  readonly #file: AtomicFile
  readonly #frameStep: number
  readonly #cols: number
  readonly #blockBytes: number
  readonly #checksums: number[] = []
  /** Checksum of the block that is not full yet, and its length in bytes. */
  #open = { checksum: 0, bytes: 0 }
  #frames = 0
  #first: number | undefined
  #constant = true

  private constructor(file: AtomicFile, cols: number, frameStep: number) {
    this.#file = file
    this.#cols = cols
    this.#frameStep = frameStep
    this.#blockBytes = 4 * cols * blockFrames(cols)
  }

  static async begin(file: AtomicFile, cols: number, frameStep: number): Promise<EntryWriter> {
    // The header is known in the end.
    await file.append(new Uint8Array(HEADER))
    return new EntryWriter(file, cols, frameStep)
  }

  async append({ rows, data }: Matrix): Promise<void> {
    this.#first ??= data[0]
    this.#constant &&= isAll(data, this.#first!)
    this.#frames += rows
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    for (let at = 0; at < bytes.length;) {
      const some = bytes.subarray(at, at + this.#blockBytes - this.#open.bytes)
      this.#open = { checksum: crc32(some, this.#open.checksum), bytes: this.#open.bytes + some.length }
      if (this.#open.bytes === this.#blockBytes) this.#closeBlock()
      at += some.length
    }
    await this.#file.append(bytes)
  }

  async finish(duration: number): Promise<EntryFacts> {
    if (this.#open.bytes > 0) this.#closeBlock()
    const facts = {
      frames: this.#frames,
      frameStep: this.#frameStep,
      duration,
      constant: this.#constant,
    }
    await this.#file.append(new Uint8Array(Uint32Array.from(this.#checksums).buffer))
    await this.#file.writeAt(encodeHeader(facts, this.#cols), 0)
    // It can be made again and says itself when it is not whole.
    await this.#file.commit({ durable: false })
    return facts
  }

  #closeBlock(): void {
    this.#checksums.push(this.#open.checksum)
    this.#open = { checksum: 0, bytes: 0 }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file[Symbol.asyncDispose]()
  }
}

export function isAll(data: Float32Array, value: number): boolean {
  for (let i = 0; i < data.length; i++) if (data[i] !== value) return false
  return true
}

/** Frames that share a checksum. */
function blockFrames(cols: number): number {
  return Math.max(1, Math.floor(BLOCK / (4 * cols)))
}

function encodeHeader({ frames, frameStep, duration, constant }: EntryFacts, cols: number): Buffer {
  const header = Buffer.alloc(HEADER)
  header.write(MAGIC, 'latin1')
  header.writeUInt32LE(frames, 8)
  header.writeUInt32LE(cols, 12)
  header.writeDoubleLE(frameStep, 16)
  header.writeDoubleLE(duration, 24)
  header.writeUInt32LE(blockFrames(cols), 32)
  header.writeUInt32LE(constant ? 1 : 0, 36)
  header.writeUInt32LE(crc32(header.subarray(0, HEADER - 4)), HEADER - 4)
  return header
}

function decodeHeader(header: Buffer, cols: number): EntryFacts | undefined {
  if (header.toString('latin1', 0, 8) !== MAGIC) return undefined
  if (header.readUInt32LE(HEADER - 4) !== crc32(header.subarray(0, HEADER - 4))) return undefined
  if (header.readUInt32LE(12) !== cols || header.readUInt32LE(32) !== blockFrames(cols)) return undefined
  return {
    frames: header.readUInt32LE(8),
    frameStep: header.readDoubleLE(16),
    duration: header.readDoubleLE(24),
    constant: header.readUInt32LE(36) === 1,
  }
}

async function readEntry(handle: FileHandle, cols: number, part: Part): Promise<Entry | undefined> {
  const header = Buffer.from(await bytesAt(handle, 0, HEADER))
  const facts = decodeHeader(header, cols)
  if (facts === undefined) return undefined
  const { from, count } = placeOf(facts.frames, part)
  const [row, perBlock] = [4 * cols, blockFrames(cols)]
  const first = Math.floor(from / perBlock)
  const end = count === 0 ? first : Math.ceil((from + count) / perBlock)
  const start = first * perBlock
  const rows = Math.max(0, Math.min(end * perBlock, facts.frames) - start)
  const data = new Float32Array(rows * cols)
  const bytes = new Uint8Array(data.buffer)
  await fill(handle, bytes, HEADER + start * row)
  const sums = new Uint32Array(end - first)
  await fill(handle, new Uint8Array(sums.buffer), HEADER + facts.frames * row + 4 * first)
  for (const [b, sum] of sums.entries()) {
    if (crc32(bytes.subarray(b * perBlock * row, (b + 1) * perBlock * row)) !== sum) return undefined
  }
  const wanted =
    rows === count
      ? matrix(rows, cols, data)
      : matrix(count, cols, data.slice((from - start) * cols, (from - start + count) * cols))
  return { facts, features: wanted, from, bytes: HEADER + bytes.length + 4 * sums.length }
}

async function bytesAt(handle: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  await fill(handle, bytes, position)
  return bytes
}

/** Reads as many bytes as there is room for; throws where there are fewer. */
async function fill(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, position + done)
    if (bytesRead === 0) throw new Error('the entry is cut short')
    done += bytesRead
  }
}
