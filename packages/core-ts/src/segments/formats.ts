import {
  expected,
  fileLength,
  nearest,
  readText,
  SonotextError,
  writeFileAtomic,
  type WriteOptions,
} from '../base/index.js'
import { audacityLabels } from './audacity.js'
import { csvSegments } from './csv.js'
import { elanAnnotations } from './eaf.js'
import { jamsAnnotations } from './jams.js'
import { jsonLinesSegments, jsonSegments } from './json.js'
import type { RecordingSegments, SegmentFormat } from './recording-segments.js'
import { strongLabels } from './strong-labels.js'
import { praatTextGrid } from './text-grid.js'
import { webVtt } from './web-vtt.js'

/** Every format that segments are written in and read from. */
export const segmentFormats: readonly SegmentFormat[] = [
  jsonSegments,
  jsonLinesSegments,
  csvSegments,
  strongLabels,
  webVtt,
  audacityLabels,
  praatTextGrid,
  elanAnnotations,
  jamsAnnotations,
]

/** A format by its name. Throws INVALID_ARGUMENT with the nearest name. */
export function segmentFormat(name: string): SegmentFormat {
  const format = segmentFormats.find((one) => one.name === name)
  if (format !== undefined) return format
  const names = segmentFormats.map((one) => one.name)
  const near = nearest(name, names)
  throw expected(
    `one of ${names.join(', ')}`,
    'format',
    name,
    near === undefined ? {} : { remedy: `Did you mean "${near}"?` },
  )
}

/** The format that a file's ending says. Throws INVALID_ARGUMENT for an ending that says none. */
export function segmentFormatOf(path: string): SegmentFormat {
  const format = segmentFormats.find(({ extension }) => path.toLowerCase().endsWith(extension.toLowerCase()))
  if (format !== undefined) return format
  const endings = segmentFormats.map(({ name, extension }) => `${extension} (${name})`)
  throw expected(`a file ending in ${endings.join(', ')}`, 'path', path, { remedy: 'Or name the format.' })
}

/**
 * Writes segments to a file, whole or not at all, in the format its ending says where none is named. Throws INVALID_ARGUMENT as the formats,
 * WRITE_FAILED.
 */
export async function writeSegments(
  path: string,
  recordings: readonly RecordingSegments[],
  options: { readonly format?: string } & WriteOptions = {},
): Promise<void> {
  const { format, ...writing } = options
  const { write } = format === undefined ? segmentFormatOf(path) : segmentFormat(format)
  await writeFileAtomic(path, write(recordings), writing)
}

/** Largest file of segments that is read, in bytes. */
const maxBytes = 2 ** 28

/** Reads segments in the format that the file's ending says where none is named. Throws MISSING_FILE, INVALID_FILE with file and line. */
export async function readSegments(
  path: string,
  options: { readonly format?: string; readonly signal?: AbortSignal } = {},
): Promise<RecordingSegments[]> {
  const { format, signal } = options
  // A name that is misspelt is told as such, not by its ending.
  await fileLength(path)
  const { read } = format === undefined ? segmentFormatOf(path) : segmentFormat(format)
  const recordings = read(await readText(path, { maxBytes, signal }), path)
  if (recordings.length > 0) return recordings
  throw new SonotextError('INVALID_FILE', 'expected segments of a recording, got none.', { file: path })
}
