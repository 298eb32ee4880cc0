import { writeFileAtomic } from '@sonotext/core/base'
import {
  type CalibrationType,
  checkFittable,
  fitQuality,
  type FitQuality,
  fitRelevance,
  type LogisticConstants,
  namedFeatures,
  ratedPairs,
  readCaptions,
  readRelevances,
  saveRelevanceModel,
} from '@sonotext/core/relevance'
import { relevanceFitPage } from '@sonotext/core/report'
import type { CommandBody } from '../../command.js'
import { exitCode, UsageError } from '../../exit.js'
import { refuseForeign } from '../../outputs.js'
import { table } from '../../table.js'

interface FitOptions {
  captions: string
  similarity: string[]
  calibration?: CalibrationType
  folds: number
  seed: number
  cache?: string
  validation?: string
  validationCaptions?: string
  out?: string
  page?: string
}

interface Report {
  readonly out: string | null
  readonly similarities: readonly string[]
  readonly constants: LogisticConstants
  /** By name: fitted, cross-validated, and on other ratings where they are given. */
  readonly quality: Readonly<Record<string, FitQuality>>
}

/** Fits relevance to similarities of captions. */
const fit: CommandBody<FitOptions, readonly [string]> = async ({ terminal, signal }, options, ratings) => {
  const { validation, validationCaptions = options.captions, calibration } = options
  const { folds, seed, cache, out, page } = options
  refuseForeign('--page', page, 'page')
  if (options.validationCaptions !== undefined && validation === undefined)
    throw new UsageError('--validation-captions belong to --validation RATINGS.')
  const captions = await readCaptions(options.captions, { signal })
  const pairs = ratedPairs(await readRelevances(ratings, { signal }), captions)
  // All files before the vectors, which may take minutes.
  checkFittable(pairs, { folds })
  const others =
    validation === undefined
      ? null
      : ratedPairs(
          await readRelevances(validation, { signal }),
          await readCaptions(validationCaptions, { signal }),
        )
  const features = await namedFeatures(options.similarity.length > 0 ? options.similarity : ['stems:300'], {
    texts: captions.captions.map(({ text }) => text),
    seed,
    signal,
    cacheFolder: cache,
    onVectors: (name) => terminal.note(`vectors: ${name} …`),
  })
  const fitted = await fitRelevance(pairs, features, {
    folds,
    seed,
    signal,
    ...(calibration === undefined ? {} : { calibration }),
  })
  const quality: Record<string, FitQuality> = { fitted: fitted.quality }
  if (fitted.crossValidated !== null) quality['cross-validated'] = fitted.crossValidated
  if (others !== null)
    quality['validation'] = fitQuality(others, await fitted.model.relevances(others, { signal }), { seed })
  if (out !== undefined) await saveRelevanceModel(out, fitted.model)
  const report: Report = {
    out: out ?? null,
    similarities: features.map(({ name }) => name),
    constants: fitted.model.constants,
    quality,
  }
  if (page !== undefined) await writeFileAtomic(page, await relevanceFitPage(report))
  terminal.result(report, text, out)
  return exitCode.ok
}
export default fit

function text({ out, similarities, constants: { intercept, slopes }, quality }: Report): string {
  const three = (x: number | null): string => (x === null ? '–' : x.toFixed(3))
  const terms = slopes.map((slope, j) => `${slope.toFixed(2)}·(1 − ${similarities[j]})`)
  return [
    `relevance = σ(${intercept.toFixed(2)} − ${terms.join(' − ')})`,
    table([
      ['', 'pairs', 'queries', 'Pearson', '95 %', 'Spearman', 'MSE', 'MSE of the mean'],
      ...Object.entries(quality).map(([name, of]) => [
        name,
        String(of.pairs),
        String(of.queries),
        three(of.pearson),
        of.pearsonInterval?.map(three).join('–') ?? '–',
        three(of.spearman),
        of.mse.toFixed(4),
        of.constantMse.toFixed(4),
      ]),
    ]),
    '95 % by draws of queries',
    ...(out === null ? [] : [`→ ${out}`]),
  ].join('\n')
}
