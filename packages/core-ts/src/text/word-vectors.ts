import { createReadStream } from 'node:fs'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { throwIfAborted } from '../base/abort.js'
import { expected, isSonotextError, SonotextError } from '../base/errors.js'
import { writeFileAtomic } from '../base/files.js'
import { type Matrix, matrix, row } from '../base/matrix.js'
import { asUtf8, isMarkedText, rethrowMissing } from '../base/text.js'
import { checkOptions } from '../base/options.js'
import type { RowSink } from './row-sink.js'
import { readBinaryRows } from './word-vectors-binary.js'
import { type FormatOptions, sniffFormat } from './word-vectors-format.js'
import { readTextRows } from './word-vectors-text.js'

/** Words and their vectors: row i of `vectors` [words × dim] belongs to words[i]. */
export interface WordVectors {
  readonly words: readonly string[]
  readonly vectors: Matrix
}

/** Options of {@link readWordVectors}. */
export interface ReadWordVectorsOptions extends FormatOptions {
  /** Only these words are kept, so that memory does not grow with the file; default all. */
  words?: Iterable<string>
  /** Only the first so many vectors of the file are looked at (files start with the most frequent words); default all. */
  limit?: number
  signal?: AbortSignal
}

/**
 * Reads word vectors in a stream: word2vec (text, binary), GloVe and fastText .vec files, gzipped or not. Of a word that
 * occurs twice the first vector counts. Throws MISSING_FILE; INVALID_FILE naming the line or byte where the file is cut
 * short or garbled; UNSUPPORTED for fastText .bin models and zip archives; INVALID_DATA when none of `words` is there.
 */
export async function readWordVectors(
  path: string,
  options: ReadWordVectorsOptions = {},
): Promise<WordVectors> {
  checkOptions(options, 'readWordVectors')
  const { limit = Infinity, signal } = options
  if (!(limit >= 1)) throw expected('a number of at least 1', 'limit', limit)
  const wanted = options.words === undefined ? undefined : new Set(options.words)
  const source = openMaybeGzipped(path)
  try {
    let { head, chunks } = await peek(source, 2 ** 20)
    if (isMarkedText(head)) ({ head, chunks } = await peek(asUtf8(chunks, path), 2 ** 20))
    const { format, dim, count } = sniffFormat(head, path, options)
    const rows = new Map<string, Float32Array>()
    let seen = 0
    const sink: RowSink = {
      path,
      dim,
      count,
      signal,
      wants: (word) => (wanted === undefined || wanted.has(word)) && !rows.has(word),
      add(word, vector, where) {
        const bad = vector.find((x) => !Number.isFinite(x))
        if (bad !== undefined) {
          throw new SonotextError(
            'INVALID_FILE',
            `expected finite numbers for the word "${word}", got ${bad}.`,
            {
              file: where,
              remedy: 'The file is garbled: get it again.',
            },
          )
        }
        rows.set(word, vector)
      },
      passed: () => ++seen >= limit || rows.size === wanted?.size,
    }
    await (format === 'word2vec-binary' ? readBinaryRows : readTextRows)(chunks, sink)
    if (rows.size === 0) throw nothingFound(path, wanted, seen)
    const vectors = matrix(rows.size, dim)
    let at = 0
    for (const vector of rows.values()) row(vectors, at++).set(vector)
    return { words: [...rows.keys()], vectors }
  } catch (cause) {
    if (!isSonotextError(cause) && (cause as NodeJS.ErrnoException).code?.startsWith('Z_')) {
      throw new SonotextError(
        'INVALID_FILE',
        `the gzip data is cut short or garbled (${(cause as Error).message}).`,
        {
          file: path,
          remedy: 'Get the file again.',
          cause,
        },
      )
    }
    rethrowMissing(path, cause)
  } finally {
    source.destroy()
  }
}

/**
 * Writes word vectors atomically as word2vec text (default) or binary; reading gives the same words and bits. Throws
 * INVALID_ARGUMENT for a word that is empty or holds white space, which neither format can carry.
 */
export async function writeWordVectors(
  path: string,
  { words, vectors }: WordVectors,
  options: { format?: 'word2vec-text' | 'word2vec-binary'; signal?: AbortSignal } = {},
): Promise<void> {
  checkOptions(options, 'writeWordVectors')
  const { format = 'word2vec-text', signal } = options
  const parts: Uint8Array[] = [Buffer.from(`${words.length} ${vectors.cols}\n`)]
  words.forEach((word, i) => {
    throwIfAborted(signal)
    if (word === '' || /\s/.test(word)) throw expected('a word without white space', `words[${i}]`, word)
    const values = row(vectors, i)
    if (format === 'word2vec-text') {
      // Nine digits carry every bit of a 32-bit float.
      const digits = Array.from(values, (x) => (Object.is(x, -0) ? '-0' : Number(x.toPrecision(9))))
      parts.push(Buffer.from(`${word} ${digits.join(' ')}\n`))
    } else {
      const bytes = Buffer.alloc(4 * values.length + 1)
      values.forEach((x, d) => bytes.writeFloatLE(x, 4 * d))
      bytes[4 * values.length] = 10
      parts.push(Buffer.from(`${word} `), bytes)
    }
  })
  await writeFileAtomic(path, parts)
}

function nothingFound(path: string, wanted: Set<string> | undefined, seen: number): SonotextError {
  if (wanted === undefined || seen === 0) {
    return new SonotextError('INVALID_FILE', 'the file holds no word vector.', {
      file: path,
      remedy: 'Get the file again.',
    })
  }
  return new SonotextError(
    'INVALID_DATA',
    `none of the ${wanted.size} words looked for is among its ${seen} vectors.`,
    {
      file: path,
      remedy:
        'Check that the vectors are of the language of the captions and not of a cased or tokenised kind that differs.',
    },
  )
}

function openMaybeGzipped(path: string): Readable {
  const file = createReadStream(path, { highWaterMark: 2 ** 20 })
  if (!path.endsWith('.gz')) return file
  return pipeline(file, createGunzip({ chunkSize: 2 ** 18 }), () => {})
}

/** The first bytes of a stream, and the stream from its start. */
async function peek(
  source: AsyncIterable<Uint8Array>,
  size: number,
): Promise<{ head: Buffer; chunks: AsyncIterable<Buffer> }> {
  const iterator = source[Symbol.asyncIterator]()
  const first: Uint8Array[] = []
  let length = 0
  let done = false
  while (length < size && !done) {
    const step = await iterator.next()
    if (step.done === true) done = true
    else {
      first.push(step.value)
      length += step.value.length
    }
  }
  const head = Buffer.concat(first)
  async function* chunks(): AsyncGenerator<Buffer> {
    yield head
    for (let step = await iterator.next(); step.done !== true; step = await iterator.next())
      yield Buffer.from(step.value)
  }
  return { head, chunks: chunks() }
}
