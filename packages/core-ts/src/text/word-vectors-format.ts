import { decimalNumber } from '../base/decimal.js'
import { SonotextError } from '../base/errors.js'

/** First four bytes of a fastText .bin model. */
const fastTextMagic = [0xba, 0x16, 0x4f, 0x2f]
const headerLine = /^(\d+) (\d+)\s*$/

/**
 * `word2vec-text` has a header line with count and dimension (fastText's .vec files are the same), `glove` has none,
 * `word2vec-binary` has the header and 32-bit little-endian floats.
 */
export type WordVectorFormat = 'word2vec-text' | 'word2vec-binary' | 'glove'

/** What the reader of a file may be told of its format. */
export interface FormatOptions {
  /** Default: recognised from the contents. */
  format?: WordVectorFormat
  /** Length of a vector in a GloVe file; default: the commonest among the first lines. */
  dim?: number
}

export interface VectorFileShape {
  readonly format: WordVectorFormat
  readonly dim: number
  readonly count: number | undefined
}

/** Recognises a file of word vectors from its first bytes. Throws INVALID_FILE or UNSUPPORTED with a remedy. */
export function sniffFormat(head: Buffer, path: string, options: FormatOptions): VectorFileShape {
  refuseOthers(head, path)
  const firstLine = lineAt(head, 0)
  const header = firstLine.length < 64 ? headerLine.exec(firstLine.toString('latin1')) : null
  const hasHeader = options.format === undefined ? header !== null : options.format !== 'glove'
  if (!hasHeader) return { format: 'glove', dim: options.dim ?? gloveDimension(head, path), count: undefined }
  if (header === null) {
    throw notVectors(`${path}:1`, 'expected a first line with the number of vectors and their length')
  }
  const count = Number(header[1])
  const dim = Number(header[2])
  if (count < 1 || dim < 1 || dim > 65536)
    throw notVectors(`${path}:1`, `expected a sensible count and length, got "${header[0].trim()}"`)
  const second = lineAt(head, firstLine.length + 1)
  const remedy = otherWriting(second.toString('latin1'))
  if (options.format !== 'word2vec-binary' && !isTextRow(second, dim) && remedy !== undefined)
    throw notVectors(
      `${path}:2`,
      `expected a word and ${dim} numbers apart by blanks, got "${second.toString('latin1').slice(0, 60)}"`,
      remedy,
    )
  return {
    format: options.format ?? (isTextRow(second, dim) ? 'word2vec-text' : 'word2vec-binary'),
    dim,
    count,
  }
}

function refuseOthers(head: Buffer, path: string): void {
  if (head.length === 0) throw notVectors(path, 'the file is empty')
  if (fastTextMagic.every((byte, i) => head[i] === byte)) {
    throw new SonotextError('UNSUPPORTED', 'this is a fastText model (.bin), not a file of vectors.', {
      file: path,
      remedy: "Use the .vec file that comes with it, or write one with fastText's print-word-vectors.",
    })
  }
  if (head[0] === 0x50 && head[1] === 0x4b && head[2] === 3 && head[3] === 4) {
    throw new SonotextError('UNSUPPORTED', 'this is a zip archive.', {
      file: path,
      remedy: 'Unpack it and give the file inside.',
    })
  }
  if (head[0] === 0x1f && head[1] === 0x8b) {
    throw new SonotextError('UNSUPPORTED', 'this is gzip data in a file whose name does not say so.', {
      file: path,
      remedy: 'Rename it to end in .gz, or unpack it.',
    })
  }
}

/**
 * Words of a GloVe file may hold blanks (". . ." in the 840B vectors), which adds fields; and a line may be damaged. So the
 * commonest number of fields among the first lines gives the length.
 */
function gloveDimension(head: Buffer, path: string): number {
  const tally = new Map<number, number>()
  let start = 0
  for (let n = 0; n < 200 && start < head.length; n++) {
    const line = lineAt(head, start)
    // The head may end inside a line; that one says nothing, unless it is all there is.
    const isWhole = start + line.length < head.length || n === 0
    const dim = fieldsOf(line).length - 1
    if (isWhole && line.length > 0) tally.set(dim, (tally.get(dim) ?? 0) + 1)
    start += line.length + 1
  }
  const [[dim] = [0]] = [...tally].sort(([a, m], [b, n]) => n - m || a - b)
  if (dim < 1 || !isTextRow(lineAt(head, 0), dim)) {
    const line = lineAt(head, 0).toString('latin1')
    throw notVectors(
      `${path}:1`,
      `expected a word followed by numbers, got "${line.slice(0, 60)}"`,
      otherWriting(line),
    )
  }
  return dim
}

function isTextRow(line: Buffer, dim: number): boolean {
  const fields = fieldsOf(line)
  return fields.length > dim && fields.slice(-dim).every((field) => decimalNumber(field) !== undefined)
}

function fieldsOf(line: Buffer): string[] {
  return line.toString('latin1').trimEnd().split(' ')
}

function lineAt(bytes: Buffer, start: number): Buffer {
  const end = bytes.indexOf(bytes.includes(10) ? 10 : 13, start)
  return bytes.subarray(start, end < 0 ? bytes.length : end)
}

/** What to do about a line of numbers with tabs between them or decimal commas; undefined for any other. */
function otherWriting(line: string): string | undefined {
  const fields = line
    .trim()
    .split(/[ \t]+/)
    .slice(1)
  if (fields.length === 0 || !fields.every((field) => decimalNumber(field.replace(',', '.')) !== undefined))
    return undefined
  if (line.includes('\t')) return 'Put single blanks in place of the tabs.'
  return fields.some((field) => field.includes(','))
    ? 'Write points in place of the decimal commas.'
    : undefined
}

function notVectors(file: string, message: string, remedy?: string): SonotextError {
  return new SonotextError('INVALID_FILE', `${message}.`, {
    file,
    remedy: remedy ?? 'Give word vectors as word2vec (text or binary), GloVe or fastText .vec.',
  })
}
