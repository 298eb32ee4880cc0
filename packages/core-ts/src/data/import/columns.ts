import { hasAudioEnding, hasForeignEnding } from '../audio-files.js'
import { type CsvTable, requireColumns } from '../../base/csv.js'

/** Which column of the CSV holds what. `caption` may name several columns. */
export interface FolderColumns {
  file?: string
  /** null where the CSV has no captions. */
  caption?: string | readonly string[] | null
  id?: string
  split?: string
  group?: string
  /** Several tags in one cell are separated by `;`. */
  tags?: string
  source?: string
  author?: string
  license?: string
}

/** What a column can hold. */
export const columnRoles = [
  'file',
  'caption',
  'id',
  'split',
  'group',
  'tags',
  'source',
  'author',
  'license',
] as const

/** Names that are looked for where none is given, best first; case and blanks do not matter. */
export const usualColumns = {
  file: [
    'file',
    'file_name',
    'filename',
    'fname',
    'path',
    'file_path',
    'filepath',
    'audio',
    'audio_file',
    'wav',
  ],
  caption: ['caption', 'captions', 'text', 'sentence', 'description'],
  split: ['split', 'subset'],
  group: ['group', 'src_file', 'recording', 'ytid', 'youtube_id'],
  tags: ['tags', 'keywords'],
  source: ['source'],
  author: ['author'],
  license: ['license', 'licence'],
} as const

const numbered = /^caption[_ ]?\d+$/i

export interface ResolvedColumns {
  /** undefined where a pattern makes the file names. */
  readonly file: string | undefined
  readonly captions: readonly string[]
  readonly others: Readonly<
    Partial<Record<'id' | 'split' | 'group' | 'tags' | 'source' | 'author' | 'license', string>>
  >
}

/** The columns to read. Throws INVALID_FILE naming the missing ones, those found and the names that are looked for. */
export function resolveColumns(table: CsvTable, wanted: FolderColumns, needsFile: boolean): ResolvedColumns {
  const usual = (key: keyof typeof usualColumns) => usualColumns[key].find((name) => table.has(name))
  const file = wanted.file ?? usual('file') ?? (needsFile ? 'file' : undefined)
  const several = table.columns.filter((name) => numbered.test(name))
  const found = usual('caption')
  const captions =
    wanted.caption === null
      ? []
      : wanted.caption !== undefined
        ? [wanted.caption].flat()
        : found !== undefined
          ? [found]
          : several.length > 0
            ? several
            : ['caption']
  const keys = ['id', 'split', 'group', 'tags', 'source', 'author', 'license'] as const
  const others = Object.fromEntries(
    keys.flatMap((key) => {
      const name = wanted[key] ?? (key === 'id' ? undefined : usual(key))
      return name === undefined ? [] : [[key, name]]
    }),
  )
  const needed = [file, ...captions, ...Object.values(others)].filter((name) => name !== undefined)
  requireColumns(table, needed, remedy(table, wanted, needsFile))
  return { file, captions, others }
}

/** The first line is what names the columns: where none is known it may be a row. */
function headerless(table: CsvTable): string {
  if (Object.values(usualColumns).flat().some(table.has) || table.columns.some((name) => numbered.test(name)))
    return ''
  const add = `add a line above it, such as ${['file', 'caption'].join(table.delimiter === '\t' ? '<tab>' : table.delimiter)}`
  return table.columns.some((name) => hasAudioEnding(name) || hasForeignEnding(name))
    ? `The first line is taken as the header and looks like a row: ${add}. `
    : `The first line is taken as the header, and none of its names is known: if it is a row, ${add}. `
}

function remedy(table: CsvTable, wanted: FolderColumns, needsFile: boolean): string | undefined {
  // A column that was named and is not there is a slip of the user's; anything else is a name that is not known.
  const named = Object.values(wanted)
    .flat()
    .filter((name) => typeof name === 'string' && !table.has(name))
  if (named.length > 0) return undefined
  const file = needsFile ? `Names of the file column: ${usualColumns.file.join(', ')}; of` : 'Names of'
  return `${headerless(table)}${file} the caption column: ${usualColumns.caption.join(', ')}, caption_1. Others are named: --column file=NAME --column text=NAME (columns in code).`
}
