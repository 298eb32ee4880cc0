import {
  evaluateRunFiles,
  formatNames,
  type IntervalMethod,
  type RunFilesOptions,
  withoutPerQuery,
} from '@sonotext/core/metrics'
import { isManifestName } from '@sonotext/core/data'
import { readRelevances, relevancesCsv } from '@sonotext/core/relevance'
import type { CommandBody } from '../command.js'
import { evaluationTable } from '../evaluation-table.js'
import { exitCode } from '../exit.js'
import { measureNames } from '../measure-names.js'
import { plural } from '../plural.js'
import { usualMeasures } from '../relevance-option.js'

interface MetricsOptions extends Pick<
  RunFilesOptions,
  'direction' | 'items' | 'minGrade' | 'gradeScale' | 'unjudged' | 'rowIds' | 'columnIds'
> {
  run: string
  truth: string
  measures?: string
  interval: IntervalMethod
  perQuery?: boolean
}

/** Scores rankings made elsewhere. */
const metrics: CommandBody<MetricsOptions> = async ({ terminal, signal }, options) => {
  const { direction, items, minGrade, gradeScale, unjudged, rowIds, columnIds } = options
  const evaluation = await evaluateRunFiles(options.run, await truthOf(options.truth, signal), {
    measures: measureNames(options.measures ?? usualMeasures.binary),
    interval: options.interval,
    signal,
    ...(direction === undefined ? {} : { direction }),
    ...(items === undefined ? {} : { items }),
    ...(minGrade === undefined ? {} : { minGrade }),
    ...(gradeScale === undefined ? {} : { gradeScale }),
    ...(unjudged === undefined ? {} : { unjudged }),
    ...(rowIds === undefined ? {} : { rowIds }),
    ...(columnIds === undefined ? {} : { columnIds }),
  })
  const { format, truthFormat, missingQueries, unknownQueries, unknownItems } = evaluation
  terminal.note(`run: ${formatNames[format]}; truth: ${formatNames[truthFormat]}`)
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

/** What the captions of a manifest state is a table like others. */
async function truthOf(file: string, signal: AbortSignal) {
  if (!isManifestName(file)) return file
  return { file, text: relevancesCsv(await readRelevances(file, { signal })) }
}
