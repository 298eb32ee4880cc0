import { decimalRemedy } from '../base/decimal.js'
import { SonotextError } from '../base/errors.js'
import { byteLines } from '../base/text.js'
import type { RowSink } from './row-sink.js'

const space = 0x20

/** Rows of a text file: the word, then `dim` numbers, apart by single blanks. The word itself may hold blanks. */
export async function readTextRows(chunks: AsyncIterable<Buffer>, sink: RowSink): Promise<void> {
  const { path, dim, count } = sink
  const decoder = new TextDecoder()
  let rows = 0
  let last = 0
  let ending: (() => void) | undefined
  for await (const { number, bytes } of byteLines(chunks, path, { signal: sink.signal })) {
    last = number
    if (number === 1 && count !== undefined) continue
    const file = `${path}:${number}`
    let end = bytes.length
    while (end > 0 && (bytes[end - 1] === space || bytes[end - 1] === 0x0d)) end--
    if (end === 0) continue
    if (rows === count) {
      throw garbled(file, `the header promises ${count} vectors, but there are more`)
    }
    rows++
    const wordEnd = separatorFromEnd(bytes, end, dim)
    if (wordEnd < 1) {
      const fields = bytes.subarray(0, end).reduce((n, byte) => n + (byte === space ? 1 : 0), 1)
      throw garbled(file, `expected a word and ${dim} numbers, got ${fields} fields`)
    }
    const word = decoder.decode(bytes.subarray(0, wordEnd))
    const read = () => numbers(bytes.subarray(wordEnd + 1, end), dim, word, file)
    if (sink.wants(word)) sink.add(word, read(), file)
    // Of words that nobody wants only the last is looked at: there a file that was cut breaks off.
    ending = read
    if (sink.passed()) return
  }
  ending?.()
  if (count !== undefined && rows < count) {
    throw garbled(`${path}:${last}`, `the file ends after ${rows} of ${count} vectors`)
  }
}

/** Position of the blank before the last `fields` fields; -1 when there are not so many. */
function separatorFromEnd(bytes: Uint8Array, end: number, fields: number): number {
  let left = fields
  for (let i = end - 1; i >= 0; i--) if (bytes[i] === space && --left === 0) return i
  return -1
}

function numbers(bytes: Uint8Array, dim: number, word: string, file: string): Float32Array {
  const fields = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1').split(' ')
  const vector = new Float32Array(dim)
  fields.forEach((field, d) => {
    const value = field === '' ? Number.NaN : Number(field)
    if (Number.isNaN(value))
      throw garbled(
        file,
        `expected numbers for the word "${word}", got "${field}"`,
        field.includes(',') ? decimalRemedy(field) : undefined,
      )
    vector[d] = value
  })
  return vector
}

function garbled(file: string, message: string, remedy?: string): SonotextError {
  return new SonotextError('INVALID_FILE', `${message}.`, {
    file,
    remedy: remedy ?? 'The file is cut short or garbled: get it again.',
  })
}
