import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import {
  type Moment,
  type MomentLine,
  type MomentRecord,
  phrasesOf,
  readMomentLines,
  toMomentRecord,
} from '@sonotext/core/align'
import { listAudio } from '@sonotext/core/data'
import { answerQueries, type RunAligner, type RunMomentOptions, unknownWords } from '@sonotext/core/runs'
import type { CommandBody, CommandContext } from '../command.js'
import { exitCode, UsageError } from '../exit.js'
import { KeptLines } from '../kept-lines.js'
import { plural } from '../plural.js'
import { type AlignerFlags, openAligner, type OpenAligner, thresholdsLine } from '../run-aligner.js'
import { table } from '../table.js'

interface MomentsOptions extends AlignerFlags {
  top: number
  threshold?: number
  minLength: number
  maxLength: number
  audio?: string
  out?: string
}

/** The parts of a recording that answer a query, or of many recordings that answer a file of queries. */
const moments: CommandBody<MomentsOptions, readonly [string, string, string | undefined]> = async (
  context,
  options,
  folder,
  audio,
  query,
) => {
  const { terminal, signal } = context
  const { top, minLength, maxLength } = options
  if (minLength > maxLength)
    throw new UsageError(`No moment lasts ${minLength} s at least and ${maxLength} s at most.`)
  const lengths = { count: top, minLength, maxLength, signal }
  // What is measured is the order of ten windows, whether the query is answered in the recording or not.
  if (/\.jsonl$/i.test(audio) && query === undefined)
    return answerFile(context, options, folder, audio, { ...lengths, threshold: options.threshold ?? 0 })
  if (query === undefined)
    throw new UsageError('Give a query, or a file of queries (JSONL) in place of the recording.')
  if (options.audio !== undefined || options.out !== undefined)
    throw new UsageError('--audio and --out belong to a file of queries (JSONL).')
  phrasesOf(query)
  const { threshold = 0.5 } = options
  const { run, aligner, recordings, thresholds } = await openAligner(context, folder, audio, options)
  await using opened = aligner
  if (!('clip' in recordings)) throw new UsageError(`Expected a recording, got the manifest ${audio}.`)
  const unknown = unknownWords(run.model, query)
  if (unknown.length > 0) terminal.warn(`the model does not know: ${unknown.join(', ')}`)
  const found = await opened.moments(recordings.clip, query, { ...lengths, threshold })
  if (found.length === 0 && threshold > 0 && unknown.length === 0)
    terminal.note(
      `no phrase of it scores ${threshold} anywhere; --threshold 0 ranks the best places all the same`,
    )
  terminal.result({ query, audio, moments: found, thresholds }, () => momentsText(query, found, thresholds))
  return exitCode.ok
}
export default moments

/** One line a query, appended to the file as they are done; what is in it already is not done again. */
async function answerFile(
  context: CommandContext,
  options: MomentsOptions,
  folder: string,
  queries: string,
  asked: RunMomentOptions,
): Promise<number> {
  const { terminal, signal } = context
  const { out, audio = dirname(queries) } = options
  if (out === undefined) throw new UsageError('Name a file for the answers with --out FILE.jsonl')
  const lines = await readMomentLines(queries, { signal })
  const recordingOf = await recordingsIn(audio)
  const { run, aligner, thresholds } = await openAligner(context, folder, undefined, options)
  await using opened: RunAligner = aligner
  const { words, smooth, window, margin, calibrate, unlabelled } = options
  const { count, threshold, minLength, maxLength } = asked
  const settings = {
    words,
    smooth,
    window,
    margin,
    calibrate,
    unlabelled,
    count,
    threshold,
    minLength,
    maxLength,
    model: run.model.id,
  }
  const by = createHash('sha256').update(JSON.stringify(settings)).digest('hex').slice(0, 16)
  using kept = await KeptLines.open<MomentRecord>(out, by, ({ qid }) =>
    qid === undefined ? undefined : String(qid),
  )
  const before = kept.size
  if (before > 0) terminal.note(`${before} of ${plural(lines.length, 'query')} are in ${out} already`)
  const progress = terminal.progress('answered', lines.length, 'queries', before)
  let bad = 0
  const answers = answerQueries(
    opened,
    lines.filter(({ qid }) => !kept.has(String(qid))),
    recordingOf,
    {
      ...asked,
      onBad: (some, error) => {
        bad += some.length
        terminal.warn(`${some.map(({ qid }) => `qid ${qid}`).join(', ')}: ${error.message}`)
        progress.update(kept.size + bad)
      },
    },
  )
  for await (const { line, moments: found } of answers) {
    kept.append(toMomentRecord(answered(line, found)))
    progress.update(kept.size + bad)
  }
  progress.finish()
  terminal.result({ out, queries: kept.size, failed: bad, thresholds }, () =>
    [
      `${out}: ${plural(kept.size, 'query')}${bad > 0 ? `; ${bad} could not be answered` : ''}`,
      ...thresholdsLine(thresholds),
    ].join('\n'),
  )
  return bad > 0 ? exitCode.failure : exitCode.ok
}

function answered({ qid, query, vid, duration }: MomentLine, found: readonly Moment[]): MomentLine {
  return {
    ...{ qid, query, vid },
    ...(duration !== undefined && { duration }),
    found: found.map(({ start, end, score }) => ({ onset: start, offset: end, score })),
  }
}

/** The file that a `vid` names: in the folder as it is written, or below it by its name with or without the ending. */
async function recordingsIn(folder: string): Promise<(vid: string) => { id: string; audio: string }> {
  const { files } = await listAudio(folder)
  const byName = new Map<string, string>()
  for (const file of files.toReversed()) {
    const name = basename(file)
    for (const key of [name.replace(/\.[^.]*$/, ''), name]) byName.set(key, file)
  }
  return (vid) => {
    const known = existsSync(join(folder, vid)) ? vid : (byName.get(vid) ?? vid)
    return { id: vid, audio: join(folder, known) }
  }
}

function momentsText(query: string, found: readonly Moment[], thresholds: OpenAligner['thresholds']): string {
  if (found.length === 0) return [`not there: ${query}`, ...thresholdsLine(thresholds)].join('\n')
  const rows = found.map(({ start, end, score }, i) => [
    String(i + 1),
    clock(start),
    clock(end),
    score.toFixed(3),
  ])
  return [table([['rank', 'from', 'to', 'score'], ...rows]), ...thresholdsLine(thresholds)].join('\n')
}

/** Seconds as 1:02:03.4. */
function clock(seconds: number): string {
  const tenths = Math.round(seconds * 10)
  const [h, m, s] = [Math.floor(tenths / 36_000), Math.floor(tenths / 600) % 60, (tenths % 600) / 10]
  const rest = `${String(m).padStart(h > 0 ? 2 : 1, '0')}:${s.toFixed(1).padStart(4, '0')}`
  return h > 0 ? `${h}:${rest}` : rest
}
