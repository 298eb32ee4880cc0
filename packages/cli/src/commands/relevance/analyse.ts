import { SonotextError, writeFileAtomic } from '@sonotext/core/base'
import { givenFeatures } from '@sonotext/core/corpus'
import { isManifestName } from '@sonotext/core/data'
import {
  analyseComplexity,
  type ComplexityAnalysis,
  loadRelevanceModel,
  posteriorEntropies,
  ratedPairs,
  readCaptions,
  readRelevances,
  type Relevances,
} from '@sonotext/core/relevance'
import { relevanceComplexityPage } from '@sonotext/core/report'
import type { CommandBody } from '../../command.js'
import { exitCode } from '../../exit.js'
import { refuseForeign } from '../../outputs.js'
import { plural } from '../../plural.js'
import { lengthsOfManifest, lengthsOfTable } from './clip-lengths.js'
import { table } from '../../table.js'

interface AnalyseOptions {
  captions: string
  machine?: string
  clips?: string
  posteriors?: string
  pairs: 'own' | 'all'
  replicates: number
  seed: number
  page?: string
}

/** What ratings, and the difference of model and listeners, depend on. */
const analyse: CommandBody<AnalyseOptions, readonly [string]> = async (
  { terminal, signal },
  options,
  ratings,
) => {
  const { pairs, replicates, seed, page } = options
  refuseForeign('--page', page, 'page')
  const relevances = await readRelevances(ratings, { signal })
  const captions = await readCaptions(options.captions, { signal })
  const rated = [...new Set(relevances.pairs.map(({ item }) => item))]
  const lengths = await lengthsOf()
  const entropies = await entropiesOf()
  const machine = options.machine === undefined ? null : await machineOf(options.machine)
  const analysis = analyseComplexity({
    ...{ relevances, captions, pairs, replicates, seed },
    clipMeasures: { ...lengths, ...entropies },
    ...(machine !== null && { machine: (query, item) => machine.of(query, item) }),
  })
  if (page !== undefined) {
    const footer = `sonotext relevance analyse ${ratings}${options.machine === undefined ? '' : `, model: ${options.machine}`}`
    await writeFileAtomic(page, await relevanceComplexityPage(analysis, { footer }))
  }
  const { queries, measures, targets, correlations, fits } = analysis
  const report = { pairs: analysis.pairs, queries, measures, targets, correlations, fits, page: page ?? null }
  terminal.result(report, () => text(analysis, page), page)
  return exitCode.ok

  /** What a fitted model says of the rated pairs, or what a table does. */
  async function machineOf(file: string): Promise<Pick<Relevances, 'of'>> {
    if (!file.toLowerCase().endsWith('.safetensors')) {
      const table = await readRelevances(file, { signal })
      const unknown = relevances.pairs.filter(({ query, item }) => table.of(query, item) === undefined)
      sayMissing('rated pair', unknown.length, relevances.pairs.length, file, '--machine')
      return table
    }
    const model = await loadRelevanceModel(file)
    const pairs = ratedPairs(relevances, captions)
    const found = await model.relevances(pairs, { signal })
    const byPair = new Map(pairs.map(({ query, clip }, i) => [JSON.stringify([query.id, clip]), found[i]!]))
    return { of: (query, item) => byPair.get(JSON.stringify([query, item])) }
  }

  /** Lengths of clips from the file that was named for it, or as far as the captions' file has them. */
  async function lengthsOf(): Promise<ClipMeasures> {
    const file = options.clips ?? options.captions
    const read = isManifestName(file) ? lengthsOfManifest : lengthsOfTable
    const lengths = await read(file, { signal, isNamed: options.clips !== undefined })
    if (options.clips !== undefined) {
      const unknown = rated.filter((clip) => !lengths.has(clip))
      sayMissing('rated clip', unknown.length, rated.length, file, '--clips')
    }
    return lengths.size === 0 ? {} : { 'seconds of the clip': (clip) => lengths.get(clip) }
  }

  /** Entropies over classes and over time of activities [frames × classes] by id of a clip. */
  async function entropiesOf(): Promise<ClipMeasures> {
    const file = options.posteriors
    if (file === undefined) return {}
    const posteriors = await givenFeatures(file, { name: 'posteriors' })
    const known = new Map<string, ReturnType<typeof posteriorEntropies>>()
    for (const clip of rated)
      if (posteriors.framesOf(clip) !== undefined)
        known.set(clip, posteriorEntropies(await posteriors.read(clip), clip))
    sayMissing('rated clip', rated.length - known.size, rated.length, file, '--posteriors')
    return {
      'entropy of classes': (clip) => known.get(clip)?.classes,
      'entropy over time': (clip) => known.get(clip)?.time,
    }
  }

  /** Throws INVALID_DATA where a file says nothing of what is rated; warns where it does not know all of it. */
  function sayMissing(noun: string, missing: number, all: number, file: string, option: string): void {
    if (missing === all) {
      throw new SonotextError('INVALID_DATA', `${option} tells nothing of any ${noun}.`, {
        file,
        remedy: `Its ids must be those of the ratings, such as the clip "${rated[0]}".`,
      })
    }
    if (missing > 0)
      terminal.warn(`${option} tells nothing of ${missing} of ${plural(all, noun)}: they do not count there.`)
  }
}
export default analyse

type ClipMeasures = Record<string, (clip: string) => number | undefined>

function text({ pairs, queries, correlations, fits, targets }: ComplexityAnalysis, page?: string): string {
  const three = (x: number | null | undefined) => (x === null || x === undefined ? '–' : x.toFixed(3))
  return [
    `${plural(pairs, 'pair')} of ${plural(queries, 'query')}; 95 % by draws of queries`,
    table([
      ['measure', 'with', 'pairs', 'correlation', '95 %'],
      ...correlations.map((one) => [
        one.measure,
        one.target,
        String(one.pairs),
        three(one.pearson),
        one.interval?.map(three).join(' … ') ?? '–',
      ]),
    ]),
    '',
    table([
      ['all measures together', 'pairs', 'explained', 'one left out'],
      ...targets.map((target) => [
        target,
        String(fits[target]?.pairs ?? '–'),
        three(fits[target]?.r2),
        three(fits[target]?.leaveOneOut),
      ]),
    ]),
    ...(page === undefined ? [] : [`→ ${page}`]),
  ].join('\n')
}
