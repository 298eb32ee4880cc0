import { type CsvRow, type CsvTable, decimalNumber, decimalRemedy, parseStringList } from '../base/index.js'
import { badRanking, type Run, type TrueQuery, type Truth } from './ranking.js'

const queryNames = ['query', 'caption', 'text', 'tid', 'topic']
const fileNames = ['file_name', 'filename', 'fname', 'file', 'audio', 'audio_filename']
const listNames = ['audio_filenames', 'audio_file_names', 'file_names', 'filenames', 'fnames', 'fids']

/** Rankings from a CSV: a caption and a column for each rank (DCASE), or a query and a list of file names. */
export function csvRun(table: CsvTable, file: string | undefined): Run {
  const query = queryNames.find((name) => table.has(name))
  const ranks = rankColumns(table, file)
  const list = listNames.find((name) => table.has(name))
  if (query === undefined || (ranks.length === 0 && list === undefined)) {
    throw badRanking(
      `Expected the columns caption,file_name_1,...,file_name_10 or query,audio_filenames of a run, got ${table.columns.join(',')}.`,
      file,
    )
  }
  const lists = new Map<string, string[][]>()
  for (const row of table.rows) {
    const cells = ranks.length > 0 ? ranks.map((name) => row.get(name).trim()) : listOf(row, list!, file)
    const ranked = cells.filter((name) => name !== '')
    const name = row.get(query).trim()
    const again = ranked.find((item, i) => ranked.indexOf(item) < i)
    if (again !== undefined)
      throw badRanking(
        `Expected each item once in a ranking, got "${again}" twice for "${name}" in line ${row.line}.`,
        file,
      )
    const before = lists.get(name)
    if (before) before.push(ranked)
    else lists.set(name, [ranked])
  }
  return { format: ranks.length > 0 ? 'dcase' : 'dcase-list', lists }
}

/** The columns file_name_1, file_name_2, … by their numbers, wherever they stand. Throws INVALID_FILE for a number that is there twice. */
function rankColumns({ columns }: CsvTable, file: string | undefined): string[] {
  const byRank = new Map<number, string>()
  for (const name of columns) {
    const rank = /^(?:file_?name|fname|fid)_?(\d+)$/i.exec(name)?.[1]
    if (rank === undefined) continue
    const other = byRank.get(Number(rank))
    if (other !== undefined)
      throw badRanking(`Expected one column of rank ${Number(rank)}, got ${other} and ${name}.`, file)
    byRank.set(Number(rank), name)
  }
  return [...byRank].sort(([a], [b]) => a - b).map(([, name]) => name)
}

/**
 * What is relevant, from a CSV of captions, of several matches a query, or of graded relevances: those are from 0 to `most`, by default 1 where
 * the column is named `relevance` and 100 otherwise.
 */
export function csvTruth(table: CsvTable, file: string | undefined, most?: number): Truth {
  const query = queryNames.find((name) => table.has(name))
  const list = listNames.find((name) => table.has(name))
  const item = ['fid', 'item'].find((name) => table.has(name))
  const grade = ['rating', 'relevance'].find((name) => table.has(name))
  if (query !== undefined && item !== undefined && grade !== undefined)
    return ratings(table, [query, item, grade], most ?? (grade === 'relevance' ? 1 : 100), file)
  if (query !== undefined && list !== undefined) return matches(table, query, list, file)
  const clip = fileNames.find((name) => table.has(name))
  const captions = table.columns.filter((name) => /^caption(_?\d+)?$/i.test(name))
  if (clip === undefined || captions.length === 0) {
    throw badRanking(
      `Expected the columns file_name,caption_1,...,caption_5, or query,audio_filenames, or tid,fid,rating (query,item,relevance), got ${table.columns.join(',')}.`,
      file,
    )
  }
  return captionTruth(table, clip, captions, file)
}

/** Every caption is a query of its own, with its clip relevant; its id is `<clip>#<number from 1>`, as in a manifest. */
function captionTruth(
  table: CsvTable,
  clipColumn: string,
  columns: readonly string[],
  file: string | undefined,
): Truth {
  const captions = new Map<string, number>()
  const queries: TrueQuery[] = []
  for (const row of table.rows) {
    const clip = row.get(clipColumn).trim()
    let count = captions.get(clip) ?? 0
    for (const column of columns) {
      const text = row.get(column).trim()
      if (text !== '') queries.push({ id: `${clip}#${++count}`, query: text, relevance: new Set([clip]) })
    }
    captions.set(clip, count)
  }
  if (queries.length === 0) throw badRanking('Expected at least one caption, got none.', file)
  return { format: 'captions', queries, items: new Set(captions.keys()), complete: true }
}

function matches(table: CsvTable, queryColumn: string, list: string, file: string | undefined): Truth {
  const byQuery = new Map<string, Set<string>>()
  const items = new Set<string>()
  for (const row of table.rows) {
    const query = row.get(queryColumn).trim()
    const relevant = byQuery.get(query) ?? new Set()
    byQuery.set(query, relevant)
    for (const name of listOf(row, list, file)) {
      relevant.add(name)
      items.add(name)
    }
  }
  if (byQuery.size === 0) throw badRanking('Expected at least one query, got none.', file)
  return { format: 'matches', queries: queriesOf(byQuery), items, complete: false }
}

function ratings(
  table: CsvTable,
  [queryColumn, itemColumn, gradeColumn]: readonly [string, string, string],
  most: number,
  file: string | undefined,
): Truth {
  const byQuery = new Map<string, Map<string, number>>()
  const items = new Set<string>()
  for (const row of table.rows) {
    const [query, item] = [row.get(queryColumn).trim(), row.get(itemColumn).trim()]
    const written = row.get(gradeColumn).trim()
    const grade = decimalNumber(written)
    if (grade === undefined) {
      throw badRanking(
        `Expected a number for ${gradeColumn} in line ${row.line}, got "${written}".`,
        file,
        decimalRemedy(written),
      )
    }
    if (!(grade >= 0 && grade <= most)) {
      throw badRanking(
        `Expected a ${gradeColumn} from 0 to ${most} in line ${row.line}, got ${grade}.`,
        file,
        'Correct it, or state the largest grade: --grade-scale, or gradeScale.',
      )
    }
    const grades = byQuery.get(query) ?? new Map<string, number>()
    byQuery.set(query, grades)
    const earlier = grades.get(item)
    if (earlier !== undefined && earlier !== grade) {
      throw badRanking(
        `Expected one rating of ${item} for ${query}, got ${earlier} and ${grade} (line ${row.line}).`,
        file,
        'Give their mean.',
      )
    }
    grades.set(item, grade)
    items.add(item)
  }
  if (byQuery.size === 0) throw badRanking('Expected at least one rating, got none.', file)
  return { format: 'ratings', queries: queriesOf(byQuery), items, complete: false }
}

function queriesOf<R>(byQuery: ReadonlyMap<string, R>): { query: string; relevance: R }[] {
  return Array.from(byQuery, ([query, relevance]) => ({ query, relevance }))
}

function listOf(row: CsvRow, column: string, file: string | undefined): string[] {
  const list = parseStringList(row.get(column))
  if (list !== undefined) return list.map((name) => name.trim())
  throw badRanking(
    `Expected a list such as ['a.wav', 'b.wav'] for ${column} in line ${row.line}, got "${row.get(column).slice(0, 60)}".`,
    file,
    "Write it as Python's str(list) or as JSON.",
  )
}
