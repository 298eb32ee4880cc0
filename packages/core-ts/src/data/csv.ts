import { parse } from 'csv-parse/sync'
import { SonotextError } from '../base/errors.js'
import { nearest } from '../base/nearest.js'
import { readTextFile, type TextEncoding } from '../base/text-file.js'

export interface CsvOptions {
  /** Default 'utf-8', which refuses anything else with a remedy. */
  encoding?: TextEncoding
  /** Default ','; a tab for files that end in .tsv. */
  delimiter?: string
}

export interface CsvRow {
  /** Line of the file the row ends on, counted from 1. */
  readonly line: number
  /** The cell of a column; empty for a column the file lacks. */
  get(column: string): string
}

export interface CsvTable {
  readonly path: string
  readonly columns: readonly string[]
  readonly rows: readonly CsvRow[]
}

/**
 * Reads a CSV file with a header (RFC 4180 quotes; CR LF becomes LF; blank lines skipped; column names trimmed). Throws
 * MISSING_FILE; INVALID_FILE naming file and line for another encoding, broken quotes, a row with more or fewer cells than
 * the header, no header.
 */
export async function readCsv(path: string, options: CsvOptions = {}): Promise<CsvTable> {
  const { encoding = 'utf-8', delimiter = path.toLowerCase().endsWith('.tsv') ? '\t' : ',' } = options
  const records = parseRecords(await readTextFile(path, encoding), path, delimiter)
  const [header, ...body] = records
  if (header === undefined) {
    throw new SonotextError('INVALID_FILE', 'expected a CSV file with a header line, got an empty one.', {
      file: path,
    })
  }
  const columns = header.record.map((name) => name.trim())
  const indices = new Map(columns.map((name, index) => [name, index]))
  if (indices.size < columns.length) {
    const twice = columns.find((name, index) => indices.get(name) !== index)
    throw new SonotextError('INVALID_FILE', `the column "${twice}" occurs twice.`, { file: `${path}:1` })
  }
  const rows = body.map(({ record, line }): CsvRow => {
    if (record.length !== columns.length) {
      throw new SonotextError(
        'INVALID_FILE',
        `expected ${columns.length} cells as in the header, got ${record.length}.`,
        {
          file: `${path}:${line}`,
          remedy: 'Put cells that hold a comma or a line end in double quotes.',
        },
      )
    }
    return { line, get: (column) => record[indices.get(column) ?? -1] ?? '' }
  })
  return { path, columns, rows }
}

/** Throws INVALID_FILE naming what is missing, what was found and the likely reason unless every column is there. */
export function requireColumns(table: CsvTable, required: readonly string[]): void {
  const missing = required.filter((name) => !table.columns.includes(name))
  if (missing.length === 0) return
  throw new SonotextError(
    'INVALID_FILE',
    `expected the columns ${required.join(', ')}; missing: ${missing.join(', ')}; found: ${table.columns.join(', ')}.`,
    { file: table.path, remedy: likelyReason(table, missing) },
  )
}

function likelyReason({ columns }: CsvTable, missing: readonly string[]): string {
  const separator = [';', '\t', '|'].find((mark) => columns.length === 1 && columns[0]!.includes(mark))
  if (separator !== undefined) {
    return `Its cells seem to be separated by ${JSON.stringify(separator)}: name that as the delimiter.`
  }
  const alike = missing.flatMap((name) => {
    const near = nearest(name, columns)
    return near === undefined ? [] : [`"${near}" may be meant as "${name}"`]
  })
  return alike.length > 0 ? `Check the header: ${alike.join(', ')}.` : 'Check that this is the right file.'
}

function parseRecords(text: string, path: string, delimiter: string): { record: string[]; line: number }[] {
  try {
    const found = parse(text.replaceAll('\r\n', '\n'), {
      delimiter,
      relax_column_count: true,
      skip_empty_lines: true,
      info: true,
    })
    return (found as unknown as { record: string[]; info: { lines: number } }[]).map(({ record, info }) => ({
      record,
      line: info.lines,
    }))
  } catch (cause) {
    const { message, lines } = cause as Error & { lines?: number }
    throw new SonotextError('INVALID_FILE', `the CSV is broken (${message}).`, {
      file: lines === undefined ? path : `${path}:${lines}`,
      remedy: 'Check the double quotes near that line; inside a quoted cell write "" for one.',
      cause,
    })
  }
}
