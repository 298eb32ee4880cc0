import { describe, readText, SonotextError, writeFileAtomic, type WriteOptions } from '../../base/index.js'
import type { MomentQuery } from '../evaluation/moments.js'
import type { TimeSpan } from '../../segments/time-span.js'
import { isObject, parsed } from '../../segments/json.js'
import { checkTimes } from '../../segments/recording-segments.js'

/** A line of QVHighlights and CASTELLA: a question to a recording, with its answers where they are known or were found. */
export interface MomentLine {
  readonly qid: string | number
  readonly query: string
  /** Name of the recording. */
  readonly vid: string
  /** Seconds; predictions may leave it out. */
  readonly duration?: number
  /** True windows; empty where the question has no answer. */
  readonly relevant?: readonly TimeSpan[]
  /** Found windows. */
  readonly found?: readonly (TimeSpan & { readonly score: number })[]
}

/** Reads a JSONL file of truth or of predictions. Throws MISSING_FILE, INVALID_FILE with file and line. */
export async function readMomentLines(
  path: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<MomentLine[]> {
  return parseMomentLines(await readText(path, { signal: options.signal }), path)
}

/** The same of a text. */
export function parseMomentLines(text: string, file: string): MomentLine[] {
  const seen = new Set<string>()
  const lines = text.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return []
    const at = `${file}:${i + 1}`
    const one = momentLine(parsed(line, at), at)
    if (seen.has(String(one.qid))) throw wrong(at, `the qid ${one.qid} occurs a second time.`)
    seen.add(String(one.qid))
    return [one]
  })
  if (lines.length > 0) return lines
  throw wrong(file, 'expected one query or more, got none.')
}

/** JSONL as QVHighlights has it: `relevant_windows: [[start, end]…]`, `pred_relevant_windows: [[start, end, score]…]`. */
export function formatMomentLines(lines: readonly MomentLine[]): string {
  return lines.map((line) => `${JSON.stringify(toMomentRecord(line))}\n`).join('')
}

/** A line as the object that a file has. */
export interface MomentRecord {
  readonly qid: string | number
  readonly query: string
  readonly vid: string
  readonly duration?: number
  readonly relevant_windows?: readonly (readonly [number, number])[]
  readonly pred_relevant_windows?: readonly (readonly [number, number, number])[]
}

/** What a line of the file holds. */
export function toMomentRecord({ qid, query, vid, duration, relevant, found }: MomentLine): MomentRecord {
  return {
    ...{ qid, query, vid },
    ...(duration === undefined ? {} : { duration }),
    ...(relevant === undefined
      ? {}
      : { relevant_windows: relevant.map(({ onset, offset }) => [onset, offset] as const) }),
    ...(found === undefined
      ? {}
      : { pred_relevant_windows: found.map(({ onset, offset, score }) => [onset, offset, score] as const) }),
  }
}

/** Writes them, whole or not at all. Throws WRITE_FAILED. */
export async function writeMomentLines(
  path: string,
  lines: readonly MomentLine[],
  options: WriteOptions = {},
): Promise<void> {
  await writeFileAtomic(path, formatMomentLines(lines), options)
}

/** Queries with their truth and what was found for them. */
export interface JoinedMoments {
  readonly queries: readonly MomentQuery[]
  /** Queries of the truth without a prediction: nothing found. */
  readonly missing: readonly string[]
  /** Predictions of queries that the truth does not ask: ignored. */
  readonly unknown: readonly string[]
}

/** Truth and predictions by `qid`, for `evaluateMoments`. Throws INVALID_DATA when they share no query, or the truth has no windows. */
export function joinMoments(truth: readonly MomentLine[], predictions: readonly MomentLine[]): JoinedMoments {
  const found = new Map(predictions.map((line) => [String(line.qid), line]))
  const asked = new Set(truth.map(({ qid }) => String(qid)))
  if (!truth.some(({ qid }) => found.has(String(qid)))) {
    throw new SonotextError(
      'INVALID_DATA',
      `Expected predictions for the queries of the truth, got none: the truth asks ${String(truth[0]?.qid)}, the predictions answer ${String(predictions[0]?.qid)}.`,
      { remedy: 'Both files name queries by qid.' },
    )
  }
  return {
    queries: truth.map(({ qid, vid, duration, relevant }): MomentQuery => {
      if (relevant === undefined)
        throw new SonotextError(
          'INVALID_DATA',
          `Expected relevant_windows in the truth, query ${qid} has none.`,
        )
      const own = found.get(String(qid))
      const ends = [...relevant, ...(own?.found ?? [])].map(({ offset }) => offset)
      return {
        id: String(qid),
        recording: vid,
        duration: duration ?? own?.duration ?? Math.max(...ends, 1e-3),
        truth: relevant,
        found: own?.found ?? [],
      }
    }),
    missing: [...asked].filter((qid) => !found.has(qid)),
    unknown: [...found.keys()].filter((qid) => !asked.has(qid)),
  }
}

function momentLine(value: unknown, at: string): MomentLine {
  if (!isObject(value)) throw wrong(at, `expected an object, got ${describe(value)}.`)
  const { qid, query, vid, duration, relevant_windows: relevant, pred_relevant_windows: found } = value
  if (typeof qid !== 'string' && typeof qid !== 'number')
    throw wrong(at, `expected a string or number for qid, got ${describe(qid)}.`)
  if (typeof vid !== 'string') throw wrong(at, `expected a string for vid, got ${describe(vid)}.`)
  if (duration !== undefined && !(typeof duration === 'number' && duration > 0))
    throw wrong(at, `expected seconds above 0 for duration, got ${describe(duration)}.`)
  return {
    qid,
    query: typeof query === 'string' ? query : '',
    vid,
    ...(duration === undefined ? {} : { duration }),
    ...(relevant === undefined
      ? {}
      : {
          relevant: windowsOf(relevant, 'relevant_windows', 2, at).map(([onset, offset]) => ({
            onset: onset!,
            offset: offset!,
          })),
        }),
    ...(found === undefined
      ? {}
      : {
          found: windowsOf(found, 'pred_relevant_windows', 3, at).map(([onset, offset, score]) => ({
            onset: onset!,
            offset: offset!,
            score: score!,
          })),
        }),
  }
}

function windowsOf(value: unknown, name: string, width: 2 | 3, at: string): number[][] {
  if (!Array.isArray(value)) throw wrong(at, `expected a list for ${name}, got ${describe(value)}.`)
  return value.map((window: unknown) => {
    const numbers = Array.isArray(window) ? (window as unknown[]).slice(0, width) : []
    if (numbers.length < width || !numbers.every((number) => typeof number === 'number'))
      throw wrong(
        at,
        `expected ${width === 2 ? '[start, end]' : '[start, end, score]'} in ${name}, got ${describe(window)}.`,
      )
    checkTimes(numbers[0]!, numbers[1]!, at)
    return numbers
  })
}

function wrong(at: string, message: string): SonotextError {
  return new SonotextError('INVALID_FILE', message, {
    file: at,
    remedy: 'A line is {"qid", "query", "vid", "duration", "relevant_windows" or "pred_relevant_windows"}.',
  })
}
