import { resolve } from 'node:path'
import { checkOptions } from '../../base/options.js'
import { readSegments, segmentFormats, withoutLength } from '../../segments/index.js'
import { type Clip, defaultCaptionId } from '../manifest.js'
import { filePattern } from './file-pattern.js'
import { importerPart, usualSplitOf } from './importer.js'

/** Files of labelled segments, and where their recordings lie. */
export interface SegmentsFiles {
  /** Strong labels, JAMS or any other file that {@link readSegments} reads. */
  labels: string
  /** Folder of the audio files; they need not be there yet. */
  audio: string
  /** Name of the split in the manifest. */
  split?: string
  /** Format of the labels. Default: as the file’s ending says. */
  format?: string
  /** Names of the audio files, `{file}` standing for the recording as the labels name it. Default `{file}`. */
  filePattern?: string
  /** Told what was left out, as a sentence. */
  onNote?: (note: string) => void
}

/**
 * A clip for each recording of a file of segments: labels as events, the caption where there is one. A recording in which nothing is heard
 * has no events. Throws as {@link readSegments}; INVALID_ARGUMENT for an unknown placeholder.
 */
export async function importSegments(files: SegmentsFiles): Promise<Clip[]> {
  const {
    labels,
    audio,
    split,
    format,
    filePattern: pattern = '{file}',
    onNote,
  } = checkOptions(files, 'importSegments')
  const named = filePattern(pattern, (name) => name === 'file', ['file'])
  const recordings = await readSegments(labels, format === undefined ? {} : { format })
  const left = withoutLength(recordings)
  if (left > 0) onNote?.(`${labels}: ${left === 1 ? '1 event' : `${left} events`} of no length left out.`)
  return recordings.map(({ recording, duration, text, segments }): Clip => ({
    id: recording,
    audio: resolve(
      audio,
      named(() => recording),
    ),
    captions: text === undefined ? [] : [{ id: defaultCaptionId(recording, 0), text }],
    ...(split === undefined ? {} : { split }),
    ...(duration === undefined ? {} : { duration }),
    events: segments.map(({ phrase, onset, offset }) => ({ label: phrase, onset, offset })),
  }))
}

export const segmentsImporter = importerPart({
  name: 'segments',
  description:
    'Strong labels (.tsv), JAMS, or any other format of segments: labels with their times as events.',
  schema: {
    properties: {
      format: {
        type: 'string',
        enum: segmentFormats.map(({ name }) => name),
        description: 'Format of the labels; without it as the file’s ending says.',
      },
      filePattern: {
        type: 'string',
        minLength: 1,
        default: '{file}',
        description: 'Names of the audio files made from the recording’s, such as Y{file}.flac.',
      },
    },
  },
  fromConfig: (options) => ({
    read: ({ path, audio, split = usualSplitOf(path), onNote }) =>
      importSegments({
        ...{ labels: path, audio, ...options },
        ...(split && { split }),
        ...(onNote && { onNote }),
      }),
  }),
})
