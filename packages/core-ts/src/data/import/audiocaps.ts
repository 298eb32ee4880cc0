import { join, resolve } from 'node:path'
import { SonotextError } from '../../base/errors.js'
import { readCsv, requireColumns } from '../../base/csv.js'
import { checkOptions } from '../../base/options.js'
import type { Caption, Clip } from '../manifest.js'
import { filePattern } from './file-pattern.js'
import { importerPart, splitOfName } from './importer.js'

/** Files of a split of AudioCaps (Kim et al. 2019). */
export interface AudioCapsFiles {
  /** `train.csv`, `val.csv` or `test.csv` of AudioCaps 1.0 or 2.0. */
  captions: string
  /** Folder of the audio files; they need not be there yet. */
  audio: string
  /** Name of the split in the manifest. */
  split: string
  /**
   * Names of the audio files, which differ between downloaders. Placeholders: {ytid}, {start} and {end} in seconds,
   * {audiocap_id}; `{start:3}` writes three decimals. Default `Y{ytid}.wav`.
   */
  filePattern?: string
}

/** Every AudioCaps clip is ten seconds of a video. */
const seconds = 10
const placeholders = ['ytid', 'start', 'end', 'audiocap_id']

/**
 * Clips of an AudioCaps split in order of first appearance; rows of one excerpt become captions of one clip, whose caption
 * ids are the audiocap_ids. A clip's group is its video. Throws as readCsv; INVALID_FILE naming missing and found columns
 * or a bad start_time; INVALID_ARGUMENT for an unknown placeholder.
 */
export async function importAudioCaps(files: AudioCapsFiles): Promise<Clip[]> {
  const {
    captions,
    audio,
    split,
    filePattern: pattern = 'Y{ytid}.wav',
  } = checkOptions(files, 'importAudioCaps')
  const named = filePattern(pattern, (name) => placeholders.includes(name), placeholders)
  const table = await readCsv(captions)
  requireColumns(table, ['audiocap_id', 'youtube_id', 'start_time', 'caption'])
  const clips = new Map<string, Clip & { captions: Caption[] }>()
  for (const row of table.rows) {
    const ytid = row.get('youtube_id').trim()
    const start = row.get('start_time').trim() === '' ? Number.NaN : Number(row.get('start_time'))
    if (!Number.isFinite(start) || start < 0 || ytid === '') {
      const what =
        ytid === ''
          ? 'a youtube_id, got an empty cell'
          : `seconds for start_time, got "${row.get('start_time')}"`
      throw new SonotextError('INVALID_FILE', `expected ${what}.`, { file: `${captions}:${row.line}` })
    }
    const audiocapId = row.get('audiocap_id').trim()
    const id = `${ytid}_${start}`
    let clip = clips.get(id)
    if (clip === undefined) {
      const values = { ytid, start, end: start + seconds, audiocap_id: audiocapId }
      clip = {
        id,
        audio: resolve(
          join(
            audio,
            named((name) => String(values[name as keyof typeof values])),
          ),
        ),
        captions: [],
        split,
        group: `youtube/${ytid}`,
        source: `https://www.youtube.com/watch?v=${ytid}`,
        extra: { start },
      }
      clips.set(id, clip)
    }
    clip.captions.push({ id: audiocapId, text: row.get('caption').trim() })
  }
  return [...clips.values()]
}

export const audioCapsImporter = importerPart({
  name: 'audiocaps',
  description: 'audiocap_id,youtube_id,start_time,caption of AudioCaps.',
  schema: {
    properties: {
      filePattern: {
        type: 'string',
        minLength: 1,
        default: 'Y{ytid}.wav',
        description: 'Names of the audio files, of {ytid}, {start}, {end} and {audiocap_id}.',
      },
    },
  },
  fromConfig: ({ filePattern }) => ({
    read: ({ path, audio, split }) =>
      importAudioCaps({ captions: path, audio, split: split ?? splitOfName(path), filePattern }),
  }),
})
