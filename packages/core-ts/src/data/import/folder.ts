import { readdir } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'
import { SonotextError } from '../../base/errors.js'
import type { TextEncoding } from '../../base/text.js'
import { type CsvRow, type CsvTable, readCsv, requireColumns } from '../../base/csv.js'
import { type Clip, defaultCaptionId } from '../manifest.js'

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

export interface FolderOptions {
  /** CSV with a row for each caption (rows of one file are joined); without it every audio file below the folder is taken. */
  captions?: string
  /** Default: the usual names are looked for (file, file_name, filename, path, audio; caption, caption_1, ..., text). */
  columns?: FolderColumns
  /** Split of clips whose row names none. */
  split?: string
  delimiter?: string
  encoding?: TextEncoding
}

const audioEndings = /\.(wav|wave|flac|mp3|ogg|oga)$/i
const fileNames = ['file', 'file_name', 'filename', 'path', 'file_path', 'audio', 'wav']
const captionNames = ['caption', 'captions', 'text', 'sentence', 'description']
const optional = ['split', 'group', 'source', 'author', 'license'] as const

/**
 * Clips of a folder of audio files with a CSV of captions, or of the folder alone. File names in the CSV are relative to the
 * folder; a clip's id is its file name there unless a column gives one. Empty captions are left out. Throws as readCsv;
 * INVALID_FILE naming missing and found columns, an empty file cell, or rows of one file that disagree; MISSING_FILE
 * for a missing folder when it is searched, INVALID_DATA when it holds no audio.
 */
export async function importFolder(folder: string, options: FolderOptions = {}): Promise<Clip[]> {
  if (options.captions === undefined) return searchFolder(folder, options.split)
  const { encoding, delimiter } = options
  const table = await readCsv(options.captions, {
    ...(encoding === undefined ? {} : { encoding }),
    ...(delimiter === undefined ? {} : { delimiter }),
  })
  const columns = resolveColumns(table, options.columns ?? {})
  const clips = new Map<string, { row: CsvRow; clip: Clip }>()
  for (const row of table.rows) {
    const clip = toClip(row, columns, folder, options.split)
    if (clip.audio === resolve(folder)) {
      throw new SonotextError('INVALID_FILE', `the cell of "${columns.file}" is empty.`, {
        file: `${table.path}:${row.line}`,
      })
    }
    const first = clips.get(clip.id)
    if (first === undefined) clips.set(clip.id, { row, clip })
    else
      clips.set(clip.id, {
        row: first.row,
        clip: merged(first.clip, clip, `${table.path}:${row.line}`, first.row.line),
      })
  }
  return Array.from(clips.values(), ({ clip }) => ({
    ...clip,
    captions: clip.captions.map(({ text }, i) => ({ id: defaultCaptionId(clip.id, i), text })),
  }))
}

type ResolvedColumns = Omit<FolderColumns, 'file' | 'caption'> & { file: string; captions: readonly string[] }

function resolveColumns(table: CsvTable, wanted: FolderColumns): ResolvedColumns {
  const has = (name: string) => table.columns.includes(name)
  const file = wanted.file ?? fileNames.find(has) ?? 'file'
  const found = captionNames.filter(has).slice(0, 1)
  const numbered = table.columns.filter((name) => /^caption_?\d+$/.test(name))
  const captions =
    wanted.caption === null
      ? []
      : wanted.caption !== undefined
        ? [wanted.caption].flat()
        : found.length > 0
          ? found
          : numbered.length > 0
            ? numbered
            : ['caption']
  const named = Object.entries(wanted).filter(([key]) => key !== 'caption' && key !== 'file') as [
    string,
    string,
  ][]
  requireColumns(table, [file, ...captions, ...named.map(([, column]) => column)])
  const usual = Object.fromEntries([...optional, 'tags'].filter(has).map((name) => [name, name]))
  return { ...usual, ...Object.fromEntries(named), file, captions }
}

function toClip(row: CsvRow, columns: ResolvedColumns, folder: string, split: string | undefined): Clip {
  const cell = (column: string | undefined) => (column === undefined ? '' : row.get(column).trim())
  const file = cell(columns.file)
  const texts = columns.captions.map(cell).filter(Boolean)
  const id = cell(columns.id) || file
  const tags = cell(columns.tags)
    .split(';')
    .map((tag) => tag.trim())
    .filter(Boolean)
  const named = optional.map((key) => [key, cell(columns[key])] as const).filter(([, value]) => value !== '')
  return {
    id,
    audio: resolve(folder, file),
    captions: texts.map((text, i) => ({ id: defaultCaptionId(id, i), text })),
    ...(split === undefined ? {} : { split }),
    ...Object.fromEntries(named),
    ...(tags.length === 0 ? {} : { tags }),
  }
}

/** Two rows of one clip: their captions together; everything else must agree. */
function merged(first: Clip, second: Clip, file: string, firstLine: number): Clip {
  for (const key of ['audio', ...optional] as const) {
    if (first[key] !== second[key]) {
      throw new SonotextError(
        'INVALID_FILE',
        `the ${key} of "${first.id}" is not that of line ${firstLine}.`,
        {
          file,
          remedy: 'Rows of one clip must agree in everything but the caption.',
        },
      )
    }
  }
  return { ...first, captions: [...first.captions, ...second.captions] }
}

async function searchFolder(folder: string, split: string | undefined): Promise<Clip[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
    (cause: NodeJS.ErrnoException) => {
      throw new SonotextError('MISSING_FILE', `the folder could not be read (${cause.code}).`, {
        file: folder,
        cause,
      })
    },
  )
  const files = entries
    .filter((entry) => entry.isFile() && audioEndings.test(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort((a, b) => (a < b ? -1 : 1))
  if (files.length === 0) {
    throw new SonotextError('INVALID_DATA', 'the folder holds no WAV, FLAC, MP3 or Ogg file.', {
      file: folder,
    })
  }
  return files.map((file) => ({
    id: file,
    audio: resolve(folder, file),
    captions: [],
    ...(split === undefined ? {} : { split }),
  }))
}
