import { evaluateRun, openRun } from '@sonotext/core/experiment'
import { backendOf, type BackendOptions } from '../backend-option.js'
import { evaluationTable } from '../evaluation-table.js'
import { exitCode } from '../exit.js'
import type { CommandBody } from '../main.js'
import { measureNames } from '../measure-names.js'

interface EvaluateOptions extends BackendOptions {
  split: string
  manifest?: string
  measures: string
}

/** Retrieval measures of a run on a split, both directions. */
const evaluate: CommandBody<EvaluateOptions, readonly [string]> = async (
  { terminal, signal },
  options,
  folder,
) => {
  const run = await openRun(folder, { backend: backendOf(options, terminal) })
  terminal.note(`scoring the split ${options.split} …`)
  const evaluation = await evaluateRun(run, {
    split: options.split,
    measures: measureNames(options.measures),
    signal,
    ...(options.manifest === undefined ? {} : { manifest: options.manifest }),
  })
  terminal.result(evaluation, evaluationTable)
  return exitCode.ok
}
export default evaluate
