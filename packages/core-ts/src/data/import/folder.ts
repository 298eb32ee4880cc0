import { resolve } from 'node:path'
import { SonotextError } from '../../base/errors.js'
import { type CsvRow, type CsvTable, readCsv } from '../../base/csv.js'
import type { TextEncoding } from '../../base/text.js'
import { checkOptions } from '../../base/options.js'
import { type AudioListingOptions, listAudio, passedOverText } from '../audio-files.js'
import { type Clip, defaultCaptionId } from '../manifest.js'
import { type FolderColumns, resolveColumns, type ResolvedColumns } from './columns.js'
import { filePattern } from './file-pattern.js'

/** Options of {@link importFolder}. */
export interface FolderOptions extends AudioListingOptions {
  /** CSV with a row for each caption (rows of one file are joined); without it every audio file below the folder is taken. */
  captions?: string
  /** Default: the usual names are looked for (file, file_name, fname, ...; caption, caption_1, ..., text), whatever their case. */
  columns?: FolderColumns
  /** Names of the audio files made from columns, such as `{ytid}_{start}.flac`. */
  filePattern?: string
  /** Split of clips whose row names none. */
  split?: string
  /** Default: found out. */
  delimiter?: string
  encoding?: TextEncoding
  /** Told what was passed over, as a sentence. */
  onNote?: (note: string) => void
}

/**
 * Clips of a folder of audio files with a CSV of captions, or of the folder alone. File names in the CSV are relative to the
 * folder; a clip's id is its file name there unless a column gives one. Empty captions are left out. Without a CSV links are followed
 * and hidden files passed over. Throws as readCsv; INVALID_FILE naming missing, found and accepted columns, an empty file cell, or
 * rows of one file that disagree; MISSING_FILE for a missing folder when it is searched, INVALID_DATA when it holds no audio.
 */
export async function importFolder(folder: string, options: FolderOptions = {}): Promise<Clip[]> {
  checkOptions(options, 'importFolder')
  const { captions, encoding, delimiter, filePattern: pattern } = options
  if (captions === undefined) return searchFolder(folder, options)
  const table = await readCsv(captions, {
    ...(encoding === undefined ? {} : { encoding }),
    ...(delimiter === undefined ? {} : { delimiter }),
  })
  const columns = resolveColumns(table, options.columns ?? {}, pattern === undefined)
  const named = pattern === undefined ? undefined : filePattern(pattern, table.has, table.columns)
  noteUnused(table, columns, named, options)
  const clips = new Map<string, { row: CsvRow; clip: Clip }>()
  for (const row of table.rows) {
    const file =
      named?.(row.get) ??
      row
        .get(columns.file!)
        .trim()
        .replaceAll('\\', '/')
        .replace(/^(\.\/+)+/, '')
    if (file === '') {
      throw new SonotextError('INVALID_FILE', `the cell of "${columns.file}" is empty.`, {
        file: `${table.path}:${row.line}`,
        remedy: 'Every row names its audio file.',
      })
    }
    const clip = toClip(row, columns, file, folder, options.split)
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

/** What a column holds is lost in silence otherwise: `start` and `end` above all. */
function noteUnused(
  table: CsvTable,
  { file, captions, others }: ResolvedColumns,
  named: ((get: CsvRow['get']) => string) | undefined,
  { onNote }: FolderOptions,
): void {
  const [first] = table.rows
  if (first === undefined) return
  const used = new Set([...(named === undefined ? [file] : []), ...captions, ...Object.values(others)])
  named?.((column) => {
    used.add(column)
    return first.get(column)
  })
  const plain = (name: string) => name.toLowerCase().replace(/\s/g, '')
  const known = new Set(Array.from(used, (name) => plain(name ?? '')))
  const unused = table.columns.filter((name) => !known.has(plain(name)))
  if (unused.length === 0) return
  const times = unused.filter((name) => /^(start|end|onset|offset)([_ ]?(time|s|sec|seconds))?$/i.test(name))
  const whole = times.length > 0 ? ' Clips are whole files: what lies outside those times is in them.' : ''
  onNote?.(`${table.path}: columns that are not used: ${unused.join(', ')}.${whole}`)
}

const copied = ['split', 'group', 'source', 'author', 'license'] as const

function toClip(
  row: CsvRow,
  { captions, others }: ResolvedColumns,
  file: string,
  folder: string,
  split: string | undefined,
): Clip {
  const cell = (column: string | undefined) => (column === undefined ? '' : row.get(column).trim())
  const texts = [...new Set(captions)]
    .flatMap(row.all)
    .map((text) => text.trim())
    .filter(Boolean)
  const id = cell(others.id) || file
  const tags = cell(others.tags)
    .split(';')
    .map((tag) => tag.trim())
    .filter(Boolean)
  const named = copied.map((key) => [key, cell(others[key])] as const).filter(([, value]) => value !== '')
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
  for (const key of ['audio', ...copied] as const) {
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

async function searchFolder(
  folder: string,
  { split, onNote, foreign = false }: FolderOptions,
): Promise<Clip[]> {
  const { files, passedOver } = await listAudio(folder, { foreign })
  const rest = passedOverText(passedOver)
  if (files.length === 0) {
    const found = rest === '' ? 'It is empty.' : `It has ${rest}.`
    throw new SonotextError('INVALID_DATA', `the folder holds no audio file that is read. ${found}`, {
      file: folder,
      remedy:
        'Let ffmpeg read other formats (--ffmpeg, foreign in code), or convert them: ffmpeg -i IN.m4a OUT.wav.',
    })
  }
  if (rest !== '') onNote?.(`${folder}: passed over ${rest}`)
  return files.map((file) => ({
    id: file,
    audio: resolve(folder, file),
    captions: [],
    ...(split === undefined ? {} : { split }),
  }))
}
