import { createHash } from 'node:crypto'
import { type AlignedSegment, phrasesOf } from '@sonotext/core/align'
import { readMono } from '@sonotext/core/audio'
import { isSonotextError, readText, writeFileAtomic } from '@sonotext/core/base'
import type { Clip } from '@sonotext/core/data'
import type { DualEncoder } from '@sonotext/core/models'
import { alignmentPage } from '@sonotext/core/report'
import {
  alignClips,
  type ClipAlignment,
  type RunAligner,
  type RunAlignOptions,
  unknownWords,
} from '@sonotext/core/runs'
import { inMicroseconds, segmentFormat, segmentFormatOf, writeSegments } from '@sonotext/core/segments'
import type { CommandBody, CommandContext } from '../command.js'
import { decodePolicyOf } from '../decode-option.js'
import { plural } from '../plural.js'
import { exitCode, UsageError } from '../exit.js'
import { KeptLines } from '../kept-lines.js'
import { foreign, isWritten, refuseForeign } from '../outputs.js'
import { type AlignerFlags, openAligner, type OpenAligner, thresholdsLine } from '../run-aligner.js'
import { table } from '../table.js'

interface AlignOptions extends AlignerFlags {
  phrases: string[]
  out?: string
  page?: string
  format?: string
  threshold: number
  joint?: boolean
  order: 'begins' | 'ends'
}

/** Where the phrases of a caption are heard: in one recording, or in every clip of a manifest by its own captions. */
const align: CommandBody<AlignOptions, readonly [string, string, string | undefined]> = async (
  context,
  options,
  folder,
  audio,
  text,
) => {
  const given = options.phrases.length > 0
  const { format, out: target } = options
  if (format !== undefined && target === undefined)
    throw new UsageError('Name a file for the segments with --out FILE.')
  // Said before the work, not after it.
  if (format !== undefined) segmentFormat(format)
  else if (target !== undefined) segmentFormatOf(target)
  if (given && text !== undefined) throw new UsageError('Give a text or --phrases, not both.')
  if (given || text !== undefined) phrasesOf(given ? options.phrases : text!)
  refuseForeign('--page', options.page, 'page')
  const { run, aligner, recordings, thresholds } = await openAligner(context, folder, audio, options)
  await using opened = aligner
  const { threshold, joint = false, order } = options
  const decoding: RunAlignOptions = { threshold, joint, order, signal: context.signal }
  if ('clips' in recordings) {
    if (options.page !== undefined) throw new UsageError('A page shows one recording, not a manifest.')
    const written = target === undefined ? undefined : (format ?? segmentFormatOf(target).name)
    if (written !== undefined && written !== 'jsonl')
      throw new UsageError(`The segments of a manifest are written as jsonl, not ${written}.`)
    if (text !== undefined)
      throw new UsageError(
        'The clips of a manifest are aligned with their own captions: give no text, or --phrases to score in every clip.',
      )
    const { words, smooth, window, margin, calibrate, unlabelled } = options
    const settings = {
      words,
      smooth,
      window,
      margin,
      calibrate,
      unlabelled,
      threshold,
      joint,
      order,
      model: run.model.id,
    }
    const { clips } = recordings
    if (!given) return await alignManifest(context, opened, clips, decoding, target, settings, thresholds)
    warnOfUnknown(context, run.model, options.phrases)
    return await scoreManifest(context, opened, clips, options.phrases, target, settings)
  }
  if (!given && text === undefined) throw new UsageError('Give a text to align, or --phrases.')
  if (target !== undefined) await refuseOtherText(target, format ?? segmentFormatOf(target).name)
  const alignment = await opened.align(recordings.clip, given ? options.phrases : text!, decoding)
  warnOfUnknown(context, run.model, alignment.phrases)
  const { phrases, segments } = alignment
  if (options.page !== undefined) {
    const sound = await readMono(recordings.clip.audio, {
      ...decodePolicyOf(options),
      signal: context.signal,
    })
    const title = text ?? phrases.join(', ')
    const page = await alignmentPage({
      title,
      audio: sound,
      ...alignment,
      ...{ settings: { threshold }, joint, thresholds },
      footer: audio,
    })
    await writeFileAtomic(options.page, page)
    context.terminal.note(`page: ${options.page}`)
  }
  const asked = { ...(text === undefined ? {} : { text }), phrases, segments }
  if (target !== undefined) {
    const { end: duration } = alignment.map
    const known = duration === undefined ? {} : { duration: inMicroseconds(duration) }
    const one = { recording: audio, ...known, ...asked }
    await writeSegments(target, [one], format === undefined ? {} : { format })
    context.terminal.note(`segments: ${target}`)
  }
  context.terminal.result(
    { audio, ...asked, thresholds },
    () => segmentsText(alignment, thresholds, joint),
    target,
  )
  return exitCode.ok
}
export default align

/** Segments take the place of segments of the same format alone. */
async function refuseOtherText(path: string, format: string): Promise<void> {
  if (!isWritten(path)) return
  try {
    segmentFormat(format).read(await readText(path), path)
  } catch (error) {
    if (!isSonotextError(error)) throw error
    throw foreign('--out', path, `segments as ${format}`)
  }
}

function warnOfUnknown({ terminal }: CommandContext, model: DualEncoder, phrases: readonly string[]): void {
  const unknown = new Set(phrases.flatMap((phrase) => unknownWords(model, phrase)))
  if (unknown.size > 0) terminal.warn(`the model does not know: ${[...unknown].join(', ')}`)
}

interface AlignedLine {
  readonly clip: string
  readonly caption: string
  readonly text: string
  readonly phrases: readonly string[]
  readonly segments: readonly AlignedSegment[]
}

const keyOf = (clip: string, caption: string): string => JSON.stringify([clip, caption])

/** One line a caption, appended to the file as they are done; what is in it already is not done again. */
async function alignManifest(
  { terminal }: CommandContext,
  aligner: RunAligner,
  clips: readonly Clip[],
  options: RunAlignOptions,
  out: string | undefined,
  settings: object,
  thresholds: OpenAligner['thresholds'],
): Promise<number> {
  using kept = await resultLines<AlignedLine>(out, settings, ({ clip, caption }) =>
    typeof clip === 'string' && typeof caption === 'string' ? keyOf(clip, caption) : undefined,
  )
  const before = kept.size
  const total = clips.reduce((sum, { captions }) => sum + captions.length, 0)
  if (before > 0) terminal.note(`${before} of ${total} captions are in ${kept.file} already`)
  let bad = 0
  let progress: ReturnType<typeof terminal.progress> | undefined
  const told = () => {
    progress ??= terminal.progress('aligned', total, 'captions', before)
    progress.update(kept.size + bad)
  }
  const aligned = alignClips(aligner, clips, {
    ...options,
    skip: (clip, caption) => kept.has(keyOf(clip.id, caption.id)),
    onBad: (clip, captions, error) => {
      bad += captions.length
      terminal.warn(`${clip.id}: ${error.message}`)
    },
  })
  for await (const { clip, caption, alignment } of aligned) {
    const { phrases, segments } = alignment
    kept.append({ clip: clip.id, caption: caption.id, ...{ text: caption.text, phrases, segments } })
    told()
  }
  progress?.finish()
  terminal.result({ out: kept.file, captions: kept.size, failed: bad, thresholds }, () =>
    [
      `${kept.file}: ${plural(kept.size, 'caption')}${bad > 0 ? `; ${bad} could not be aligned` : ''}`,
      ...thresholdsLine(thresholds),
    ].join('\n'),
  )
  return bad > 0 ? exitCode.failure : exitCode.ok
}

function resultLines<Line extends object>(
  out: string | undefined,
  settings: object,
  keyOf: (line: Partial<Line>) => string | undefined,
): Promise<KeptLines<Line>> {
  if (out === undefined) throw new UsageError('Name a file for the results of a manifest: --out FILE.jsonl')
  const by = createHash('sha256').update(JSON.stringify(settings)).digest('hex').slice(0, 16)
  return KeptLines.open<Line>(out, by, keyOf)
}

interface ScoresLine {
  readonly clip: string
  readonly phrases: readonly string[]
  readonly frameStep: number
  readonly start: number
  readonly duration?: number
  readonly scores: readonly (readonly number[])[]
}

/** One line a clip: the scores over time of all phrases, as `evaluate --task alignment` reads them. */
async function scoreManifest(
  { terminal, signal }: CommandContext,
  aligner: RunAligner,
  clips: readonly Clip[],
  phrases: readonly string[],
  out: string | undefined,
  settings: object,
): Promise<number> {
  using kept = await resultLines<ScoresLine>(out, { ...settings, phrases }, ({ clip, scores }) =>
    typeof clip === 'string' && Array.isArray(scores) ? clip : undefined,
  )
  if (kept.size > 0) terminal.note(`${kept.size} of ${clips.length} clips are in ${kept.file} already`)
  const progress = terminal.progress('scored', clips.length, 'clips', kept.size)
  let bad = 0
  for (const clip of clips.filter(({ id }) => !kept.has(id))) {
    try {
      // No thresholds: what is measured chooses its own.
      const map = await aligner.scores(clip, phrases, { signal })
      const { rows, cols, data } = map.scores
      const scores = phrases.map((_, p) =>
        Array.from({ length: rows }, (_, t) => Number(data[t * cols + p]!.toPrecision(7))),
      )
      const { frameStep, start, end: duration } = map
      kept.append({
        ...{ clip: clip.id, phrases, frameStep, start: inMicroseconds(start) },
        ...(duration !== undefined && { duration: inMicroseconds(duration) }),
        scores,
      })
    } catch (error) {
      if (!isSonotextError(error) || error.code === 'ABORTED') throw error
      bad++
      terminal.warn(`${clip.id}: ${error.message}`)
    }
    progress.update(kept.size + bad)
  }
  progress.finish()
  terminal.result({ out: kept.file, clips: kept.size, failed: bad }, () =>
    [`${kept.file}: ${plural(kept.size, 'clip')}`, ...(bad > 0 ? [`${bad} could not be scored`] : [])].join(
      '; ',
    ),
  )
  return bad > 0 ? exitCode.failure : exitCode.ok
}

function segmentsText(
  { phrases, segments }: ClipAlignment,
  thresholds: OpenAligner['thresholds'],
  joint: boolean,
): string {
  const absent = phrases.filter((phrase) => !segments.some((segment) => segment.phrase === phrase))
  const rows = segments.map(({ phrase, onset, offset, score, confidence }: AlignedSegment) => [
    phrase,
    onset.toFixed(2),
    offset.toFixed(2),
    score.toFixed(3),
    confidence === undefined ? '' : confidence.toFixed(2),
  ])
  const lines = rows.length === 0 ? [] : [table([['phrase', 'from', 'to', 'score', 'confidence'], ...rows])]
  const why = joint ? 'not there, or given up for the order' : 'not there'
  if (absent.length > 0) lines.push(`${why}: ${[...new Set(absent)].join(', ')}`)
  return [...lines, ...thresholdsLine(thresholds)].join('\n')
}
