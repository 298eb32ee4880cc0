import { type Agreement, agreementNames, raterAgreement, screenRatings } from '@sonotext/core/relevance'
import type { CommandBody } from '../../command.js'
import { exitCode } from '../../exit.js'
import { plural } from '../../plural.js'
import { table } from '../../table.js'
import { type RatingFlags, readAllRatings, screeningOf } from './rating-options.js'

interface AgreementOptions extends RatingFlags {
  replicates: number
  seed: number
}

/** How far the raters of a table agree. */
const agreement: CommandBody<AgreementOptions, readonly [readonly string[]]> = async (
  { terminal, signal },
  options,
  files,
) => {
  const screening = screeningOf(options.screen)
  const { all } = await readAllRatings(files, options, signal)
  const screened = screenRatings(all, screening)
  for (const { rater, reason } of screened.exclusions) terminal.note(`left out: ${rater}: ${reason}`)
  const { replicates, seed } = options
  terminal.result(raterAgreement(screened.table, { replicates, seed }), text)
  return exitCode.ok
}
export default agreement

function text({ queries, raters, pairs, complete, coefficients }: Agreement): string {
  const show = (value: number) => value.toFixed(3)
  return [
    `${plural(pairs, 'pair')} of two raters or more (${complete} rated by all ${raters}), over ${plural(queries, 'query')}; 95 % by query`,
    table([
      ['coefficient', 'value', '95 %'],
      ...agreementNames.map((name) => {
        const { value, interval } = coefficients[name]
        return [
          name,
          value === null ? '–' : show(value),
          interval === null ? '–' : interval.map(show).join(' … '),
        ]
      }),
    ]),
  ].join('\n')
}
