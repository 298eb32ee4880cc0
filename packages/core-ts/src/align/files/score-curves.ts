import { opendir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, parseCsv, readText, SonotextError } from '../../base/index.js'
import type { ScoreCurve } from '../evaluation/frame-labels.js'
import { numberOf } from '../../segments/csv.js'
import { isObject, parsed } from '../../segments/json.js'
import { stemOf } from '../../segments/recording-segments.js'

/** Scores over time of every phrase that one recording was asked. */
export interface RecordingScores {
  readonly recording: string
  /** Seconds. */
  readonly duration?: number
  readonly phrases: readonly string[]
  /** One for each phrase. */
  readonly curves: readonly ScoreCurve[]
}

/**
 * Scores of recordings: a JSONL file with a line each, `{"clip", "phrases", "frameStep", "start", "scores"}` (scores a list of frames for
 * each phrase, start 0 where left out), or a folder of tab-separated files as sed_scores_eval writes them, `onset offset class…` with a frame
 * a line and the recording's name as the file's. Throws MISSING_FILE, INVALID_FILE with file and line.
 */
export async function readScores(
  path: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<RecordingScores[]> {
  if (!(await isFolder(path)))
    return parseScoreLines(await readText(path, { maxBytes: 2 ** 28, signal: options.signal }), path)
  const files: string[] = []
  for await (const entry of await opendir(path)) if (entry.name.endsWith('.tsv')) files.push(entry.name)
  if (files.length === 0) {
    throw new SonotextError('INVALID_FILE', 'expected .tsv files with scores in the folder, got none.', {
      file: path,
      remedy: 'Name the folder that holds a file for each recording.',
    })
  }
  const all: RecordingScores[] = []
  for (const file of files.sort()) {
    const at = join(path, file)
    all.push(parseScoreTable(await readText(at, { signal: options.signal }), at))
  }
  return all
}

/** Score curves of JSON lines, one object a recording. Throws INVALID_FILE naming the line. */
export function parseScoreLines(text: string, file: string): RecordingScores[] {
  return text.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return []
    const at = `${file}:${i + 1}`
    const value = parsed(line, at)
    if (!isObject(value)) throw wrong(at, `expected an object, got ${describe(value)}.`)
    const { phrases, frameStep, start = 0, scores, duration } = value
    const recording = value.clip ?? value.audio
    if (typeof recording !== 'string')
      throw wrong(at, `expected a string for clip, got ${describe(recording)}.`)
    if (!Array.isArray(phrases) || !phrases.every((phrase) => typeof phrase === 'string'))
      throw wrong(at, `expected strings for phrases, got ${describe(phrases)}.`)
    if (typeof frameStep !== 'number' || !(frameStep > 0))
      throw wrong(at, `expected seconds above 0 for frameStep, got ${describe(frameStep)}.`)
    if (typeof start !== 'number' || !(start >= 0))
      throw wrong(at, `expected seconds from 0 for start, got ${describe(start)}.`)
    if (!Array.isArray(scores) || scores.length !== phrases.length)
      throw wrong(at, `expected ${phrases.length} lists for scores, one a phrase, got ${describe(scores)}.`)
    const curves = scores.map((frames: unknown, p): ScoreCurve => {
      if (!Array.isArray(frames) || !frames.every((score) => typeof score === 'number'))
        throw wrong(
          at,
          `expected numbers for the scores of "${phrases[p]!.slice(0, 60)}", got ${describe(frames)}.`,
        )
      return { scores: Float32Array.from(frames), frameStep, start }
    })
    const known = typeof duration === 'number' && duration > 0 ? { duration } : {}
    return [{ recording, ...known, phrases, curves }]
  })
}

/** Score curves of a table with the columns onset, offset and one for each class. Throws INVALID_FILE. */
export function parseScoreTable(text: string, file: string): RecordingScores {
  const table = parseCsv(text, file, { delimiter: '\t' })
  const phrases = table.columns.filter((name) => name !== 'onset' && name !== 'offset')
  if (!table.has('onset') || !table.has('offset') || phrases.length === 0)
    throw wrong(
      `${file}:1`,
      `expected the columns onset, offset and one for each class, found ${table.columns.slice(0, 5).join(', ').slice(0, 120)}.`,
    )
  const { rows } = table
  if (rows.length === 0) throw wrong(file, 'expected a frame or more, got none.')
  const time = (row: number, column: string): number =>
    numberOf(rows[row]!, column, `${file}:${rows[row]!.line}`)
  const start = time(0, 'onset')
  const end = time(rows.length - 1, 'offset')
  const frameStep = (end - start) / rows.length
  if (!(frameStep > 0) || !(start >= 0)) throw wrong(file, 'expected times that ascend from 0.')
  for (const [row, { line }] of rows.entries()) {
    // Times are written with few digits, and the last frame may end with the recording.
    if (Math.abs(time(row, 'onset') - start - row * frameStep) <= Math.max(frameStep, 1e-3)) continue
    throw wrong(
      `${file}:${line}`,
      `expected frames of ${frameStep.toFixed(4)} s, got one at ${time(row, 'onset')} s.`,
    )
  }
  const curves = phrases.map((phrase) => ({
    scores: Float32Array.from(rows, (row) => numberOf(row, phrase, `${file}:${row.line}`)),
    frameStep,
    start,
  }))
  return { recording: stemOf(file), phrases, curves }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  )
}

function wrong(at: string, message: string): SonotextError {
  return new SonotextError('INVALID_FILE', message, {
    file: at,
    remedy:
      'Scores are {"clip", "phrases", "frameStep", "scores": [[…]…]} a line, or tables of onset, offset and classes.',
  })
}
