import { resolve } from 'node:path'
import { type Clip, defaultCaptionId } from '../../data/index.js'
import { groundedSegments, readAudioGrounding } from './audio-grounding.js'
import { readSegments } from './formats.js'
import type { RecordingSegments } from './recording-segments.js'

/** Where labels lie and where the recordings they speak of. */
export interface LabelledClipsFiles {
  /** File of labels. */
  readonly labels: string
  /** Folder of the recordings; they need not be there yet. */
  readonly audio: string
  /** Name of the split in the manifest. */
  readonly split?: string
  /** Format of the labels; default: as the file's ending says. Not for AudioGrounding. */
  readonly format?: string
}

/**
 * Clips of AudioGrounding, version 1 or 2: every caption, and the phrases as events. Throws as {@link readAudioGrounding}.
 */
export async function importAudioGrounding(files: LabelledClipsFiles): Promise<Clip[]> {
  const captions = Map.groupBy(await readAudioGrounding(files.labels), ({ audio }) => audio)
  return Array.from(captions, ([audio, own]) => {
    const [recording] = groundedSegments(own)
    const texts = [...new Set(own.map(({ caption }) => caption))]
    return {
      ...clipOf(recording!, files),
      captions: texts.map((text, i) => ({ id: defaultCaptionId(audio, i), text })),
    }
  })
}

/** Clips of strong labels, JAMS or any other format of segments: labels as events, the caption where there is one. Throws as {@link readSegments}. */
export async function importSegments(files: LabelledClipsFiles): Promise<Clip[]> {
  const { labels, format } = files
  const recordings = await readSegments(labels, format === undefined ? {} : { format })
  return recordings.map((recording) => clipOf(recording, files))
}

function clipOf(
  { recording, duration, text, segments }: RecordingSegments,
  { audio, split }: LabelledClipsFiles,
): Clip {
  return {
    id: recording,
    audio: resolve(audio, recording),
    captions: text === undefined ? [] : [{ id: defaultCaptionId(recording, 0), text }],
    ...(split === undefined ? {} : { split }),
    ...(duration === undefined ? {} : { duration }),
    events: segments.map(({ phrase, onset, offset }) => ({ label: phrase, onset, offset })),
  }
}
