import { evaluateRun, openRun } from '@sonotext/core/runs'
import { type IntervalMethod, withoutPerQuery } from '@sonotext/core/metrics'
import { backendOf, type BackendOptions } from '../backend-option.js'
import type { CommandBody } from '../command.js'
import { evaluationTable } from '../evaluation-table.js'
import { decodePolicyOf, type DecodeFlags } from '../decode-option.js'
import { evaluateFiles, type EvaluateFilesFlags } from '../evaluate-files.js'
import { exitCode, UsageError } from '../exit.js'
import { measureNames } from '../measure-names.js'
import { relevanceOptionsOf, type RelevanceFlags, usualMeasures } from '../relevance-option.js'
import { runClipsOf, type RunClipsFlags } from '../run-clips.js'

interface EvaluateOptions
  extends BackendOptions, RunClipsFlags, DecodeFlags, RelevanceFlags, EvaluateFilesFlags {
  measures?: string
  interval: IntervalMethod
}

/** Retrieval measures of a run on a split, both directions; against graded relevance where a file of it is given. Other tasks take files. */
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
  if (folder === undefined) throw new UsageError('Name the folder of a training run.')
  const usual = usualMeasures[options.relevance === undefined ? 'binary' : 'graded']
  const measures = measureNames(options.measures ?? usual)
  const relevance = await relevanceOptionsOf(context, options)
  const run = await openRun(folder, {
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
  terminal.result(options.perQuery ? evaluation : withoutPerQuery(evaluation), evaluationTable)
  return exitCode.ok
}
export default evaluate
