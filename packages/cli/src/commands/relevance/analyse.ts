import { readCsv, SonotextError, writeFileAtomic } from '@sonotext/core/base'
import { givenFeatures } from '@sonotext/core/corpus'
import { readManifest } from '@sonotext/core/data'
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
import { plural } from '../../plural.js'
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
  const relevances = await readRelevances(ratings, { signal })
  const captions = await readCaptions(options.captions, { signal })
  const machine = options.machine === undefined ? null : await machineOf(options.machine)
  const analysis = analyseComplexity({
    ...{ relevances, captions, pairs, replicates, seed },
    clipMeasures: {
      ...(await durationsOf(options.clips ?? options.captions)),
      ...(options.posteriors === undefined ? {} : await entropiesOf(options.posteriors, relevances)),
    },
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
    if (!file.endsWith('.safetensors')) return readRelevances(file, { signal })
    const model = await loadRelevanceModel(file)
    const rated = ratedPairs(relevances, captions)
    const found = await model.relevances(rated, { signal })
    const byPair = new Map(rated.map(({ query, clip }, i) => [JSON.stringify([query.id, clip]), found[i]!]))
    return { of: (query, item) => byPair.get(JSON.stringify([query, item])) }
  }

  /** Lengths of clips from a manifest or a table; nothing where it has none. */
  async function durationsOf(file: string): Promise<Record<string, (clip: string) => number | undefined>> {
    const lengths = file.endsWith('.jsonl') ? await lengthsOfManifest(file) : await lengthsOfTable(file)
    return lengths.size === 0 ? {} : { 'seconds of the clip': (clip) => lengths.get(clip) }
  }

  async function lengthsOfManifest(file: string): Promise<Map<string, number>> {
    const { clips } = await readManifest(file, { signal })
    return new Map(
      clips.flatMap(({ id, duration }) => (duration === undefined ? [] : [[id, duration] as const])),
    )
  }
}
export default analyse

/** Samples a second of Clotho, whose metadata give the part of a recording that a clip is in samples. */
const clothoRate = 44_100

async function lengthsOfTable(file: string): Promise<Map<string, number>> {
  const clips = await readCsv(file, { encoding: 'utf-8-or-latin1' })
  const id = ['fid', 'clip', 'item', 'file_name'].find((name) => clips.has(name))
  const lengths = new Map<string, number>()
  if (id === undefined || !(clips.has('duration') || clips.has('start_end_samples'))) return lengths
  for (const row of clips.rows) {
    const [from, to] = clips.has('duration')
      ? [0, Number(row.get('duration'))]
      : (row.get('start_end_samples').match(/\d+/g) ?? []).map((samples) => Number(samples) / clothoRate)
    if (to !== undefined && to > from!) lengths.set(row.get(id), to - from!)
  }
  return lengths
}

/** Entropies over classes and over time of activities [frames × classes] by id of a clip. */
async function entropiesOf(
  file: string,
  { pairs }: Relevances,
): Promise<Record<string, (clip: string) => number | undefined>> {
  const posteriors = await givenFeatures(file, { name: 'posteriors' })
  const known = new Map<string, ReturnType<typeof posteriorEntropies>>()
  for (const clip of new Set(pairs.map(({ item }) => item)))
    if (posteriors.framesOf(clip) !== undefined)
      known.set(clip, posteriorEntropies(await posteriors.read(clip), clip))
  if (known.size === 0) {
    throw new SonotextError('INVALID_DATA', 'Expected activities of the rated clips, got none.', {
      file,
      remedy: 'Name the tensors by the ids of the clips, as the ratings have them.',
    })
  }
  return {
    'entropy of classes': (clip) => known.get(clip)?.classes,
    'entropy over time': (clip) => known.get(clip)?.time,
  }
}

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
