import { resolve } from 'node:path'
import { readCsv, requireColumns } from '../../base/csv.js'
import { SonotextError } from '../../base/errors.js'
import { checkOptions } from '../../base/options.js'
import { type Clip, defaultCaptionId } from '../manifest.js'
import { importerPart } from './importer.js'

/** Files of WavText5K (Deshmukh et al. 2022). */
export interface WavText5KFiles {
  /** `WavText5K.csv`: view_link, download_link, title, description, fname, tags. */
  captions: string
  /** Folder of the audio files; they need not be there yet. */
  audio: string
  /** Name of the split in the manifest; the data set has none of its own. */
  split?: string
}

/**
 * Clips of WavText5K in the order of the file. The caption is the description, or the title where there is none; a clip's source is
 * the page it is shown on. Throws as readCsv; INVALID_FILE naming missing and found columns or an empty cell.
 */
export async function importWavText5K(files: WavText5KFiles): Promise<Clip[]> {
  const { captions, audio, split } = checkOptions(files, 'importWavText5K')
  const table = await readCsv(captions)
  requireColumns(table, ['fname', 'title', 'description'])
  return table.rows.map((row): Clip => {
    const cell = (name: string) => row.get(name).trim()
    const file = cell('fname')
    if (file === '') {
      throw new SonotextError('INVALID_FILE', 'the cell of "fname" is empty.', {
        file: `${captions}:${row.line}`,
      })
    }
    const text = cell('description') || cell('title')
    const tags = cell('tags')
      .replace(/^\[|\]$/g, '')
      .split(/[,;]/)
      .map((tag) => tag.trim().replace(/^'|'$/g, ''))
      .filter(Boolean)
    return {
      id: file,
      audio: resolve(audio, file),
      captions: text === '' ? [] : [{ id: defaultCaptionId(file, 0), text }],
      ...(split === undefined ? {} : { split }),
      ...(tags.length === 0 ? {} : { tags }),
      ...(cell('view_link') === '' ? {} : { source: cell('view_link') }),
    }
  })
}

export const wavText5KImporter = importerPart({
  name: 'wavtext5k',
  description: 'WavText5K.csv: the description, or the title where there is none.',
  schema: { properties: {} },
  fromConfig: () => ({
    read: ({ path, audio, split }) => importWavText5K({ captions: path, audio, ...(split && { split }) }),
  }),
})
