import { appendFileSync, truncateSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { UsageError } from './exit.js'

/** A line of results that says what it is of, and by what it was made. */
export interface KeptLine {
  readonly clip: string
  readonly caption: string
  /** Name of the settings. */
  readonly by: string
}

/**
 * A file of results, one JSON line each, that long work appends to: what is in it from an earlier call is not done again. A last line that
 * was cut off when that call was killed is taken away.
 */
export class KeptLines {
  readonly #file: string
  readonly #by: string
  readonly #keys = new Set<string>()

  private constructor(file: string, by: string) {
    this.#file = file
    this.#by = by
  }

  /** Throws UsageError for a file that holds something else, or results made by other settings. */
  static async open(file: string, by: string): Promise<KeptLines> {
    const kept = new KeptLines(file, by)
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return ''
      throw error
    })
    const whole = text.slice(0, text.lastIndexOf('\n') + 1)
    for (const line of whole.split('\n').filter(Boolean)) {
      const { clip, caption, by: other } = parsed(line, file)
      if (other !== by)
        throw new UsageError(
          `${file} holds results of another model or other options. Name another file with --out, or delete it.`,
        )
      kept.#keys.add(keyOf(clip, caption))
    }
    if (whole.length < text.length) truncateSync(file, Buffer.byteLength(whole))
    return kept
  }

  get size(): number {
    return this.#keys.size
  }

  has(clip: string, caption: string): boolean {
    return this.#keys.has(keyOf(clip, caption))
  }

  append(line: Omit<KeptLine, 'by'>): void {
    appendFileSync(this.#file, `${JSON.stringify({ ...line, by: this.#by })}\n`)
    this.#keys.add(keyOf(line.clip, line.caption))
  }
}

function keyOf(clip: string, caption: string): string {
  return JSON.stringify([clip, caption])
}

function parsed(line: string, file: string): KeptLine {
  try {
    const found = JSON.parse(line) as Partial<KeptLine>
    if (typeof found.clip === 'string' && typeof found.caption === 'string')
      return { by: '', ...found } as KeptLine
  } catch {
    // Said below.
  }
  throw new UsageError(
    `${file} holds something other than results of this command. Name another file with --out.`,
  )
}
