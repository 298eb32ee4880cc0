import {
  evaluateMatrix,
  evaluateRun,
  evaluateRunPools,
  evaluateVectors,
  readNamedRows,
  readTruth,
} from '@sonotext/core/runs'
import { decodeNpy } from '@sonotext/core/audio'
import { readBytes } from '@sonotext/core/base'
import { type Evaluation, type IntervalMethod, withoutPerQuery } from '@sonotext/core/metrics'
import { backendOf, type BackendOptions } from '../backend-option.js'
import type { CommandBody, CommandContext } from '../command.js'
import { evaluationTable } from '../evaluation-table.js'
import { decodePolicyOf, type DecodeFlags } from '../decode-option.js'
import { evaluateFiles, type EvaluateFilesFlags } from '../evaluate-files.js'
import { exitCode, UsageError } from '../exit.js'
import { measureNames } from '../measure-names.js'
import { openModel } from '../open-model.js'
import { poolsTable } from '../pools-table.js'
import { relevanceOptionsOf, type RelevanceFlags, usualMeasures } from '../relevance-option.js'
import { runClipsOf, type RunClipsFlags } from '../run-clips.js'

interface EvaluateOptions
  extends BackendOptions, RunClipsFlags, DecodeFlags, RelevanceFlags, EvaluateFilesFlags {
  measures?: string
  interval: IntervalMethod
  audio?: string
  text?: string
  scores?: string
  pool?: number
}

/**
 * Retrieval measures of a run on a split, both directions, against graded relevance where a file of it is given; or of vectors or scores that
 * any program made. Other tasks take files.
 */
const evaluate: CommandBody<EvaluateOptions, readonly [string | undefined]> = async (
  context,
  options,
  folder,
) => {
  const { terminal } = context
  if (options.task !== 'retrieval') {
    if (folder !== undefined)
      throw new UsageError(
        `--task ${options.task} takes --truth and --predictions, no run: leave out ${folder}.`,
      )
    return evaluateFiles(context, options)
  }
  const show = (evaluation: Evaluation) =>
    terminal.result(options.perQuery ? evaluation : withoutPerQuery(evaluation), evaluationTable)
  if (options.map.length > 0) throw new UsageError('--map is for --task alignment.')
  if (folder === undefined) {
    if (options.pool !== undefined) throw new UsageError('--pool is for a run: name its folder.')
    show(await ofFiles(options, backendOf(options, terminal)))
    return exitCode.ok
  }
  if (options.audio ?? options.text ?? options.scores ?? options.truth)
    throw new UsageError('Give a run, or vectors or scores with --truth, not both.')
  if (options.pool !== undefined) return evaluatePools(context, options, folder, options.pool)
  const usual = usualMeasures[options.relevance === undefined ? 'binary' : 'graded']
  const measures = measureNames(options.measures ?? usual)
  const relevance = await relevanceOptionsOf(context, options)
  const run = await openModel(folder, {
    backend: backendOf(options, terminal),
    decode: decodePolicyOf(options),
  })
  const evaluation = await evaluateRun(run, {
    split: options.split,
    measures,
    interval: options.interval,
    ...relevance,
    ...runClipsOf(context, options),
  })
  show(evaluation)
  return exitCode.ok
}
export default evaluate

/** Recall within small pools in place of the whole split. */
async function evaluatePools(
  context: CommandContext,
  options: EvaluateOptions,
  folder: string,
  pool: number,
): Promise<number> {
  const { measures, relevance, perQuery, split } = options
  if (measures ?? relevance ?? perQuery)
    throw new UsageError('--pool measures R@1 and R@5: leave out --measures, --relevance and --per-query.')
  const run = await openModel(folder, {
    backend: backendOf(options, context.terminal),
    decode: decodePolicyOf(options),
  })
  const found = await evaluateRunPools(run, { split, pool, ...runClipsOf(context, options) })
  context.terminal.result({ split, pool, ...found }, () =>
    [`split ${split}: ${found.clips} clips in pools of ${pool}`, poolsTable(found)].join('\n'),
  )
  return exitCode.ok
}

/** Vectors of both sides, or a matrix of scores [clips × captions] beside the ids of both. */
async function ofFiles(options: EvaluateOptions, backend: ReturnType<typeof backendOf>): Promise<Evaluation> {
  const { audio, text, scores, truth: truthFile, interval } = options
  const both = audio !== undefined && text !== undefined
  if (
    truthFile === undefined ||
    (scores === undefined && !both) ||
    (scores !== undefined && (audio ?? text))
  ) {
    throw new UsageError(
      'Give a run, or --audio and --text (vectors) or --scores (clips × captions), and --truth beside them.',
    )
  }
  const measures = measureNames(options.measures ?? usualMeasures.binary)
  const truth = await readTruth(truthFile)
  if (both)
    return evaluateVectors(await readNamedRows(audio), await readNamedRows(text), truth, {
      ...{ backend, measures, interval },
    })
  const matrix = decodeNpy(await readBytes(scores!), scores!)
  const { clips, captions } = idsOf(truth, matrix.rows, matrix.cols)
  return evaluateMatrix(matrix, clips, captions, truth, { measures, interval })
}

/** Rows and columns of a score matrix stand in the order of the truth: clips as they first appear, captions line by line. */
function idsOf({ clipOf }: Awaited<ReturnType<typeof readTruth>>, rows: number, cols: number) {
  const [clips, captions] = [[...new Set(clipOf.values())], [...clipOf.keys()]]
  if (clips.length === rows && captions.length === cols) return { clips, captions }
  throw new UsageError(
    `The scores are ${rows} × ${cols}, the truth has ${clips.length} clips and ${captions.length} captions: their order is that of the truth.`,
  )
}
