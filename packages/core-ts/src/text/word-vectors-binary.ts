import { throwIfAborted } from '../base/abort.js'
import { SonotextError } from '../base/errors.js'
import type { RowSink } from './row-sink.js'

/** No word is longer, in bytes; a stretch without a blank that is means the data are garbled. */
const longestWord = 8192
/** Nor one that holds blanks: how far the end of such a word is looked for. */
const longestPhrase = 1024
const [lf, blank] = [10, 32]

/**
 * Rows of a word2vec binary file: the word, a blank, `dim` 32-bit little-endian floats and, in all rows or in none, a line feed. The
 * line feeds tell where a word with blanks in it ("new york") ends. Where there are none, such a word shifts every row after it, which
 * shows as words that are no text: then the file is refused.
 */
export async function readBinaryRows(chunks: AsyncIterable<Buffer>, sink: RowSink): Promise<void> {
  const rows = new BinaryRows(sink)
  for await (const chunk of chunks) {
    throwIfAborted(sink.signal)
    if (rows.take(chunk)) return
  }
  rows.end()
}

/** A word to be decoded to find out whether it is one. */
const strict = new TextDecoder('utf-8', { fatal: true })

const control = /[\x00-\x1f\x7f]/

class BinaryRows {
  readonly #sink: RowSink
  readonly #count: number
  readonly #size: number
  #data: Buffer = Buffer.alloc(0)
  /** Offset in the file of the first byte held. */
  #offset = 0
  #rows = -1
  /** Whether a line feed ends the rows; null before the first. */
  #ends: boolean | null = null
  #last = ''

  constructor(sink: RowSink) {
    this.#sink = sink
    this.#count = sink.count!
    this.#size = 4 * sink.dim
  }

  /** Reads what is complete; true once nothing more is needed. */
  take(chunk: Buffer): boolean {
    this.#data = this.#data.length === 0 ? chunk : Buffer.concat([this.#data, chunk])
    return this.#read(false)
  }

  end(): void {
    if (this.#read(true) || this.#rows === this.#count) return
    throw this.#garbled(this.#data.length, `the file ends after ${this.#rows} of ${this.#count} vectors`)
  }

  #read(final: boolean): boolean {
    const { wants, add, passed, path, dim } = this.#sink
    let at = 0
    if (this.#rows < 0) {
      at = this.#data.indexOf(lf) + 1
      this.#rows = 0
    }
    let enough = false
    while (this.#rows < this.#count && !enough) {
      this.#ends ??= this.#firstRowEnds(at, final)
      if (this.#ends === null) break
      const wordEnd = this.#ends ? this.#wordBeforeEnd(at, final) : this.#wordBeforeBlank(at)
      if (wordEnd === null) break
      const word = this.#text(at, wordEnd) ?? new TextDecoder().decode(this.#data.subarray(at, wordEnd))
      this.#last = word
      this.#rows++
      if (wants(word)) {
        const vector = new Float32Array(dim)
        for (let d = 0; d < dim; d++) vector[d] = this.#data.readFloatLE(wordEnd + 1 + 4 * d)
        add(word, vector, `${path} (byte ${this.#offset + wordEnd + 1})`)
      }
      enough = passed()
      at = wordEnd + 1 + this.#size + (this.#ends ? 1 : 0)
    }
    if (this.#rows === this.#count && !enough) {
      const extra = this.#data.subarray(at).findIndex((byte) => byte !== lf)
      if (extra >= 0)
        throw this.#garbled(at + extra, `expected the end after ${this.#count} vectors, got more data`)
    }
    this.#offset += Math.min(at, this.#data.length)
    this.#data = this.#data.subarray(at)
    return enough
  }

  /** Whether the first row ends in a line feed; null where more data are needed to tell. */
  #firstRowEnds(at: number, final: boolean): boolean | null {
    const first = this.#wordBeforeBlank(at)
    if (first === null) return null
    const end = first + 1 + this.#size
    if (end === this.#data.length) return final ? false : null
    if (this.#data[end] === lf) return true
    for (const wordEnd of this.#blanks(at)) {
      const behind = wordEnd + 1 + this.#size
      if (behind < this.#data.length && this.#data[behind] === lf && this.#text(at, wordEnd) !== undefined)
        return true
    }
    return false
  }

  /** The first blank; null where the row is not all there. Throws where no word stands. */
  #wordBeforeBlank(at: number): number | null {
    const wordEnd = this.#data.indexOf(blank, at)
    const length = (wordEnd < 0 ? this.#data.length : wordEnd) - at
    if (length > longestWord || wordEnd === at) throw this.#noWord(at)
    if (wordEnd < 0 || wordEnd + 1 + this.#size > this.#data.length) return null
    if (this.#ends === false && this.#text(at, wordEnd) === undefined) throw this.#noWord(at)
    return wordEnd
  }

  /** The blank from which a row reaches to a line feed with a word behind it; null where that is not all there. */
  #wordBeforeEnd(at: number, final: boolean): number | null {
    if (this.#wordBeforeBlank(at) === null) return null
    let likely: number | undefined
    for (const wordEnd of this.#blanks(at)) {
      const end = wordEnd + 1 + this.#size
      if (end >= this.#data.length) {
        if (!final) return null
        if (end === this.#data.length && this.#rows + 1 === this.#count) return wordEnd
        continue
      }
      if (this.#data[end] !== lf || this.#data.subarray(at, wordEnd).includes(lf)) continue
      const follows = this.#rows + 1 === this.#count || this.#rowFollows(end + 1, final)
      if (follows === null) return null
      if (follows) return wordEnd
      likely ??= wordEnd
    }
    // What follows is no row: then that is the place to name.
    if (likely !== undefined) return likely
    throw this.#noWord(at)
  }

  /** Whether what stands here can be the next row; null where that is not all there. */
  #rowFollows(at: number, final: boolean): boolean | null {
    const next = this.#data.subarray(at, at + longestWord)
    const length = next.indexOf(blank)
    if (length < 0) return final || next.length === longestWord ? final && next.length === 0 : null
    if (next.subarray(0, length).includes(lf)) return false
    if (this.#text(at, at + length) !== undefined) return true
    const end = at + length + 1 + this.#size
    return end < this.#data.length ? this.#data[end] === lf : final ? end === this.#data.length : null
  }

  *#blanks(at: number): Generator<number> {
    const first = this.#data.indexOf(blank, at)
    const most = Math.max(first, at + longestPhrase)
    for (let i = first; i >= 0 && i <= most; i = this.#data.indexOf(blank, i + 1)) yield i
  }

  /** The bytes as text; undefined where they are none. */
  #text(start: number, end: number): string | undefined {
    try {
      const text = strict.decode(this.#data.subarray(start, end))
      return control.test(text) ? undefined : text
    } catch {
      return undefined
    }
  }

  #noWord(at: number): SonotextError {
    const before = this.#last === '' ? '' : `; the word before it, "${this.#last}", may hold a blank`
    return this.#garbled(
      at,
      `expected word ${this.#rows + 1} of ${this.#count}, got bytes that are no text${before}`,
    )
  }

  #garbled(at: number, message: string): SonotextError {
    return new SonotextError('INVALID_FILE', `at byte ${this.#offset + at}: ${message}.`, {
      file: this.#sink.path,
      remedy: 'The file is cut short or garbled: get it again, or write the vectors as text.',
    })
  }
}
