import { resolve } from 'node:path'
import { readCsv, requireColumns } from '../../base/csv.js'
import { SonotextError } from '../../base/errors.js'
import { parseStringList } from '../../base/string-list.js'
import { checkOptions } from '../../base/options.js'
import { type Clip, defaultCaptionId } from '../manifest.js'
import { importerPart } from './importer.js'

/** Files of queries that several clips match. */
export interface MatchesFiles {
  /** `query,audio_filenames` with a list of file names in a cell, as DCASE 2025 gives several matches a query. */
  captions: string
  /** Folder of the audio files; they need not be there yet. */
  audio: string
  /** Name of the split in the manifest. */
  split?: string
}

/**
 * A clip for each file that a query matches, in order of first appearance, with its queries as captions. Throws as readCsv;
 * INVALID_FILE naming missing and found columns or a cell that holds no list.
 */
export async function importMatches(files: MatchesFiles): Promise<Clip[]> {
  const { captions, audio, split } = checkOptions(files, 'importMatches')
  const table = await readCsv(captions)
  requireColumns(table, ['query', 'audio_filenames'])
  const queries = new Map<string, string[]>()
  for (const row of table.rows) {
    const files = parseStringList(row.get('audio_filenames'))
    if (files === undefined) {
      throw new SonotextError(
        'INVALID_FILE',
        `expected a list such as ['a.wav', 'b.wav'] for audio_filenames, got "${row.get('audio_filenames').slice(0, 60)}".`,
        { file: `${captions}:${row.line}` },
      )
    }
    for (const file of files) queries.set(file, [...(queries.get(file) ?? []), row.get('query').trim()])
  }
  return Array.from(queries, ([file, texts]) => ({
    id: file,
    audio: resolve(audio, file),
    captions: texts.map((text, i) => ({ id: defaultCaptionId(file, i), text })),
    ...(split === undefined ? {} : { split }),
  }))
}

export const matchesImporter = importerPart({
  name: 'matches',
  description:
    'query,audio_filenames with a list of files in a cell, as DCASE 2025 gives several matches a query.',
  schema: { properties: {} },
  fromConfig: () => ({
    read: ({ path, audio, split }) => importMatches({ captions: path, audio, ...(split && { split }) }),
  }),
})
