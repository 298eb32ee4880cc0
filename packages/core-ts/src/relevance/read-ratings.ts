import {
  checkOptions,
  type CsvRow,
  type CsvTable,
  decimalNumber,
  decimalRemedy,
  expected,
  parseCsv,
  readText,
  SonotextError,
  writeFileAtomic,
} from '../base/index.js'
import { percentScale, type Rating, type RatingScale, type RatingTable } from './rating.js'

/** Options of {@link readRatings}. */
export interface ReadRatingsOptions {
  /** Default: 0 to 1 where the column is named `relevance`, 0 to 100 otherwise. */
  readonly scale?: RatingScale
  /** What to do when one rater rates a pair again: refuse the file, or take the mean, the first or the last. Default refuse. */
  readonly again?: 'refuse' | 'mean' | 'first' | 'last'
  /** Ids that queries and items must be among; default: any. */
  readonly queries?: ReadonlySet<string>
  readonly items?: ReadonlySet<string>
  readonly signal?: AbortSignal
}

/** Column names, ours first. */
const columnNames = {
  query: ['query', 'tid', 'caption', 'query_id'],
  item: ['item', 'fid', 'clip', 'item_id'],
  rating: ['rating', 'relevance', 'score'],
  rater: ['rater', 'worker', 'annotator', 'rater_id'],
  played: ['played', 'played_s'],
  group: ['group', 'fid_group', 'role'],
} as const

/**
 * Reads ratings: the relevances of the TAU Audio-Text Graded Relevances (`tid,fid,fid_group,rating`) or a table `query,item,rater,rating`
 * with, where known, `played` (seconds) and `group`. Throws MISSING_FILE, and INVALID_FILE naming the line of a rating that is no number
 * or off the scale, a pair that one rater rates twice or that has two groups, an id that is not known, and a table without ratings.
 */
export async function readRatings(path: string, options: ReadRatingsOptions = {}): Promise<RatingTable> {
  checkOptions(options, 'readRatings')
  return parseRatings(await readText(path, { signal: options.signal }), path, options)
}

/** {@link readRatings} from a text. */
export function parseRatings(text: string, file: string, options: ReadRatingsOptions = {}): RatingTable {
  const table = parseCsv(text, file)
  const names = columnsOf(table)
  const scale = options.scale ?? (names.rating === 'relevance' ? { low: 0, high: 1 } : percentScale)
  if (!(scale.high > scale.low))
    throw expected('a scale that rises', 'scale', `${scale.low} to ${scale.high}`)
  const read = table.rows.map((row) => ({ line: row.line, rating: ratingOf(row, names, scale, file) }))
  if (read.length === 0) throw bad(file, 'Expected at least one rating, got none.')
  for (const kind of ['query', 'item'] as const) refuseUnknown(read, kind, options, file)
  const placed = read.map((one) => ({ ...one, file }))
  return { file, scale, ...onceEach(placed, options.again ?? 'refuse') }
}

type Names = Readonly<Record<'query' | 'item' | 'rating', string>> &
  Readonly<Partial<Record<'rater' | 'played' | 'group', string>>>

function columnsOf(table: CsvTable): Names {
  const found = Object.fromEntries(
    Object.entries(columnNames).flatMap(([kind, names]) => {
      const name = names.find((one) => table.has(one))
      return name === undefined ? [] : [[kind, name]]
    }),
  ) as Partial<Names>
  if (found.query !== undefined && found.item !== undefined && found.rating !== undefined)
    return found as Names
  throw bad(
    table.path,
    `Expected the columns query,item,rater,rating (or tid,fid,fid_group,rating), got ${table.columns.join(',')}.`,
    'Name the columns of the table as it is said in docs/guide/relevance.md.',
  )
}

function ratingOf(row: CsvRow, names: Names, { low, high }: RatingScale, file: string): Rating {
  const at = `${file}:${row.line}`
  const text = (name: string | undefined): string | null =>
    name === undefined || row.get(name).trim() === '' ? null : row.get(name).trim()
  const number = (name: string | undefined): number | null => {
    const written = text(name)
    if (written === null) return null
    const value = decimalNumber(written)
    if (value === undefined)
      throw bad(at, `expected a number for ${name}, got "${written}".`, decimalRemedy(written))
    return value
  }
  const [query, item, rating] = [text(names.query), text(names.item), number(names.rating)]
  for (const [name, value] of Object.entries({ query, item, rating }))
    if (value === null) throw bad(at, `expected a ${name}, got an empty cell.`)
  if (rating! < low || rating! > high)
    throw bad(
      at,
      `expected a rating from ${low} to ${high}, got ${rating}.`,
      'Correct it, or state the scale: sonotext relevance import --scale LOW,HIGH.',
    )
  const played = number(names.played)
  if (played !== null && played < 0) throw bad(at, `expected seconds that were played, got ${played}.`)
  return {
    query: query!,
    item: item!,
    rating: rating!,
    rater: text(names.rater),
    played,
    group: text(names.group),
  }
}

/** A rating and the line it stands on. */
interface Numbered {
  readonly line: number | undefined
  readonly rating: Rating
}

function refuseUnknown(
  ratings: readonly Numbered[],
  kind: 'query' | 'item',
  { queries, items }: ReadRatingsOptions,
  file: string,
): void {
  const known = kind === 'query' ? queries : items
  const stranger = known && ratings.find(({ rating }) => !known.has(rating[kind]))
  if (!stranger) return
  throw bad(
    `${file}:${stranger.line}`,
    `the ${kind} "${stranger.rating[kind]}" is not known.`,
    `Ids of ${kind === 'query' ? 'captions' : 'clips'} must be those of the data they are rated with.`,
  )
}

/**
 * The ratings of several tables, such as one of each rater, as one. Throws INVALID_FILE for a pair that one rater rates in two of them,
 * naming both lines, unless `again` says what counts, and INVALID_ARGUMENT for tables of different scales.
 */
export function joinRatings(
  tables: readonly [RatingTable, ...RatingTable[]],
  again: NonNullable<ReadRatingsOptions['again']> = 'refuse',
): RatingTable {
  const [{ scale, file: first }] = tables
  const other = tables.find((table) => table.scale.low !== scale.low || table.scale.high !== scale.high)
  if (other !== undefined)
    throw expected(
      `the scale of ${first}, ${scale.low} to ${scale.high},`,
      other.file,
      `${other.scale.low} to ${other.scale.high}`,
      { remedy: 'Give both one scale, or state it: --scale LOW,HIGH.' },
    )
  const placed = tables.flatMap(({ file, ratings, lines }) =>
    ratings.map((rating) => ({ rating, file, line: lines?.get(rating) })),
  )
  return { file: tables.map((table) => table.file).join(', '), scale, ...onceEach(placed, again) }
}

/** A rating and where it stands. */
interface Placed extends Numbered {
  readonly file: string
}

function placeOf({ file, line }: Placed): string {
  return line === undefined ? file : `${file}:${line}`
}

function onceEach(
  ratings: readonly Placed[],
  again: NonNullable<ReadRatingsOptions['again']>,
): Required<Pick<RatingTable, 'ratings' | 'lines'>> {
  refuseTwoGroups(ratings)
  const byPair = Map.groupBy(ratings, ({ rating: { query, item, rater } }) =>
    JSON.stringify([query, item, rater]),
  )
  const kept = Array.from(byPair.values(), (same): Placed => {
    const [first, second] = same as [Placed, Placed?]
    if (second !== undefined && again === 'refuse') {
      const { query, item, rater } = first.rating
      const who = rater === null ? 'without a rater' : `by ${rater}`
      throw bad(
        placeOf(second),
        `"${item}" is rated twice ${who} for "${query}"; the first time in ${placeOf(first)}.`,
        'Remove one, give raters in a column of that name, or say which counts: sonotext relevance import --again mean, first or last.',
      )
    }
    if (again === 'last') return same.at(-1)!
    if (second === undefined || again !== 'mean') return first
    const rating = same.reduce((sum, one) => sum + one.rating.rating, 0) / same.length
    // Who rates again has listened as long as the longest time.
    const times = same.flatMap(({ rating: { played } }) => played ?? [])
    const played = times.length > 0 ? Math.max(...times) : null
    return { ...first, rating: { ...first.rating, rating, played } }
  })
  const lines = new Map(kept.flatMap(({ rating, line }) => (line === undefined ? [] : [[rating, line]])))
  return { ratings: kept.map(({ rating }) => rating), lines }
}

/** What an item was in its list does not depend on who rated it. */
function refuseTwoGroups(ratings: readonly Placed[]): void {
  const known = new Map<string, Placed>()
  for (const one of ratings) {
    const { query, item, group } = one.rating
    if (group === null) continue
    const key = JSON.stringify([query, item])
    const other = known.get(key)
    if (other === undefined) known.set(key, one)
    else if (other.rating.group !== group)
      throw bad(
        placeOf(one),
        `"${item}" is ${group} for "${query}" here and ${other.rating.group} in ${placeOf(other)}.`,
        'Correct one: a pair has one group, whoever rates it.',
      )
  }
}

/** Writes ratings as a table `query,item,rater,rating,played,group`. */
export async function writeRatings(path: string, ratings: Iterable<Rating>): Promise<void> {
  const lines = ['query,item,rater,rating,played,group']
  for (const { query, item, rater, rating, played, group } of ratings)
    lines.push([query, item, rater ?? '', rating, played ?? '', group ?? ''].map(csvCell).join(','))
  await writeFileAtomic(path, `${lines.join('\n')}\n`)
}

/** A cell as RFC 4180 has it. */
export function csvCell(value: string | number): string {
  const text = String(value)
  return /[",\n\r;\t|]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function bad(file: string, message: string, remedy?: string): SonotextError {
  return new SonotextError('INVALID_FILE', message, { file, ...(remedy === undefined ? {} : { remedy }) })
}
