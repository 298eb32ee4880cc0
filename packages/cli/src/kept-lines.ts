import { appendFileSync, truncateSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { type Lock, takeLock } from '@sonotext/core/base'
import { UsageError } from './exit.js'

/**
 * A file of results, one JSON line each, that long work appends to: what is in it from an earlier call is not done again. A last line that
 * was cut off when that call was killed is taken away. Every line says in `by` which settings made it. One call at a time has the file: a lock
 * stands beside it until it is let go.
 */
export class KeptLines<Line extends object> implements Disposable {
  readonly #lock: Lock
  readonly file: string
  readonly #by: string
  readonly #keyOf: (line: Partial<Line>) => string | undefined
  readonly #keys = new Set<string>()

  private constructor(
    lock: Lock,
    file: string,
    by: string,
    keyOf: (line: Partial<Line>) => string | undefined,
  ) {
    this.#lock = lock
    this.file = file
    this.#by = by
    this.#keyOf = keyOf
  }

  /**
   * `by` names the settings; `keyOf` says what a line is the result of, or undefined where it is none. Throws UsageError for a file that
   * holds something else, or results made by other settings, or that another process is writing.
   */
  static async open<Line extends object>(
    file: string,
    by: string,
    keyOf: (line: Partial<Line>) => string | undefined,
  ): Promise<KeptLines<Line>> {
    const lock = await takeLock(`${file}.lock`)
    if ('owner' in lock) {
      const { pid, host } = lock.owner
      throw new UsageError(
        `${file} is being written by process ${pid} on ${host}. Wait for it, or name another file with --out; if it is gone, remove ${file}.lock.`,
      )
    }
    const kept = new KeptLines<Line>(lock, file, by, keyOf)
    try {
      await kept.#readWhole()
    } catch (error) {
      lock.release()
      throw error
    }
    return kept
  }

  async #readWhole(): Promise<void> {
    const file = this.file
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return ''
      throw error
    })
    const whole = text.slice(0, text.lastIndexOf('\n') + 1)
    for (const line of whole.split('\n').filter(Boolean)) this.#keys.add(this.#keyOfText(line))
    if (whole.length < text.length) truncateSync(file, Buffer.byteLength(whole))
  }

  [Symbol.dispose](): void {
    this.#lock.release()
  }

  get size(): number {
    return this.#keys.size
  }

  has(key: string): boolean {
    return this.#keys.has(key)
  }

  append(line: Line): void {
    appendFileSync(this.file, `${JSON.stringify({ ...line, by: this.#by })}\n`)
    this.#keys.add(this.#keyOf(line)!)
  }

  #keyOfText(text: string): string {
    const line = parsed<Line>(text)
    const key = line && this.#keyOf(line)
    if (key === undefined)
      throw new UsageError(
        `${this.file} holds something other than results of this command. Name another file with --out.`,
      )
    if (line!.by !== this.#by)
      throw new UsageError(
        `${this.file} holds results of another model or other options. Name another file with --out, or delete it.`,
      )
    return key
  }
}

function parsed<Line>(text: string): (Partial<Line> & { by?: unknown }) | undefined {
  try {
    const value = JSON.parse(text) as (Partial<Line> & { by?: unknown }) | null
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
