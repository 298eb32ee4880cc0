import { describe, SonotextError } from '../base/index.js'
import {
  checked,
  checkTimes,
  type LabelledSegment,
  type RecordingSegments,
  type SegmentFormat,
} from './recording-segments.js'

/** A list of recordings, or one alone, as `sonotext align --json` prints it. */
export const jsonSegments: SegmentFormat = {
  name: 'json',
  description: 'programs; what `sonotext align --json` prints',
  extension: '.json',
  several: true,
  keeps: 'everything',
  write: (recordings) => `${JSON.stringify(checked(recordings).map(toObject), null, 2)}\n`,
  read(text, file) {
    const value = parsed(text, file)
    return (Array.isArray(value) ? value : [value]).map((one, i) => fromObject(one, file, `entry ${i + 1}`))
  },
}

/** One recording a line, as `sonotext align` writes for a manifest. */
export const jsonLinesSegments: SegmentFormat = {
  name: 'jsonl',
  description: 'programs, one recording a line; what `sonotext align MANIFEST --out` writes',
  extension: '.jsonl',
  several: true,
  keeps: 'everything',
  write: (recordings) =>
    checked(recordings)
      .map((one) => `${JSON.stringify(toObject(one))}\n`)
      .join(''),
  read: (text, file) =>
    text.split('\n').flatMap((line, i) => {
      const at = `${file}:${i + 1}`
      return line.trim() === '' ? [] : [fromObject(parsed(line, at), at, 'the line')]
    }),
}

/** Throws INVALID_FILE with what is wrong of the JSON. */
export function parsed(text: string, at: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new SonotextError('INVALID_FILE', `not JSON: ${(cause as Error).message.slice(0, 200)}.`, {
      file: at,
      remedy: 'Correct it, or check that this is the right file.',
      cause,
    })
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function toObject({ recording, duration, text, phrases, segments }: RecordingSegments): object {
  return {
    audio: recording,
    ...(duration === undefined ? {} : { duration }),
    ...(text === undefined ? {} : { text }),
    ...(phrases === undefined ? {} : { phrases }),
    segments: segments.map(({ phrase, onset, offset, score, confidence }) => ({
      ...{ phrase, onset, offset },
      ...(score === undefined ? {} : { score }),
      ...(confidence === undefined ? {} : { confidence }),
    })),
  }
}

function fromObject(value: unknown, at: string, what: string): RecordingSegments {
  const wrong = (message: string): SonotextError =>
    new SonotextError('INVALID_FILE', `${what}: ${message}`, {
      file: at,
      remedy: 'Expected {"audio", "segments": [{"phrase", "onset", "offset"}]} with times in seconds.',
    })
  if (!isObject(value)) throw wrong(`expected an object, got ${describe(value)}.`)
  const { audio, clip, duration, text, phrases, segments } = value
  const recording = clip ?? audio
  if (typeof recording !== 'string')
    throw wrong(`expected a string for audio or clip, got ${describe(recording)}.`)
  if (!Array.isArray(segments)) throw wrong(`expected a list for segments, got ${describe(segments)}.`)
  if (
    phrases !== undefined &&
    !(Array.isArray(phrases) && phrases.every((phrase) => typeof phrase === 'string'))
  )
    throw wrong(`expected strings for phrases, got ${describe(phrases)}.`)
  if (duration !== undefined && !(typeof duration === 'number' && duration > 0))
    throw wrong(`expected seconds above 0 for duration, got ${describe(duration)}.`)
  return {
    recording,
    ...(duration === undefined ? {} : { duration }),
    ...(typeof text === 'string' ? { text } : {}),
    ...(phrases === undefined ? {} : { phrases }),
    segments: segments.map((segment: unknown): LabelledSegment => {
      if (!isObject(segment)) throw wrong(`expected an object for a segment, got ${describe(segment)}.`)
      const { phrase, onset, offset, score, confidence } = segment
      if (typeof phrase !== 'string') throw wrong(`expected a string for phrase, got ${describe(phrase)}.`)
      if (typeof onset !== 'number' || typeof offset !== 'number')
        throw wrong(`expected numbers for onset and offset of "${phrase.slice(0, 60)}".`)
      checkTimes(onset, offset, at)
      return {
        ...{ phrase, onset, offset },
        ...(typeof score === 'number' ? { score } : {}),
        ...(typeof confidence === 'number' ? { confidence } : {}),
      }
    }),
  }
}
