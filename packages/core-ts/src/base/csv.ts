import { expected, SonotextError } from './errors.js'
import { nearest } from './nearest.js'
import { readText, type ReadTextOptions } from './text.js'

/** Options of {@link parseCsv}. */
export interface CsvOptions {
  /** Default: the one of , ; tab and | that cuts the first lines most evenly. */
  delimiter?: string
}

/** A row of a {@link CsvTable}. */
export interface CsvRow {
  /** Line of the file the row begins on, counted from 1. */
  readonly line: number
  /** The cell of a column, whose name is found whatever its case and blanks; empty for a column the file lacks. */
  get(column: string): string
  /** The cells of every column of that name. */
  all(column: string): readonly string[]
}

/** A CSV file whose header names its columns. */
export interface CsvTable {
  readonly path: string
  readonly delimiter: string
  /** Names as the header writes them, without blanks around. Columns without a name are left out. */
  readonly columns: readonly string[]
  readonly rows: readonly CsvRow[]
  /** Whether there is such a column, whatever its case and blanks. */
  has(column: string): boolean
}

/** Reads a CSV file, see {@link parseCsv}. Throws MISSING_FILE, INVALID_FILE. */
export async function readCsv(path: string, options: CsvOptions & ReadTextOptions = {}): Promise<CsvTable> {
  return parseCsv(await readText(path, options), path, options)
}

/**
 * A CSV text with a header: double quotes as in RFC 4180 (one inside an unquoted cell is itself), any of the usual delimiters, blank
 * lines and cells past the header left out when they are empty. Columns without a name are not read; of two of one name `get` is refused.
 * Throws INVALID_FILE naming file and line for a quote that does not end, a row with more or fewer cells than the header, no header, JSON Lines.
 */
export function parseCsv(text: string, path: string, options: CsvOptions = {}): CsvTable {
  const { delimiter: named } = options
  if (named !== undefined && !/^([^\p{L}\p{N}\s"'._/\\-]|\t)$/u.test(named))
    throw expected('one sign such as , ; | or a tab', 'delimiter', named)
  refuseJson(text, path)
  const { delimiter, body } = withDelimiter(text, options.delimiter)
  const [header, ...rest] = records(body, delimiter, path)
  if (header === undefined) {
    throw new SonotextError('INVALID_FILE', 'expected a CSV file with a header line, got an empty one.', {
      file: path,
    })
  }
  const names = header.cells.map((name) => name.trim())
  const width = names.findLastIndex((name) => name !== '') + 1
  const find = columnFinder(names)
  const one = (column: string): number => {
    const [index = -1, second] = find(column)
    if (second === undefined) return index
    throw new SonotextError('INVALID_FILE', `the column "${column}" occurs twice.`, {
      file: `${path}:${header.line}`,
      remedy: 'Give each of them a name of its own.',
    })
  }
  const rows = rest.map(({ cells, line }): CsvRow => {
    while (cells.length > names.length && cells.at(-1)!.trim() === '') cells.pop()
    if (cells.length < width || cells.length > names.length) {
      throw new SonotextError(
        'INVALID_FILE',
        `expected ${names.length} cells as in the header, got ${cells.length}.`,
        {
          file: `${path}:${line}`,
          remedy:
            width === 1 && cells.length > 1
              ? `The header is taken from line ${header.line} ("${shortened(names[0]!, 40)}"): remove what stands above the names of the columns, or name another delimiter.`
              : `Put cells that hold ${nameOf(delimiter)} or a line end in double quotes, or name another delimiter.`,
        },
      )
    }
    return {
      line,
      get: (column) => cells[one(column)] ?? '',
      all: (column) => find(column).map((index) => cells[index] ?? ''),
    }
  })
  const columns = names.filter((name) => name !== '')
  return { path, delimiter, columns, rows, has: (column) => find(column).length > 0 }
}

/** A file of objects, one a line, has no header to look for. */
function refuseJson(text: string, path: string): void {
  if (!text.startsWith('{"')) return
  const [first = ''] = text.split('\n', 1)
  try {
    JSON.parse(first)
  } catch {
    return
  }
  throw new SonotextError('INVALID_FILE', 'expected a CSV file with a header line, found JSON Lines.', {
    file: path,
    remedy: 'If it is a manifest, it needs no import: sonotext check FILE. Otherwise write it as CSV.',
  })
}

/** Throws INVALID_FILE naming what is missing, what was found and the likely reason unless every column is there. */
export function requireColumns(table: CsvTable, required: readonly string[], remedy?: string): void {
  const missing = required.filter((name) => !table.has(name))
  if (missing.length === 0) return
  throw new SonotextError(
    'INVALID_FILE',
    `expected the columns ${required.join(', ')}; missing: ${missing.join(', ')}; found: ${shortened(table.columns.join(', '))}.`,
    { file: table.path, remedy: remedy ?? likelyReason(table, missing) },
  )
}

/** What is told of a header: a file of another kind may be one long line. */
function shortened(text: string, most = 300): string {
  return text.length > most ? `${text.slice(0, most)}…` : text
}

function likelyReason({ columns }: CsvTable, missing: readonly string[]): string {
  const alike = missing.flatMap((name) => {
    const near = nearest(
      name,
      columns.filter(({ length }) => length <= 60),
    )
    return near === undefined ? [] : [`"${near}" may be meant as "${name}"`]
  })
  return alike.length > 0 ? `Check the header: ${alike.join(', ')}.` : 'Check that this is the right file.'
}

/** Indices of the columns of a name: as written, else whatever its case and blanks where only one spelling fits. */
function columnFinder(columns: readonly string[]): (name: string) => readonly number[] {
  const named = [...columns.keys()].filter((index) => columns[index] !== '')
  const exact = Map.groupBy(named, (index) => columns[index]!)
  const loose = Map.groupBy(named, (index) => plain(columns[index]!))
  return (name) => {
    const alike = loose.get(plain(name)) ?? []
    return exact.get(name) ?? (new Set(alike.map((index) => columns[index])).size === 1 ? alike : [])
  }
}

function plain(name: string): string {
  return name.toLowerCase().replace(/\s/g, '')
}

const delimiters = [',', ';', '\t', '|']

function nameOf(delimiter: string): string {
  return (
    ({ ',': 'a comma', ';': 'a semicolon', '\t': 'a tab' } as Record<string, string>)[delimiter] ?? delimiter
  )
}

/** How many lines tell the delimiter. */
const looked = 20

function withDelimiter(text: string, given: string | undefined): { delimiter: string; body: string } {
  // Excel's own way to say it, on a line before the header.
  const stated = /^sep=(.)\n/.exec(text)?.[1]
  const body = stated === undefined ? text : text.replace(/^.*/, '')
  return { delimiter: given ?? stated ?? sniffed(body), body }
}

/** A delimiter that cuts the header; of several one that cuts every line alike, then the one with most cells, then the first. */
function sniffed(text: string): string {
  const head = text.trimStart().split('\n', looked + 1)
  const sample = head.join('\n').slice(0, 2 ** 16)
  const judged = delimiters.map((delimiter) => {
    const counts: number[] = []
    for (const { cells, ended } of scan(sample, delimiter))
      if (ended || counts.length === 0) counts.push(cells.length)
    // The last record of a sample may be cut.
    if (counts.length > 2 && head.length > looked) counts.pop()
    const cells = counts[0] ?? 0
    return { delimiter, cells, even: cells > 1 && counts.every((count) => count === cells) }
  })
  const [best] = judged.sort((a, b) => Number(b.even) - Number(a.even) || b.cells - a.cells)
  return best!.cells > 1 ? best!.delimiter : ','
}

interface CsvRecord {
  readonly cells: string[]
  /** Line it begins on. */
  readonly line: number
}

function* records(text: string, delimiter: string, path: string): Generator<CsvRecord> {
  for (const { cells, line, ended, problem } of scan(text, delimiter)) {
    if (!ended) {
      throw new SonotextError('INVALID_FILE', `the CSV is broken: ${problem}.`, {
        file: `${path}:${line}`,
        remedy: 'Inside a quoted cell write "" for one double quote.',
      })
    }
    yield { cells, line }
  }
}

interface Scanned extends CsvRecord {
  /** False for a record that the text breaks off or that has letters after a closing quote. */
  readonly ended: boolean
  readonly problem: string
}

/** Records that are not blank, one pass over the text; the last one may be broken, and then says why. */
function* scan(text: string, delimiter: string): Generator<Scanned> {
  const nextEnd = finder(text, '\n')
  const nextCut = finder(text, delimiter)
  let at = 0
  let line = 1
  while (at < text.length) {
    const first = line
    const cells: string[] = []
    let problem = ''
    for (;;) {
      const start = skipBlanks(text, at)
      if (text[start] !== '"') {
        const end = Math.min(nextEnd(at), nextCut(at))
        cells.push(text.slice(at, end))
        at = end
      } else {
        const opened = line
        const { cell, end } = quoted(text, start)
        for (let i = cell.indexOf('\n'); i >= 0; i = cell.indexOf('\n', i + 1)) line++
        cells.push(cell)
        at = end < 0 ? text.length : skipBlanks(text, end)
        if (end < 0) problem = `the double quote opened in line ${opened} does not end`
        else if (at < text.length && text[at] !== '\n' && !text.startsWith(delimiter, at))
          problem = `text follows the closing quote of a cell in line ${opened}`
      }
      if (problem !== '' || !text.startsWith(delimiter, at)) break
      at += delimiter.length
    }
    if (problem !== '') {
      yield { cells, line: first, ended: false, problem }
      return
    }
    at++
    line++
    if (cells.some((cell) => cell.trim() !== '')) yield { cells, line: first, ended: true, problem }
  }
}

/** The quoted cell that begins at `start`, and the place behind its closing quote; -1 where there is none. */
function quoted(text: string, start: number): { cell: string; end: number } {
  const parts: string[] = []
  for (let from = start + 1; ;) {
    const close = text.indexOf('"', from)
    if (close < 0) return { cell: parts.join('') + text.slice(from), end: -1 }
    const doubled = text[close + 1] === '"'
    parts.push(text.slice(from, doubled ? close + 1 : close))
    if (!doubled) return { cell: parts.join(''), end: close + 1 }
    from = close + 2
  }
}

/** Finds the next `mark` from a place on; places only grow, so that the text is gone through once. */
function finder(text: string, mark: string): (from: number) => number {
  let next = -1
  return (from) => {
    if (next < from) {
      next = text.indexOf(mark, from)
      if (next < 0) next = text.length
    }
    return next
  }
}

function skipBlanks(text: string, at: number): number {
  while (text[at] === ' ') at++
  return at
}
