import {
  type AlignmentEvaluation,
  evaluateAlignment,
  evaluateMoments,
  joinMoments,
  type MomentsEvaluation,
  pairUp,
  readAlignmentPredictions,
  readAlignmentTruth,
  readMomentLines,
} from '@sonotext/core/align'
import { type LabelledSegment, type RecordingSegments, withoutLength } from '@sonotext/core/segments'
import type { CommandContext } from './command.js'
import { exitCode, UsageError } from './exit.js'
import { plural } from './plural.js'
import { table } from './table.js'

/** Options of `evaluate --task alignment` and `--task moments`, which take files in place of a run. */
export interface EvaluateFilesFlags {
  task: 'retrieval' | 'alignment' | 'moments'
  truth?: string
  predictions: string[]
  map: string[]
  split: string
  perQuery?: boolean
}

/** Scores what any system found in recordings against what is there. */
export async function evaluateFiles(context: CommandContext, options: EvaluateFilesFlags): Promise<number> {
  const { task, truth, predictions, map } = options
  if (truth === undefined || predictions.length === 0)
    throw new UsageError(`Give --truth and --predictions with --task ${task}.`)
  if (task === 'moments') {
    if (predictions.length > 1) throw new UsageError('Expected one file of --predictions for moments.')
    if (map.length > 0) throw new UsageError('--map is for --task alignment: moments are matched by qid.')
    return await moments(context, options, truth, predictions[0]!)
  }
  return await alignment(context, options, truth)
}

function phrasesIn(
  all: readonly { readonly phrases?: readonly string[]; readonly segments?: readonly LabelledSegment[] }[],
): Set<string> {
  return new Set(
    all.flatMap(({ phrases = [], segments = [] }) => [...phrases, ...segments.map(({ phrase }) => phrase)]),
  )
}

async function alignment(
  { terminal, signal }: CommandContext,
  { predictions, map, split, perQuery = false }: EvaluateFilesFlags,
  truth: string,
): Promise<number> {
  const given = await Promise.all(predictions.map((path) => readAlignmentPredictions(path, { signal })))
  const rename = renamer(
    map,
    given.flatMap((one) => ('scores' in one ? one.scores : one.segments).map(({ recording }) => recording)),
  )
  const scores = given.flatMap((one) => ('scores' in one ? one.scores.map(rename) : []))
  const segments = given.flatMap((one) => ('segments' in one ? one.segments.map(rename) : []))
  const truths = await readAlignmentTruth(truth, { split, signal })
  const warnOfPoints = (recordings: readonly RecordingSegments[], whose: string): void => {
    const left = withoutLength(recordings)
    if (left > 0) terminal.warn(`${plural(left, 'event')} of ${whose} without a length left out`)
  }
  warnOfPoints(truths, 'the truth')
  warnOfPoints(segments, 'the predictions')
  const paired = pairUp(truths, { scores, segments })
  const { missing, unknown, pairs } = paired
  if (missing.length > 0)
    terminal.warn(
      `${plural(missing.length, 'recording')} of the truth not in the predictions: nothing found, such as "${missing[0]}"`,
    )
  if (unknown.length > 0)
    terminal.warn(
      `${plural(unknown.length, 'recording')} of the predictions not in the truth: ignored, such as "${unknown[0]}"`,
    )
  const [named, found] = [phrasesIn(truths), phrasesIn([...scores, ...segments])]
  if (named.size > 0 && found.size > 0 && ![...named].some((phrase) => found.has(phrase)))
    terminal.warn(
      `no phrase is in both: the truth has "${[...named][0]}", the predictions "${[...found][0]}"; phrases are matched as they are spelled`,
    )
  const evaluation = await evaluateAlignment(pairs)
  const { perPhrase, ...summary } = evaluation
  terminal.result(perQuery ? { ...summary, perPhrase } : summary, alignmentTable)
  return exitCode.ok
}

/** Gives recordings of the predictions the names that the truth has for them: `--map found=true`. */
function renamer(map: readonly string[], recordings: readonly string[]) {
  const known = new Set(recordings)
  const names = new Map(
    map.map((text): [string, string] => {
      const at = text.indexOf('=')
      const [from, to] = [text.slice(0, at), text.slice(at + 1)]
      if (at < 1 || to === '')
        throw new UsageError(`Expected --map NAME=NAME, of the predictions and of the truth, got ${text}.`)
      if (!known.has(from))
        throw new UsageError(`The predictions have no "${from}" to --map, only such as "${[...known][0]}".`)
      return [from, to]
    }),
  )
  return <One extends { readonly recording: string }>(one: One): One => {
    const recording = names.get(one.recording)
    return recording === undefined ? one : { ...one, recording }
  }
}

async function moments(
  { terminal, signal }: CommandContext,
  { perQuery = false }: EvaluateFilesFlags,
  truth: string,
  predictions: string,
): Promise<number> {
  const [asked, found] = await Promise.all(
    [truth, predictions].map((path) => readMomentLines(path, { signal })),
  )
  const { queries, missing, unknown } = joinMoments(asked!, found!)
  if (missing.length > 0)
    terminal.warn(`${plural(missing.length, 'query')} of the truth not answered: nothing found`)
  if (unknown.length > 0)
    terminal.warn(`${plural(unknown.length, 'query')} of the predictions not asked: ignored`)
  const { perQuery: values, ...summary } = evaluateMoments(queries)
  terminal.result(perQuery ? { ...summary, perQuery: values } : summary, momentsTable)
  return exitCode.ok
}

function alignmentTable(evaluation: Omit<AlignmentEvaluation, 'perPhrase'>): string {
  const { clips, phrases, pairs, measures, threshold, psdsOver } = evaluation
  const rows = Object.entries(measures).map(([name, { value, interval, random, clipLevel }]) => [
    name,
    share(value),
    interval === null ? '–' : interval.map(share).join('–'),
    share(random),
    clipLevel === null ? '–' : share(clipLevel),
  ])
  return [
    `${plural(clips, 'recording')}, ${plural(phrases, 'phrase')}, ${plural(pairs, 'pair')}`,
    table([['', 'value', '95 %', 'random', 'clip level'], ...rows]),
    `frame F1, precision and recall at the threshold ${threshold}, the best on these data`,
    ...(psdsOver === null
      ? []
      : [
          `PSDS over ${psdsOver === 'phrases' ? 'the phrases as classes' : 'the pairs as clips of one class'}`,
        ]),
    `95 % intervals by recording: ${plural(clips, 'recording')}`,
  ].join('\n')
}

function momentsTable({
  queries,
  recordings,
  measures,
  withoutTruth,
}: Omit<MomentsEvaluation, 'perQuery'>): string {
  const rows = Object.entries(measures).map(([name, { value, interval, random, whole }]) => [
    name,
    share(value),
    interval === null ? '–' : interval.map(share).join('–'),
    share(random),
    share(whole),
  ])
  return [
    `${plural(queries, 'query')}, ${plural(recordings, 'recording')}`,
    table([['', 'value', '95 %', 'random', 'whole'], ...rows]),
    ...(withoutTruth > 0 ? [`${plural(withoutTruth, 'query')} without a true window left out`] : []),
    `95 % intervals by recording: ${plural(recordings, 'recording')}`,
  ].join('\n')
}

function share(value: number): string {
  return Number.isNaN(value) ? '–' : value.toFixed(3)
}
