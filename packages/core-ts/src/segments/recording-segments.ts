import { SonotextError } from '../base/index.js'

/** Where a phrase is heard. An AlignedSegment of `align` is one; files of other programs know of no score. */
export interface LabelledSegment {
  readonly phrase: string
  /** Seconds from the beginning of the recording. */
  readonly onset: number
  /** Seconds; past the onset. */
  readonly offset: number
  readonly score?: number
  /** In [0, 1]. */
  readonly confidence?: number
}

/** What is heard in one recording and when. */
export interface RecordingSegments {
  /** Name or path of the recording, or the id of its clip. */
  readonly recording: string
  /** Seconds. */
  readonly duration?: number
  /** The caption whose phrases were looked for. */
  readonly text?: string
  /** All phrases that were looked for: one without a segment is not there. */
  readonly phrases?: readonly string[]
  readonly segments: readonly LabelledSegment[]
  /** Events of no length that the file holds and that were left out when it was read. */
  readonly withoutLength?: number
}

/** How many events of no length were left out when the files were read. */
export function withoutLength(recordings: readonly RecordingSegments[]): number {
  return recordings.reduce((sum, { withoutLength: own = 0 }) => sum + own, 0)
}

/** One way to write segments down. */
export interface SegmentFormat {
  readonly name: string
  /** One sentence: who reads it. */
  readonly description: string
  /** With the dot. */
  readonly extension: string
  /** Whether a file may hold several recordings. */
  readonly several: boolean
  /** What is lost on the way: labels of one line and rounded times, or nothing. */
  readonly keeps: 'everything' | 'lines'
  /** Throws INVALID_ARGUMENT for times that are none, and for several recordings where a file holds one. */
  write(recordings: readonly RecordingSegments[]): string
  /** `file` is for messages, and names the recording where the format does not. Throws INVALID_FILE with file and line. */
  read(text: string, file: string): RecordingSegments[]
}

/** The one recording of a file that holds one. */
export function single(recordings: readonly RecordingSegments[], format: string): RecordingSegments {
  const [one, ...rest] = recordings
  if (one !== undefined && rest.length === 0) return one
  throw new SonotextError(
    'INVALID_ARGUMENT',
    `A file of ${format} holds one recording, got ${recordings.length}.`,
    {
      remedy: 'Write a file for each, or choose jsonl, csv or strong-labels.',
    },
  )
}

/** Throws INVALID_ARGUMENT naming the recording unless every segment has 0 ≤ onset < offset. */
export function checked(recordings: readonly RecordingSegments[]): readonly RecordingSegments[] {
  for (const { recording, segments } of recordings) {
    for (const { phrase, onset, offset } of segments) {
      if (isSpan(onset, offset)) continue
      throw new SonotextError(
        'INVALID_ARGUMENT',
        `Expected 0 ≤ onset < offset in seconds for "${phrase}" in "${recording}", got ${onset} and ${offset}.`,
      )
    }
  }
  return recordings
}

/** Whether these are seconds of a stretch of time. */
export function isSpan(onset: number, offset: number): boolean {
  return onset >= 0 && offset > onset && offset < Infinity
}

/** Throws INVALID_FILE naming the place unless it is a stretch of time. */
export function checkTimes(onset: number, offset: number, at: string): void {
  if (isSpan(onset, offset)) return
  throw new SonotextError(
    'INVALID_FILE',
    `expected 0 ≤ onset < offset in seconds, got ${onset} and ${offset}.`,
    {
      file: at,
      remedy: 'Correct the times, or remove the segment.',
    },
  )
}

/** A label of one line, for formats in which a line end would end it: blanks, tabs, line ends and control characters become one blank. */
export function oneLine(phrase: string): string {
  return phrase.toWellFormed().replace(blanks, ' ').trim()
}

const blanks = /[\s\u0000-\u001f\u007f-\u009f\ufffe\uffff]+/gu

/** Times that differ once rounded: a segment keeps at least one unit. */
export function rounded({ onset, offset }: LabelledSegment, unit: number): { from: number; to: number } {
  const from = Math.round(onset / unit)
  return { from, to: Math.max(from + 1, Math.round(offset / unit)) }
}

/** The name of a file without folders and ending. */
export function stemOf(file: string): string {
  const name = file.replaceAll('\\', '/').split('/').at(-1)!
  return name.replace(/(?<=.)\.[^.]{1,8}$/, '')
}
