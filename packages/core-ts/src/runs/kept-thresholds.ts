import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { PhraseCalibration } from '../align/index.js'
import { isSonotextError } from '../base/errors.js'
import { writeFileAtomic } from '../base/files.js'
import { readText } from '../base/text.js'

/**
 * What phrases score in recordings without labels, kept in a folder: a file of JSON lines for each model, settings and recordings it was found
 * by. A damaged line is passed over: its phrase is looked for again.
 */
export class KeptThresholds {
  readonly #file: string
  readonly #known = new Map<string, PhraseCalibration>()

  private constructor(file: string) {
    this.#file = file
  }

  /** `by`: everything besides the phrase that decides what is found, as JSON. */
  static async open(folder: string, by: object): Promise<KeptThresholds> {
    const name = createHash('sha256').update(JSON.stringify(by)).digest('hex').slice(0, 16)
    const kept = new KeptThresholds(join(folder, `${name}.jsonl`))
    await kept.#read()
    return kept
  }

  get(phrase: string): PhraseCalibration | undefined {
    return this.#known.get(phrase)
  }

  /** Throws WRITE_FAILED. */
  async add(found: readonly PhraseCalibration[]): Promise<void> {
    // Another process may have found others meanwhile.
    await this.#read()
    for (const one of found) this.#known.set(one.phrase, one)
    const lines = Array.from(this.#known.values(), (one) => `${JSON.stringify(one)}\n`)
    await writeFileAtomic(this.#file, lines.join(''), { durable: false })
  }

  async #read(): Promise<void> {
    const text = await readText(this.#file).catch((error: unknown) => {
      if (isSonotextError(error)) return ''
      throw error
    })
    for (const line of text.split('\n').filter(Boolean)) {
      const one = calibrationIn(line)
      if (one !== undefined) this.#known.set(one.phrase, one)
    }
  }
}

function calibrationIn(line: string): PhraseCalibration | undefined {
  try {
    const { threshold, ...rest } = JSON.parse(line) as PhraseCalibration & { threshold: number | null }
    // JSON knows no infinity: the threshold of a phrase that scores the same everywhere.
    return { ...rest, threshold: threshold ?? Infinity }
  } catch {
    return undefined
  }
}
