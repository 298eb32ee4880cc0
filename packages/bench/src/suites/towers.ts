/**
 * Frozen pretrained models with trained heads on real recordings, from audio files to table: scenes are composed from labelled clips, the
 * vectors of both towers made, heads trained by the shipped configuration with several seeds, and held-out scenes retrieved:
 *
 *     nx run bench:towers --bank ESC-50/audio --csv ESC-50/meta/esc50.csv --model yamnet256.onnx --out docs/results/towers
 *
 * Scenes and vectors are the same for every seed; weights, batches and captions drawn differ. With --crnn 17,18,19 a CRNN from scratch learns from
 * the same clips with those seeds and stands beside.
 */
import '../direct.js'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openBackend } from '@sonotext/core/backend'
import { readCsv, Rng, row } from '@sonotext/core/base'
import type { Corpus } from '@sonotext/core/corpus'
import { readManifest, writeManifest } from '@sonotext/core/data'
import { type Evaluation, withoutPerQuery } from '@sonotext/core/metrics'
import {
  evaluateRun,
  type OpenRun,
  openRun,
  parseConfig,
  type RunConfig,
  trainRun,
} from '@sonotext/core/runs'
import { useTower } from '@sonotext/core/text'
import { captionScene, composeScenes, folderBank } from '@sonotext/scenes'
import { parse } from 'yaml'
import { CheckError } from '../check/check-error.js'
import { environment, environmentLine } from '../harness/environment.js'
import { mean, meanText, seedRows, seedTable } from '../harness/seeds.js'
import { markdownTable } from '../harness/table.js'
import { thesisCrnn } from '../scenes/thesis-crnn.js'
import { readFreeCaptions, readRecordings, SingleRecordings, vectorsOf } from '../towers/single-recordings.js'

const { values: options } = parseArgs({
  options: {
    bank: { type: 'string' },
    csv: { type: 'string' },
    model: { type: 'string' },
    train: { type: 'string', default: '1,2,3' },
    test: { type: 'string', default: '4' },
    scenes: { type: 'string', default: '800,150' },
    single: { type: 'string', default: '200' },
    recordings: { type: 'string', default: 'yes' },
    captions: { type: 'string' },
    extra: { type: 'string' },
    seeds: { type: 'string', default: '17,18,19,20,21' },
    crnn: { type: 'string', default: '' },
    'crnn-epochs': { type: 'string', default: '9' },
    work: { type: 'string', default: 'runs/towers' },
    out: { type: 'string' },
  },
})
const { bank: folder, csv, model } = options
if (folder === undefined || csv === undefined || model === undefined) {
  throw new CheckError(
    'Name a folder of labelled clips with --bank, the CSV of their labels and folds with --csv, and an audio tower with --model.',
  )
}
const measures = ['R@1', 'R@5', 'R@10', 'mAP@10']
const [trainScenes, testScenes] = options.scenes.split(',').map(Number) as [number, number]
const seeds = options.seeds.split(',').map(Number)
const crnnSeeds = options.crnn.split(',').filter(Boolean).map(Number)
const crnnEpochs = Number(options['crnn-epochs'])
const backend = openBackend()
const shipped = fileURLToPath(new URL('../../../../examples/configs/towers.yaml', import.meta.url))

const bank = await folderBank(folder, {
  csv,
  splits: { train: options.train.split(','), test: options.test.split(',') },
})
const sampleRate = 22_050
const scenes = await composeScenes(
  { bank, scenes: { train: trainScenes, test: testScenes }, seed: 1, sampleRate },
  join(options.work, 'scenes'),
)
const recordings = await readRecordings(csv)
const inFolds = (folds: string) => recordings.filter(({ fold }) => folds.split(',').includes(fold))
// Single recordings beside the mixtures: what `sonotext compose --single` mixes in, here in a folder of their own so that the scenes stay
// those of other tables.
const single = Number(options.single)
const clips = [...(await readManifest(scenes.manifest)).clips]
if (single > 0) {
  const { manifest: alone } = await composeScenes(
    { bank, scenes: { train: single }, seed: 2, sampleRate, single: 1 },
    join(options.work, 'single'),
  )
  const singles = (await readManifest(alone)).clips
  clips.push(
    ...singles.map((clip) => ({
      ...clip,
      id: `single-${clip.id}`,
      captions: clip.captions.map(({ text }, i) => ({ id: `single-${clip.id}#${i + 1}`, text })),
    })),
  )
}
// The training recordings as they are, with what the grammar says of one thing alone.
const words = new Rng(3, 'captions of recordings')
const asTheyAre = options.recordings === 'yes' ? inFolds(options.train) : []
clips.push(
  ...asTheyAre.map(({ file, label }, i) => {
    const alone = { background: null, groups: [{ label, count: null }], relations: [] }
    const captions = captionScene(alone, { rng: words.fork(i), lexeme: (name) => bank.lexeme(name) })
    return {
      id: file,
      audio: resolve(folder, file),
      split: 'train',
      captions: captions.map(({ text }, c) => ({ id: `${file}#${c + 1}`, text })),
    }
  }),
)
const manifest = join(options.work, 'manifest.jsonl')
await writeManifest(manifest, clips)

const free = fileURLToPath(new URL('../../data/free-captions.tsv', import.meta.url))
const second = new SingleRecordings(
  inFolds(options.test),
  await readFreeCaptions(options.captions ?? free),
  measures,
)

interface SeedResult {
  readonly seed: number
  /** From the last clip's features to the trained model, by the clock and of processors: the second tells more while other work runs. */
  readonly seconds: number
  readonly processorSeconds: number
  readonly evaluation: Omit<Evaluation, 'perQuery'>
  /** Single recordings with free-form captions. */
  readonly free: Omit<Evaluation, 'perQuery'>
  /** Share of the extra recordings whose class is found by its name, all and without spoken digits. */
  readonly zeroShot: readonly number[] | null
}

const cacheFolder = join(options.work, 'features')

function configOf(seed: number) {
  const config = parse(readFileSync(shipped, 'utf8')) as {
    features: Record<string, unknown>
    data: Record<string, unknown>
  }
  config.features['model'] = model
  config.data['manifest'] = manifest
  config.data['cache'] = cacheFolder
  return parseConfig({ ...config, seed })
}

async function trainAndMeasure(name: string, config: RunConfig): Promise<SeedResult> {
  const { seed } = config
  const run = join(options.work, `${name}-${seed}`)
  const now = () => ({ clock: performance.now() / 1000, processor: processorTime() })
  let started: ReturnType<typeof now> | undefined
  await trainRun(config, {
    folder: run,
    backend,
    onFeatures: (done, total) => {
      if (done === total) started ??= now()
    },
  })
  const ended = now()
  const { clock, processor } = started ?? ended
  const [seconds, processorSeconds] = [ended.clock - clock, ended.processor - processor]
  const opened = await openRun(run, { backend })
  const evaluation = await evaluateRun(opened, { split: 'test', measures })
  await using corpus = await opened.corpus({ cacheFolder })
  const free = await second.ofRun(opened, corpus, folder!)
  const zeroShot = options.extra === undefined ? null : await zeroShotOf(opened, corpus)
  console.error(
    `${name}, seed ${seed}: mAP@10 ${evaluation.textToAudio!['mAP@10']!.toFixed(3)}, audio → text ${evaluation.audioToText!['mAP@10']!.toFixed(3)}, free ${free.textToAudio!['mAP@10']!.toFixed(3)} and ${free.audioToText!['mAP@10']!.toFixed(3)}, zero-shot ${zeroShot?.map((x) => x.toFixed(3)).join(' ')}, ${seconds.toFixed(1)} s, ${processorSeconds.toFixed(1)} of processors`,
  )
  return { seed, seconds, processorSeconds, evaluation: withoutPerQuery(evaluation), free, zeroShot }
}

/** Seconds that all threads of this process have had. */
function processorTime(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Recordings of classes that no training clip had, named by their classes alone. */
async function zeroShotOf(run: OpenRun, corpus: Corpus): Promise<number[]> {
  const table = await readCsv(join(options.extra!, 'metadata.csv'))
  const others = table.rows
    .map((cells) => ({ file: cells.get('file'), label: cells.get('class').replaceAll('_', ' ') }))
    .filter(({ file }) => file.startsWith('extra/'))
  return Promise.all(
    [others, others.filter(({ label }) => !label.startsWith('spoken digit'))].map(async (some) => {
      const labels = [...new Set(some.map(({ label }) => label))]
      const scores = await run.model.score(
        await vectorsOf(corpus, options.extra!, some),
        labels.map((label) => `the sound of ${label}`),
      )
      const right = some.filter(({ label }, i) => {
        const values = row(scores, i)
        return labels[values.indexOf(Math.max(...values))] === label
      })
      return right.length / some.length
    }),
  )
}

const results: SeedResult[] = []
for (const seed of seeds) results.push(await trainAndMeasure('seed', configOf(seed)))
const crnn: SeedResult[] = []
for (const seed of crnnSeeds) {
  const config = thesisCrnn({ manifest, sampleRate, seed, epochs: crnnEpochs })
  crnn.push(await trainAndMeasure('crnn', config))
}

const table = seedTable(
  seeds,
  seedRows(
    results.map(({ evaluation }) => evaluation),
    measures,
  ),
)
const freeRows = seedRows(
  results.map(({ free }) => free),
  measures,
)
const crnnTitle = `CRNN, ${crnn.length === 1 ? '1 seed' : `${crnn.length} seeds`}`
const crnnFree =
  crnn.length === 0
    ? []
    : seedRows(
        crnn.map(({ free }) => free),
        measures,
      )
const run = await openRun(join(options.work, `seed-${seeds[0]}`), { backend })
await using corpus = await run.corpus({ cacheFolder })
const probe = await second.byProbe(inFolds(options.train), corpus, folder, await useTower())
const oracle = seedRows(second.byOracle(), measures)
const yardstickRows = seedRows([probe.evaluation], measures)
const freeTable = markdownTable(
  [
    { title: 'direction', align: 'left', text: ({ row }) => row.direction },
    { title: 'measure', align: 'left', text: ({ row }) => row.name },
    { title: `heads, ${seeds.length} seeds`, align: 'right', text: ({ row }) => meanText(row.values) },
    ...(crnn.length === 0
      ? []
      : ([
          { title: crnnTitle, align: 'right', text: ({ i }: { i: number }) => meanText(crnnFree[i]!.values) },
        ] as const)),
    { title: 'probe × sentence', align: 'right', text: ({ i }) => yardstickRows[i]!.values[0]!.toFixed(3) },
    { title: 'class oracle', align: 'right', text: ({ i }) => mean(oracle[i]!.values).toFixed(3) },
    { title: 'chance', align: 'right', text: ({ row }) => row.chance.toFixed(4) },
  ],
  freeRows.map((row, i) => ({ row, i })),
)
const shares = (at: number) => meanText(results.map(({ zeroShot }) => zeroShot![at]!))
const secondsOf = (key: 'seconds' | 'processorSeconds') =>
  results.map((result) => result[key].toFixed(1)).join(', ')
const about = {
  device: backend.info.device,
  isa: backend.info.isa,
  threads: backend.info.threads,
  ...environment(),
}
const text = [
  `${trainScenes} training scenes of folds ${options.train}, ${testScenes} held-out scenes of fold ${options.test}, 10 s each, five captions a scene; no recording in both; beside them in training ${single} scenes of one thing alone and ${asTheyAre.length} recordings as they are, captioned by the grammar.`,
  'Configuration: examples/configs/towers.yaml.',
  '',
  table,
  '',
  ...(crnn.length === 0
    ? []
    : [
        `Beside, a CRNN from scratch over log-mel frames with word vectors of the captions, trained on the same clips for ${crnnEpochs} epochs (seeds ${crnnSeeds.join(', ')}; ${crnn.map(({ seconds }) => seconds.toFixed(0)).join(', ')} s):`,
        '',
        seedTable(
          crnnSeeds,
          seedRows(
            crnn.map(({ evaluation }) => evaluation),
            measures,
          ),
        ),
        '',
      ]),
  '## Single recordings and free words',
  '',
  `${second.clips.length} recordings of fold ${options.test}, none of them heard in training, with ${second.texts.length} captions that no grammar made (packages/bench/data/free-captions.tsv), one right recording for each. Probe × sentence: the class by a linear probe over the same vectors (right for ${(100 * probe.accuracy).toFixed(1)} %), times the sentence encoder's cosine of caption and class name: no retrieval training. Class oracle: every class known, order within a class drawn (20 draws).`,
  '',
  freeTable,
  ...(options.extra === undefined
    ? []
    : [
        '',
        '## Classes never heard, by their names',
        '',
        `"the sound of …" for every class of the other recordings: right for ${shares(0)} of all, ${shares(1)} without the ten spoken digits.`,
      ]),
  '',
  environmentLine(about),
  `Heads trained in ${secondsOf('seconds')} s by the clock, ${secondsOf('processorSeconds')} s of processors, on ${about.device} (${about.isa}), ${about.threads} threads.`,
].join('\n')
console.log(text)
if (options.out !== undefined) {
  writeFileSync(`${options.out}.md`, `# Frozen towers with trained heads\n\n${text}\n`)
  writeFileSync(`${options.out}.json`, `${JSON.stringify({ ...about, results, crnn }, null, 1)}\n`)
}
