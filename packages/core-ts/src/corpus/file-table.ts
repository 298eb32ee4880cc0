import { appendFile, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { throwIfAborted } from '../base/abort.js'
import { makeFolder, writeFileAtomic } from '../base/files.js'
import { whileLocked } from '../base/lock.js'
import { nextTurn } from '../base/turn.js'
import type { EntryFacts } from './cache-file.js'

/** What is known of a recording as long as its size and the time of its last change are these. */
export interface FileFacts extends EntryFacts {
  readonly size: number
  /** ns since 1970. */
  readonly mtimeNs: bigint
  /** Hash of its contents. */
  readonly content: string
}

/** Facts in the order of a line. */
type Line = readonly [
  path: string,
  size: number,
  mtimeNs: string,
  content: string,
  frames: number,
  frameStep: number,
  duration: number,
  constant: 0 | 1,
]

/** New facts are written when so many have come, and after so many ms. */
const [MANY, SOON] = [256, 2_000]
/** A table of more lines than twice its facts and this is written anew. */
const SLACK = 1_000
/** How long another process may hold the table, ms. */
const PATIENCE = 10_000
const READ = 1 << 20

/**
 * The recordings whose contents are known by path, size and time of change, so that none of them has to be read again: a file of lines
 * that is appended to. Every line has a checksum and is preceded by a line break, so that what a crash cut off is passed over and spoils
 * nothing behind it. Whoever writes holds a lock: several processes may share a table. What is lost costs reading a recording once more.
 */
export class FileTable {
  readonly path: string
  readonly #facts = new Map<string, FileFacts>()
  /** Not written yet. */
  #pending = new Map<string, FileFacts>()
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()
  #readOnly: boolean

  private constructor(path: string, readOnly: boolean) {
    this.path = path
    this.#readOnly = readOnly
  }

  /** The table at `path`, empty where there is none. A table with many lines that no longer count is written anew. */
  static async open(
    path: string,
    { readOnly = false, signal }: { readOnly?: boolean; signal?: AbortSignal } = {},
  ): Promise<FileTable> {
    const table = new FileTable(path, readOnly)
    const lines = await table.#read(signal)
    if (!readOnly && lines > 2 * table.#facts.size + SLACK) await table.#compact()
    return table
  }

  get size(): number {
    return this.#facts.size
  }

  get(path: string): FileFacts | undefined {
    return this.#facts.get(path)
  }

  set(path: string, facts: FileFacts): void {
    this.#facts.set(path, facts)
    if (this.#readOnly) return
    this.#pending.set(path, facts)
    if (this.#pending.size >= MANY) void this.flush()
    else this.#timer ??= setTimeout(() => void this.flush(), SOON).unref()
  }

  /** Writes what is new. What cannot be written is kept for the next time: the table saves work and stands in the way of none. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#writing = this.#writing.then(() => this.#append())
    await this.#writing
  }

  async #append(): Promise<void> {
    if (this.#pending.size === 0 || this.#readOnly) return
    const written = this.#pending
    this.#pending = new Map()
    const text = Array.from(written, ([path, facts]) => `\n${lineOf(path, facts)}`).join('')
    try {
      await makeFolder(dirname(this.path))
      const done = await whileLocked(this.#lock, () => appendFile(this.path, `${text}\n`), { wait: PATIENCE })
      if (done !== undefined) return
    } catch {
      // As where the lock was not free.
    }
    this.#pending = new Map([...written, ...this.#pending])
  }

  get #lock(): string {
    return `${this.path}.lock`
  }

  /** Takes over the facts of the file; how many lines it has. */
  async #read(signal?: AbortSignal): Promise<number> {
    const handle = await open(this.path, 'r').catch(() => undefined)
    if (handle === undefined) return 0
    let lines = 0
    let rest: Uint8Array = new Uint8Array(0)
    const take = (text: string) => {
      for (const line of text.split('\n')) {
        if (line === '') continue
        lines++
        const parsed = factsOf(line)
        if (parsed !== undefined) this.#facts.set(...parsed)
      }
    }
    try {
      for (let at = 0; ;) {
        throwIfAborted(signal)
        const { bytesRead, buffer } = await handle.read(Buffer.alloc(READ), 0, READ, at)
        if (bytesRead === 0) break
        at += bytesRead
        const bytes = Buffer.concat([rest, buffer.subarray(0, bytesRead)])
        const end = bytes.lastIndexOf('\n') + 1
        take(bytes.toString('utf8', 0, end))
        rest = bytes.subarray(end)
        await nextTurn(signal)
      }
      take(Buffer.from(rest).toString('utf8'))
    } finally {
      await handle.close()
    }
    return lines
  }

  /** One line for each recording. Read once more under the lock: others may have written since. */
  async #compact(): Promise<void> {
    const work = async () => {
      await this.#read()
      const lines = Array.from(this.#facts, ([path, facts]) => `${lineOf(path, facts)}\n`)
      await writeFileAtomic(
        this.path,
        lines.map((line) => Buffer.from(line)),
      )
    }
    await whileLocked(this.#lock, work, { wait: PATIENCE }).catch(() => undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush()
  }
}

function lineOf(path: string, facts: FileFacts): string {
  const { size, mtimeNs, content, frames, frameStep, duration, constant } = facts
  const line: Line = [path, size, String(mtimeNs), content, frames, frameStep, duration, constant ? 1 : 0]
  const text = JSON.stringify(line)
  return `${crc32(text).toString(16).padStart(8, '0')} ${text}`
}

function factsOf(line: string): [path: string, facts: FileFacts] | undefined {
  const text = line.slice(9)
  if (line[8] !== ' ' || Number.parseInt(line.slice(0, 8), 16) !== crc32(text)) return undefined
  const [path, size, mtimeNs, content, frames, frameStep, duration, constant] = JSON.parse(text) as Line
  const facts = { size, mtimeNs: BigInt(mtimeNs), content, frames, frameStep, duration }
  return [path, { ...facts, constant: constant === 1 }]
}
