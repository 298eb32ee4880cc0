import { throwIfAborted } from '../base/abort.js'
import { SonotextError } from '../base/errors.js'
import type { RowSink } from './row-sink.js'

/** No word is longer, in bytes; a stretch without a blank that is means the data are garbled. */
const longestWord = 8192

/** Rows of a word2vec binary file: the word, a blank, `dim` 32-bit little-endian floats and mostly a line feed. */
export async function readBinaryRows(chunks: AsyncIterable<Buffer>, sink: RowSink): Promise<void> {
  const { path, dim } = sink
  const count = sink.count!
  const decoder = new TextDecoder()
  let rest: Buffer = Buffer.alloc(0)
  let restAt = 0
  let rows = -1
  for await (const chunk of chunks) {
    throwIfAborted(sink.signal)
    const data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    if (rows < 0) {
      at = data.indexOf(10) + 1
      rows = 0
    }
    while (rows < count) {
      let start = at
      while (data[start] === 10) start++
      const wordEnd = data.indexOf(32, start)
      const length = (wordEnd < 0 ? data.length : wordEnd) - start
      if (length > longestWord || wordEnd === start) {
        throw garbled(path, restAt + start, `expected word ${rows + 1} of ${count}`)
      }
      const end = wordEnd + 1 + 4 * dim
      if (wordEnd < 0 || end > data.length) break
      rows++
      const word = decoder.decode(data.subarray(start, wordEnd))
      if (sink.wants(word)) {
        const vector = new Float32Array(dim)
        for (let d = 0; d < dim; d++) vector[d] = data.readFloatLE(wordEnd + 1 + 4 * d)
        sink.add(word, vector, `${path} (byte ${restAt + wordEnd + 1})`)
      }
      if (sink.passed()) return
      at = end
    }
    if (rows === count) {
      const extra = data.subarray(at).findIndex((byte) => byte !== 10)
      if (extra >= 0)
        throw garbled(path, restAt + at + extra, `expected the end after ${count} vectors, got more data`)
    }
    rest = data.subarray(at)
    restAt += at
  }
  if (rows < count)
    throw garbled(path, restAt + rest.length, `the file ends after ${rows} of ${count} vectors`)
}

function garbled(path: string, offset: number, message: string): SonotextError {
  return new SonotextError('INVALID_FILE', `at byte ${offset}: ${message}.`, {
    file: path,
    remedy: 'The file is cut short or garbled: get it again.',
  })
}
