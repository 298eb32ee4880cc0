import { evaluateRun, openRun } from '@sonotext/core/experiment'
import { backendOf, type BackendOptions } from '../backend-option.js'
import { evaluationTable } from '../evaluation-table.js'
import { decodePolicyOf, type DecodeFlags } from '../decode-option.js'
import { exitCode } from '../exit.js'
import type { CommandBody } from '../main.js'
import { measureNames } from '../measure-names.js'
import { runClipsOf, type RunClipsFlags } from '../run-clips.js'

interface EvaluateOptions extends BackendOptions, RunClipsFlags, DecodeFlags {
  split: string
  measures: string
}

/** Retrieval measures of a run on a split, both directions. */
const evaluate: CommandBody<EvaluateOptions, readonly [string]> = async (context, options, folder) => {
  const { terminal } = context
  const measures = measureNames(options.measures)
  const run = await openRun(folder, {
    backend: backendOf(options, terminal),
    decode: decodePolicyOf(options),
  })
  const evaluation = await evaluateRun(run, {
    split: options.split,
    measures,
    ...runClipsOf(context, options),
  })
  terminal.result(evaluation, evaluationTable)
  return exitCode.ok
}
export default evaluate
