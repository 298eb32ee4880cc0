import { type Agreement, agreementNames, raterAgreement } from '@sonotext/core/relevance'
import type { CommandBody } from '../../command.js'
import { exitCode } from '../../exit.js'
import { plural } from '../../plural.js'
import { table } from '../../table.js'
import { type RatingFlags, readAllRatings, screeningOf } from './rating-options.js'
import { exclusionLines, screened } from './screened.js'

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
  const { table: kept, exclusions } = screened(all, screening, terminal)
  for (const line of exclusionLines(exclusions)) terminal.note(line)
  const { replicates, seed } = options
  terminal.result(raterAgreement(kept, { replicates, seed }), text)
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
