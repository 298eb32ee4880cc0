import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { SonotextError } from '../../base/errors.js'
import { type CsvRow, readCsv, requireColumns } from '../../base/csv.js'
import { checkOptions } from '../../base/options.js'
import { type Clip, defaultCaptionId } from '../manifest.js'
import { importerPart, splitOfName } from './importer.js'

/** Files of a split of Clotho (Drossos et al. 2020). */
export interface ClothoFiles {
  /** `clotho_captions_<split>.csv` */
  captions: string
  /** `clotho_metadata_<split>.csv`, for tags, licence, author and source recording; optional. */
  metadata?: string
  /** Folder of the split's WAV files; they need not be there yet. */
  audio: string
  /** Name of the split in the manifest. */
  split: string
  /** Told which clips have no metadata, as a sentence. */
  onNote?: (note: string) => void
}

const captionColumns = [1, 2, 3, 4, 5].map((n) => `caption_${n}`)
const metadataColumns = [
  'file_name',
  'keywords',
  'sound_id',
  'sound_link',
  'start_end_samples',
  'manufacturer',
  'license',
]
/** Clotho's audio is all at this rate, and start_end_samples counts in it. */
const sampleRate = 44_100

/**
 * Clips of a Clotho split (v1, v2 or v2.1) in the order of the caption file. A clip's id is `<split>/<file name>`: two splits
 * share a file name. Its group is the Freesound recording it was cut from, where known. Blanks around file names are
 * dropped. Throws as readCsv; INVALID_FILE naming missing and found columns, or when metadata are of another split.
 */
export async function importClotho(files: ClothoFiles): Promise<Clip[]> {
  checkOptions(files, 'importClotho')
  const table = await readCsv(files.captions)
  requireColumns(table, ['file_name', ...captionColumns])
  const metadata = files.metadata === undefined ? undefined : await readMetadata(files.metadata)
  const clips = table.rows.map((row): Clip => {
    const name = row.get('file_name').trim()
    const id = `${files.split}/${name}`
    const about = metadata?.get(name)
    return {
      id,
      audio: audioPath(files.audio, row.get('file_name')),
      captions: captionColumns.map((column, i) => ({
        id: defaultCaptionId(id, i),
        text: row.get(column).trim(),
      })),
      split: files.split,
      ...(about === undefined ? {} : fromMetadata(about)),
    }
  })
  if (metadata !== undefined) checkDescribed(files, table.rows, metadata)
  return clips
}

/** Metadata of another split share a few names with it at most. */
function checkDescribed(
  { captions, metadata, onNote }: ClothoFiles,
  rows: readonly CsvRow[],
  about: ReadonlyMap<string, CsvRow>,
): void {
  const names = rows.map((row) => row.get('file_name').trim())
  const without = names.filter((name) => !about.has(name))
  if (without.length === 0) return
  const described = names.length - without.length
  if (2 * described < names.length) {
    throw new SonotextError(
      'INVALID_FILE',
      `describes ${described === 0 ? 'none' : `only ${described}`} of the ${names.length} clips of ${captions}.`,
      { file: metadata!, remedy: 'Give the metadata of the same split.' },
    )
  }
  onNote?.(
    `${metadata}: ${without.length} of ${names.length} clips have no metadata, the first is "${without[0]}"`,
  )
}

async function readMetadata(path: string): Promise<Map<string, CsvRow>> {
  // Published as ISO-8859-1, passed on as UTF-8 too.
  const table = await readCsv(path, { encoding: 'utf-8-or-latin1' })
  requireColumns(table, metadataColumns)
  return new Map(table.rows.map((row) => [row.get('file_name').trim(), row]))
}

function fromMetadata(row: CsvRow): Omit<Clip, 'id' | 'audio' | 'captions'> {
  const text = (name: string) => row.get(name).trim()
  const soundId = /^\d+$/.test(text('sound_id')) ? text('sound_id') : undefined
  const range = /^\[\s*(\d+)\s*,\s*(\d+)\s*\]$/.exec(text('start_end_samples'))
  const cut = range === null ? undefined : { start: Number(range[1]), end: Number(range[2]) }
  const tags = text('keywords')
    .split(';')
    .map((tag) => tag.trim())
  return {
    ...(soundId === undefined ? {} : { group: `freesound/${soundId}` }),
    ...(cut === undefined || cut.end <= cut.start
      ? {}
      : { duration: (cut.end - cut.start) / sampleRate, sampleRate }),
    tags: tags.filter(Boolean),
    ...(text('sound_link') === '' ? {} : { source: text('sound_link') }),
    ...(text('manufacturer') === '' ? {} : { author: text('manufacturer') }),
    ...(text('license') === '' ? {} : { license: text('license') }),
  }
}

/** A few names in the caption files carry a blank at an end that the audio files may or may not have. */
function audioPath(folder: string, name: string): string {
  const trimmed = resolve(join(folder, name.trim()))
  if (name === name.trim()) return trimmed
  const exact = resolve(join(folder, name))
  return !existsSync(trimmed) && existsSync(exact) ? exact : trimmed
}

export const clothoImporter = importerPart({
  name: 'clotho',
  description: 'file_name,caption_1,…,caption_5 of Clotho.',
  schema: {
    properties: {
      metadata: {
        type: 'string',
        format: 'path',
        minLength: 1,
        description: 'Metadata CSV of the same split.',
      },
    },
  },
  fromConfig: ({ metadata }) => ({
    read: ({ path, audio, split, onNote }) =>
      importClotho({
        captions: path,
        audio,
        split: split ?? splitOfName(path),
        ...(metadata !== undefined && { metadata }),
        ...(onNote && { onNote }),
      }),
  }),
})
