import {
  evaluateRunFiles,
  type IntervalMethod,
  type RunOptions,
  withoutPerQuery,
} from '@sonotext/core/metrics'
import type { CommandBody } from '../command.js'
import { evaluationTable } from '../evaluation-table.js'
import { exitCode, UsageError } from '../exit.js'
import { measureNames } from '../measure-names.js'
import { plural } from '../plural.js'

interface MetricsOptions extends Pick<RunOptions, 'direction' | 'items' | 'minGrade'> {
  run: string
  truth: string
  measures: string
  interval: IntervalMethod
  perQuery?: boolean
}

/** Scores rankings made elsewhere. */
const metrics: CommandBody<MetricsOptions> = async ({ terminal, signal }, options) => {
  const { direction, items, minGrade } = options
  const evaluation = await evaluateRunFiles(options.run, options.truth, {
    measures: measureNames(options.measures),
    interval: options.interval,
    signal,
    ...(direction === undefined ? {} : { direction }),
    ...(items === undefined ? {} : { items }),
    ...(minGrade === undefined ? {} : { minGrade }),
  })
  const { format, missingQueries, unknownQueries, unknownItems } = evaluation
  if (format === 'dcase' && (direction === 'audioToText' || minGrade !== undefined)) {
    throw new UsageError('--direction and --min-grade are for TREC runs; a DCASE submission ranks clips.')
  }
  const warn = (count: number, noun: string, rest: string): void => {
    if (count > 0) terminal.warn(`${plural(count, noun)} ${rest}`)
  }
  warn(missingQueries, 'query', 'of the truth not in the run: counted as not found')
  warn(unknownQueries, 'query', 'of the run not in the truth: ignored')
  warn(unknownItems, 'listed item', 'not in the truth: kept in place, never relevant')
  terminal.result(options.perQuery ? evaluation : withoutPerQuery(evaluation), evaluationTable)
  return exitCode.ok
}
export default metrics
