import { stat } from 'node:fs/promises'
import { fileLength, readLines, readText, SonotextError } from '../../base/index.js'
import { clipsOfSplit, readManifest, splitsOf } from '../../data/index.js'
import { groundedSegments, parseAudioGrounding } from '../../segments/audio-grounding.js'
import { readSegments, segmentFormatOf } from '../../segments/formats.js'
import { isObject, parsed } from '../../segments/json.js'
import type { RecordingSegments } from '../../segments/recording-segments.js'
import { readScores, type RecordingScores } from './score-curves.js'

/** Options of {@link readAlignmentTruth}. */
export interface ReadTruthOptions {
  /** Split of a manifest that has splits. Default test. */
  readonly split?: string
  readonly signal?: AbortSignal
}

/**
 * Where phrases truly are: a manifest with events, whose labels are the phrases, AudioGrounding in either version, or any of the
 * formats of segments. What a file is is told from its ending and its first line. Throws MISSING_FILE, INVALID_FILE with file and line.
 */
export async function readAlignmentTruth(
  path: string,
  options: ReadTruthOptions = {},
): Promise<RecordingSegments[]> {
  const { split = 'test', signal } = options
  const reading = signal === undefined ? {} : { signal }
  const name = await formatOf(path)
  if (name === 'json') {
    const text = await readText(path, reading)
    if (isGrounding(parsed(text, path))) return groundedSegments(parseAudioGrounding(text, path))
  }
  if (name === 'jsonl' && !('segments' in (await firstLine(path, reading)))) {
    const manifest = await readManifest(path, reading)
    const clips = splitsOf(manifest.clips).length > 0 ? clipsOfSplit(manifest, split) : manifest.clips
    if (!clips.some(({ events = [] }) => events.length > 0)) {
      throw new SonotextError('INVALID_FILE', 'expected a manifest with events, got none.', {
        file: path,
        remedy: 'Events have a label, an onset and an offset in seconds.',
      })
    }
    return clips.map(({ id, duration, events = [] }) => ({
      recording: id,
      ...(duration === undefined ? {} : { duration }),
      segments: events.map(({ label, onset, offset }) => ({ phrase: label, onset, offset })),
    }))
  }
  return readSegments(path, { ...reading, format: name })
}

/**
 * What a system found: scores over time ({@link readScores}: a folder of tables, or lines) or segments in any of their formats. Throws as these.
 */
export async function readAlignmentPredictions(
  path: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<{ scores: RecordingScores[] } | { segments: RecordingSegments[] }> {
  const isFolder = await stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  )
  if (isFolder) return { scores: await readScores(path, options) }
  const name = await formatOf(path)
  if (name === 'jsonl' && 'scores' in (await firstLine(path, options)))
    return { scores: await readScores(path, options) }
  return { segments: await readSegments(path, { ...options, format: name }) }
}

/**
 * By the ending of a file that is there. Label tracks and lists of strong labels share theirs, and a label track is a list of one
 * recording.
 */
async function formatOf(path: string): Promise<string> {
  await fileLength(path)
  return /\.(?:txt|ann|lab)$/i.test(path) ? 'strong-labels' : segmentFormatOf(path).name
}

/** Its keys tell what the lines of a file are. */
async function firstLine(path: string, options: { readonly signal?: AbortSignal }): Promise<object> {
  for await (const { number, text } of readLines(path, options)) {
    if (text.trim() === '') continue
    const value = parsed(text, `${path}:${number}`)
    return isObject(value) ? value : {}
  }
  return {}
}

function isGrounding(value: unknown): boolean {
  if (isObject(value)) return 'soundtag' in value
  const first: unknown = Array.isArray(value) ? value[0] : undefined
  return isObject(first) && 'audio_id' in first
}
