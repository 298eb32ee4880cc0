/**
 * How well similarity of captions tells relevance as listeners rate it: every try fitted on the development ratings, cross-validated by
 * query, and measured on the validation ratings.
 *
 *     nx run bench:relevance --data FOLDER --out docs/results/relevance-captions
 *
 * The folder holds the TAU Audio-Text Graded Relevances: <split>_relevances.csv, _text.csv and _audio_metadata.csv. --only names the tries by a
 * part of their names. Similarities and the sentence encoder's vectors are kept in --work, so that whoever is stopped goes on. Tries with the
 * sentence encoder need the development packages @energetic-ai; without them they are left out.
 */
import '../direct.js'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openBackend } from '@sonotext/core/backend'
import { SonotextError, writeFileAtomic } from '@sonotext/core/base'
import { pearson } from '@sonotext/core/metrics'
import {
  fitQuality,
  type FitQuality,
  fitSimilarities,
  namedFeatures,
  ratedPairs,
  readCaptions,
  readRelevances,
  type SimilarityFeature,
  similaritiesOf,
} from '@sonotext/core/relevance'
import { CheckError } from '../check/check-error.js'
import { environment, environmentLine } from '../harness/environment.js'
import { markdownTable } from '../harness/table.js'
import { keywordPairs, tries, withNeighbours } from '../relevance/tries.js'

const { values: options } = parseArgs({
  options: {
    data: { type: 'string' },
    only: { type: 'string', default: '' },
    work: { type: 'string', default: 'runs/relevance-captions' },
    out: { type: 'string' },
    seed: { type: 'string', default: '17' },
  },
})
if (options.data === undefined) throw new CheckError('Expected --data FOLDER with the ratings.')
const folder = options.data
const seed = Number(options.seed)
const backend = openBackend()

const read = async (split: string) => {
  const captions = await readCaptions(join(folder, `${split}_text.csv`))
  const pairs = ratedPairs(await readRelevances(join(folder, `${split}_relevances.csv`)), captions)
  const keywords = await keywordPairs(pairs, join(folder, `${split}_audio_metadata.csv`))
  return { captions, pairs, keywords }
}
const [development, validation] = [await read('development'), await read('validation')]
const texts = development.captions.captions.map(({ text }) => text)

const vectorsOf = new Map<string, SimilarityFeature['vectors']>()
async function vectors(key: string): Promise<SimilarityFeature['vectors']> {
  let made = vectorsOf.get(key)
  if (made === undefined) {
    console.error(key)
    made =
      key === 'neighbours'
        ? withNeighbours(await vectors('stems:300'), development.captions, 5, backend)
        : key === 'keywords'
          ? await vectors('stems:300')
          : (await namedFeatures([key], { texts, seed, cacheFolder: join(options.work, 'sentences') }))[0]!
              .vectors
    vectorsOf.set(key, made)
  }
  return made
}

/** Similarities of every pair of both splits by the name of a feature, [split][pair]; computed once, and kept. */
async function similarities(name: string): Promise<number[][]> {
  const file = join(options.work, `${name.replace('/', '-')}-${seed}.json`)
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as number[][]
  const [key = '', over = 'mean'] = name.split('/')
  const feature: SimilarityFeature = {
    name,
    vectors: await vectors(key),
    over: over === 'max' ? 'max' : 'mean',
  }
  const rows: number[][] = []
  for (const split of [development, validation]) {
    const compared = key === 'keywords' ? split.keywords : split.pairs
    rows.push((await similaritiesOf(compared, [feature])).map((line) => line[0]!))
  }
  await writeFileAtomic(file, JSON.stringify(rows))
  return rows
}

/** Vectors that nobody asks for. */
const unused: SimilarityFeature['vectors'] = {
  cols: 0,
  embed: () => Promise.reject(new Error('These similarities are known.')),
}

interface Row {
  readonly name: string
  readonly features: readonly string[]
  readonly intercept: number
  readonly slopes: readonly number[]
  readonly development: FitQuality
  readonly crossValidated: FitQuality
  readonly validation: FitQuality
  /** Correlation of the similarity itself, where there is one. */
  readonly raw: number | null
}

const rows: Row[] = []
for (const { name, features, calibration } of tries.filter(({ name: own }) => own.includes(options.only))) {
  const found: number[][][] = []
  try {
    for (const feature of features) found.push(await similarities(feature))
  } catch (error) {
    if (!(error instanceof SonotextError && error.code === 'MISSING_DEPENDENCY')) throw error
    console.error(`${name}: left out. ${error.message}`)
    continue
  }
  const of = (split: number) =>
    [development, validation][split]!.pairs.map((_, i) => Float64Array.from(found, (all) => all[split]![i]!))
  // Only similarities are looked at here: vectors that were kept are not made again.
  const named = features.map((own): SimilarityFeature => ({ name: own, vectors: unused, over: 'mean' }))
  const fit = fitSimilarities(development.pairs, of(0), named, { seed, ...(calibration && { calibration }) })
  const predicted = of(1).map((line) => fit.model.relevanceOf(line))
  const quality = fitQuality(validation.pairs, predicted, { seed })
  rows.push({
    name,
    features,
    ...fit.model.constants,
    development: fit.quality,
    crossValidated: fit.crossValidated!,
    validation: quality,
    raw:
      found.length === 1
        ? pearson(
            found[0]![1]!,
            validation.pairs.map(({ relevance }) => relevance),
          )
        : null,
  })
  console.error(`${name}: ${quality.pearson?.toFixed(3)}`)
}

const three = (x: number | null): string => (x === null ? '–' : x.toFixed(3))
const text = (title: string, cell: (row: Row) => string, align: 'left' | 'right' = 'right') => ({
  title,
  text: cell,
  align,
})
const table = markdownTable(
  [
    text('try', ({ name }) => name, 'left'),
    text('σ(b₀ − Σ b·(1 − s)): b₀; b', ({ intercept, slopes }) =>
      [intercept.toFixed(2), slopes.map((slope) => slope.toFixed(2)).join(', ')].join('; '),
    ),
    text('development', ({ development: { pearson: r } }) => three(r)),
    text('cross-validated', ({ crossValidated: { pearson: r } }) => three(r)),
    text('validation', ({ validation: { pearson: r } }) => three(r)),
    text('95 %', ({ validation: { pearsonInterval: ends } }) => ends?.map(three).join('–') ?? '–'),
    text('Spearman', ({ validation: { spearman } }) => three(spearman)),
    text('MSE', ({ validation: { mse } }) => mse.toFixed(4)),
  ],
  rows,
)
const [first] = rows
if (first === undefined) throw new CheckError(`No try with "${options.only}" in its name could be made.`)
const report = [
  `${development.pairs.length} rated pairs to fit on, ${validation.pairs.length} to measure on; predicting the mean throughout has an MSE of ${first.validation.constantMse.toFixed(4)}.`,
  'Pearson correlation of predicted relevance and rating; of the similarity itself, before the logistic function, it is ' +
    `${three(first.raw)} for the first row. 95 %: draws of queries.`,
  '',
  table,
  '',
  environmentLine(environment()),
].join('\n')
console.log(report)
if (options.out !== undefined) {
  writeFileSync(`${options.out}.md`, `${report}\n`)
  writeFileSync(`${options.out}.json`, `${JSON.stringify({ environment: environment(), rows }, null, 1)}\n`)
}
