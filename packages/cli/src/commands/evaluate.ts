import { evaluateRun, openRun } from '@sonotext/core/experiment'
import { backendOf, type BackendOptions } from '../backend-option.js'
import type { CommandBody } from '../command.js'
import { evaluationTable } from '../evaluation-table.js'
import { exitCode } from '../exit.js'
import { measureNames } from '../measure-names.js'
import { runClipsOf, type RunClipsFlags } from '../run-clips.js'

interface EvaluateOptions extends BackendOptions, RunClipsFlags {
  split: string
  measures: string
}

/** Retrieval measures of a run on a split, both directions. */
const evaluate: CommandBody<EvaluateOptions, readonly [string]> = async (context, options, folder) => {
  const { terminal } = context
  const measures = measureNames(options.measures)
  const run = await openRun(folder, { backend: backendOf(options, terminal) })
  const evaluation = await evaluateRun(run, {
    split: options.split,
    measures,
    ...runClipsOf(context, options),
  })
  terminal.result(evaluation, evaluationTable)
  return exitCode.ok
}
export default evaluate
