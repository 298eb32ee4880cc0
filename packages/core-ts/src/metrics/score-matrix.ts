import { decodeNpyNumbers, SonotextError } from '../base/index.js'
import { badRanking, type Run, type Truth } from './ranking.js'

/** What the rows and columns of a score matrix stand for. */
export interface ScoreIds {
  readonly rows: readonly string[]
  readonly columns: readonly string[]
  /** Where they were read, for messages. */
  readonly rowsFile?: string
  readonly columnsFile?: string
}

/** An item is one column; a query is one row, or as many as the truth has queries of that text (captions that two clips share). */
export function refuseRepeatedIds({ rows, columns, rowsFile, columnsFile }: ScoreIds, truth: Truth): void {
  const queries = Map.groupBy(truth.queries, ({ query }) => query)
  const check = (ids: readonly string[], file: string | undefined, most: (id: string) => number) => {
    const seen = new Map<string, number>()
    for (const [i, id] of ids.entries()) {
      const count = (seen.get(id) ?? 0) + 1
      seen.set(id, count)
      if (count > most(id))
        throw badRanking(
          `Expected each id once, got "${id}" again in line ${i + 1}.`,
          file,
          'Name each row and column by an id of its own.',
        )
    }
  }
  check(rows, rowsFile, (id) => queries.get(id)?.length ?? 1)
  check(columns, columnsFile, () => 1)
}

/** Rankings from scores [queries × items], larger = better; equal scores are ranked by their column. */
export function scoreRun(bytes: Uint8Array, ids: ScoreIds | undefined, file = 'the scores'): Run {
  const { rows, cols, data } = decodeNpyNumbers(bytes, file)
  if (ids === undefined) {
    throw new SonotextError(
      'INVALID_ARGUMENT',
      `${file} is a score matrix of ${rows} × ${cols}: expected lists of what its rows and columns are.`,
      {
        remedy:
          'Give a text file with one query a line and one with one item a line: --row-ids and --column-ids.',
      },
    )
  }
  for (const [name, list, length] of [
    ['rows', ids.rows, rows],
    ['columns', ids.columns, cols],
  ] as const) {
    if (list.length !== length)
      throw badRanking(
        `Expected ${length} ids for the ${name} of the score matrix, got ${list.length}.`,
        file,
      )
  }
  const nan = data.findIndex((score) => Number.isNaN(score))
  if (nan >= 0) {
    const where = `row ${Math.floor(nan / cols) + 1}, column ${(nan % cols) + 1}`
    throw new SonotextError('INVALID_DATA', `Expected scores, got NaN in ${where}.`, { file })
  }
  const lists = new Map<string, string[][]>()
  for (const [row, query] of ids.rows.entries()) {
    const scores = data.subarray(row * cols, (row + 1) * cols)
    const order = Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]! || a - b)
    const ranked = order.map((column) => ids.columns[column]!)
    const before = lists.get(query)
    if (before) before.push(ranked)
    else lists.set(query, [ranked])
  }
  return { format: 'scores', lists, items: cols }
}
