/**
 * The main job on real recordings: compose scenes from labelled clips, train the thesis CRNN, retrieve held-out scenes, with
 * several seeds, chance beside the numbers and an account of what is confused:
 *
 *     nx run bench:scenes --bank ESC-50/audio --csv ESC-50/meta/esc50.csv --train 1,2,3 --test 4 --out docs/results/real-scenes
 *
 * Scenes are the same for every seed; weights, batches and captions drawn differ.
 */
import '../direct.js'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openBackend } from '@sonotext/core/backend'
import { clipsOfSplit, readManifest } from '@sonotext/core/data'
import { openRun, trainRun } from '@sonotext/core/runs'
import { type Evaluation, evaluateScores, withoutPerQuery } from '@sonotext/core/metrics'
import { logMelFeatures } from '@sonotext/core/audio'
import type { Matrix } from '@sonotext/core/base'
import { openCorpus } from '@sonotext/core/corpus'
import { composeScenes, folderBank } from '@sonotext/scenes'
import { CheckError } from '../check/check-error.js'
import { environment, environmentLine } from '../harness/environment.js'
import { mean, seedRows, seedTable } from '../harness/seeds.js'
import { type Confusions, confusionsOf } from '../scenes/confusions.js'
import { thesisCrnn } from '../scenes/thesis-crnn.js'

const { values: options } = parseArgs({
  options: {
    bank: { type: 'string' },
    csv: { type: 'string' },
    train: { type: 'string', default: '1,2,3' },
    test: { type: 'string', default: '4' },
    scenes: { type: 'string', default: '800,150' },
    seeds: { type: 'string', default: '17,18,19' },
    epochs: { type: 'string', default: '9' },
    work: { type: 'string', default: 'runs/scenes' },
    out: { type: 'string' },
  },
})
if (options.bank === undefined || options.csv === undefined) {
  throw new CheckError(
    'Name a folder of labelled clips with --bank and the CSV of their labels and folds with --csv.',
  )
}
const measures = ['R@1', 'R@5', 'R@10', 'mAP@10']
const sampleRate = 22_050
const [trainScenes, testScenes] = options.scenes.split(',').map(Number) as [number, number]
const seeds = options.seeds.split(',').map(Number)
const backend = openBackend()

const bank = await folderBank(options.bank, {
  csv: options.csv,
  splits: { train: options.train.split(','), test: options.test.split(',') },
})
const { manifest } = await composeScenes(
  { bank, scenes: { train: trainScenes, test: testScenes }, seed: 1, sampleRate },
  join(options.work, 'scenes'),
)
const { clips } = await readManifest(manifest)
const held = clipsOfSplit({ path: manifest, clips }, 'test')
const sources = (split: string): Set<string> =>
  new Set(
    clips.filter((clip) => clip.split === split).flatMap((clip) => clip.events!.map(({ source }) => source!)),
  )
const shared = [...sources('train')].filter((source) => sources('test').has(source))
if (shared.length > 0) throw new CheckError(`Recordings in both splits: ${shared.slice(0, 3).join(', ')}.`)

const features: Matrix[] = []
{
  await using corpus = await openCorpus({
    features: logMelFeatures({ preset: 'thesis', overrides: { sampleRate } }),
    cacheFolder: join(options.work, 'scenes', 'features'),
    backend,
  })
  for await (const clip of corpus.read(held)) features.push(clip.features)
}
const captions = held.flatMap((clip) => clip.captions.map(({ text }) => text))
const captionClip = held.flatMap((clip, index) => clip.captions.map(() => index))

interface SeedResult {
  readonly seed: number
  readonly seconds: number
  readonly evaluation: Omit<Evaluation, 'perQuery'>
  readonly confusions: Confusions
}

async function trainAndMeasure(seed: number): Promise<SeedResult> {
  const folder = join(options.work, `seed-${seed}-${options.epochs}-epochs`)
  const config = thesisCrnn({ manifest, sampleRate, seed, epochs: Number(options.epochs) })
  const started = performance.now()
  await trainRun(config, {
    folder,
    backend,
    resume: true,
    onReport: (report) => {
      if (report.kind === 'epoch')
        console.error(`seed ${seed}, epoch ${report.epoch}: loss ${report.trainLoss?.toFixed(3)}`)
    },
  })
  const seconds = (performance.now() - started) / 1000
  const { model } = await openRun(folder, { backend })
  const scores = await model.score(features, captions)
  return {
    seed,
    seconds,
    evaluation: withoutPerQuery(evaluateScores(scores, captionClip, { measures, split: 'test' })),
    confusions: confusionsOf(scores, captionClip, held),
  }
}

const results: SeedResult[] = []
for (const seed of seeds) results.push(await trainAndMeasure(seed))

const table = seedTable(
  seeds,
  seedRows(
    results.map(({ evaluation }) => evaluation),
    measures,
  ),
)

const first = results[0]!.confusions
const about = {
  device: backend.info.device,
  isa: backend.info.isa,
  threads: backend.info.threads,
  ...environment(),
}
const percent = (share: number): string => `${(100 * share).toFixed(0)} %`
const meanShare = (key: keyof Confusions['firstHit']): string =>
  percent(mean(results.map(({ confusions }) => confusions.firstHit[key])))
const text = [
  `${trainScenes} training scenes of folds ${options.train}, ${testScenes} held-out scenes of fold ${options.test}, 10 s each, five captions a scene; no recording in both (${sources('train').size} and ${sources('test').size} recordings).`,
  `Thesis CRNN and trainable word vectors started from the captions, pooled cosine, InfoNCE with learned temperature, Adam 1e-3 with a cosine to 1e-6, batch 32, ${options.epochs} epochs; the epoch with the lowest training loss is measured.`,
  `Command: \`nx run bench:scenes --bank … --csv … --train ${options.train} --test ${options.test} --scenes ${options.scenes} --seeds ${options.seeds} --epochs ${options.epochs}\``,
  '',
  table,
  '',
  '## What is confused',
  '',
  `Of the ${first.queries} captions, over all seeds, the first hit is the right scene for ${meanShare('rightScene')}; another scene with exactly the same classes of sound for ${meanShare('sameClasses')} (the model hears what, and errs on order, count or overlap); a scene that shares some of the classes for ${meanShare('someClasses')}; one that shares none for ${meanShare('noClass')}.`,
  '',
  `Share of captions whose first hit holds the class they mention, first seed: ${first.classes.map(({ label, found }) => `${label} ${percent(found)}`).join(', ')}.`,
  '',
  `Most frequent mistakes, first seed (wanted → got instead): ${first.mistaken
    .slice(0, 8)
    .map(({ wanted, got, count }) => `${wanted} → ${got} (${count})`)
    .join(', ')}.`,
  '',
  environmentLine(about),
  `Training: ${results.map(({ seconds }) => `${seconds.toFixed(0)} s`).join(', ')} on ${about.device} (${about.isa}), ${about.threads} threads.`,
].join('\n')
console.log(text)
if (options.out !== undefined) {
  writeFileSync(`${options.out}.md`, `# Retrieval of real-clip scenes\n\n${text}\n`)
  writeFileSync(
    `${options.out}.json`,
    `${JSON.stringify({ ...about, options: { ...options, bank: undefined, csv: undefined, work: undefined, out: undefined }, results }, null, 1)}\n`,
  )
}
