import { evaluateRunFiles } from '@sonotext/core/metrics'
import { evaluationTable } from '../evaluation-table.js'
import { exitCode } from '../exit.js'
import type { CommandBody } from '../main.js'
import { measureNames } from '../measure-names.js'

interface MetricsOptions {
  run: string
  truth: string
  measures: string
}

/** Scores rankings made elsewhere. */
const metrics: CommandBody<MetricsOptions> = async ({ terminal, signal }, options) => {
  const evaluation = await evaluateRunFiles(options.run, options.truth, {
    measures: measureNames(options.measures),
    signal,
  })
  const { missingQueries, unknownQueries, unknownItems } = evaluation
  if (missingQueries > 0)
    terminal.warn(`${missingQueries} queries of the truth are not in the run; they count as not found`)
  if (unknownQueries > 0)
    terminal.warn(`${unknownQueries} queries of the run are not in the truth; they are ignored`)
  if (unknownItems > 0)
    terminal.warn(`${unknownItems} listed items are not in the truth; they hold their rank`)
  terminal.result(evaluation, evaluationTable)
  return exitCode.ok
}
export default metrics
