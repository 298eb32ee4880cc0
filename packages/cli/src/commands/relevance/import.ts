import {
  aggregateRatings,
  type AggregateOptions,
  type Exclusion,
  type Rating,
  ratingStatistics,
  type RatingStatistics,
  type Relevances,
  type Unscreened,
} from '@sonotext/core/relevance'
import type { CommandBody } from '../../command.js'
import { exitCode, UsageError } from '../../exit.js'
import { refuseForeign } from '../../outputs.js'
import { plural } from '../../plural.js'
import { table } from '../../table.js'
import { type RatingFlags, readAllRatings, screeningOf } from './rating-options.js'
import { exclusionLines, screened } from './screened.js'
import { writeRelevance } from './write-relevance.js'

interface ImportOptions extends RatingFlags, AggregateOptions {
  out?: string
  manifest?: string
}

interface Report {
  /** null without --out. */
  readonly out: string | null
  readonly pairs: number
  readonly files: readonly RatingStatistics[]
  readonly exclusions: readonly Exclusion[]
  /** What rules of screening could not judge. */
  readonly unscreened: readonly Unscreened[]
}

/** Reads ratings, screens and averages them, and says what is in them. */
const importRatings: CommandBody<ImportOptions, readonly [readonly string[]]> = async (
  { terminal, signal },
  options,
  files,
) => {
  const { average, trim, minRaters, out, manifest } = options
  if (manifest !== undefined && out === undefined)
    throw new UsageError('Say where the manifest with relevance goes: --out FILE.jsonl.')
  refuseForeign('--out', out, manifest === undefined ? 'relevance' : 'manifest')
  if (trim !== undefined && average !== 'trimmed-mean')
    throw new UsageError('--trim is for --average trimmed-mean.')
  const screening = screeningOf(options.screen)
  const { all, each } = await readAllRatings(files, options, signal)
  const { table: kept, exclusions, unscreened } = screened(all, screening, terminal)
  // By what they are of: a rating given again in another file is another rating there.
  const isKept = new Set(kept.ratings.map(pairOf))
  const statistics = each.flatMap((one) => {
    const ratings = one.ratings.filter((rating) => isKept.has(pairOf(rating)))
    return ratings.length > 0 ? [ratingStatistics({ ...one, ratings })] : []
  })
  const relevances = aggregated()
  const pairs =
    out === undefined
      ? relevances.pairs.length
      : await writeRelevance(out, relevances, manifest, { terminal, signal })
  const report: Report = { out: out ?? null, pairs, files: statistics, exclusions, unscreened }
  terminal.result(report, text, out)
  return exitCode.ok

  /** Where screening leaves pairs of too few raters, it is said what it has left out. */
  function aggregated(): Relevances {
    try {
      return aggregateRatings(kept, {
        ...(average === undefined ? {} : { average }),
        ...(trim === undefined ? {} : { trim }),
        ...(minRaters === undefined ? {} : { minRaters }),
      })
    } catch (error) {
      for (const line of exclusionLines(exclusions)) terminal.warn(line)
      throw error
    }
  }
}
export default importRatings

function pairOf({ query, item, rater }: Rating): string {
  return JSON.stringify([query, item, rater])
}

function text({ out, pairs, files, exclusions }: Report): string {
  const header = ['file', 'queries', 'clips', 'group', 'ratings', 'mean ± sd', 'median']
  const groups = files.flatMap(({ file, queries, items, groups: all }) =>
    all.map(({ group, ratings: count, mean, deviation, median }) => [
      file,
      String(queries),
      String(items),
      group ?? '–',
      String(count),
      deviation === null ? mean.toFixed(3) : `${mean.toFixed(3)} ± ${deviation.toFixed(1)}`,
      String(median),
    ]),
  )
  const own = files.flatMap(({ file, own: found, upperHalf, histogram }) => [
    [
      file,
      found === null ? '–' : `${found.topRated}/${found.lists}`,
      found === null ? '–' : found.above.toFixed(3),
      upperHalf.toFixed(3),
      histogram.join(','),
    ],
  ])
  const shown = exclusionLines(exclusions)
  return [
    table([header, ...groups]),
    '',
    table([
      [
        'file',
        'lists with the own clip on top',
        'clips above it',
        'upper half a list',
        'ratings by tenth of the scale',
      ],
      ...own,
    ]),
    ...(shown.length > 0 ? ['', ...shown] : []),
    ...(out === null ? [] : ['', `${plural(pairs, 'judged pair')} → ${out}`]),
  ].join('\n')
}
