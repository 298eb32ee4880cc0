/**
 * Frozen pretrained models with trained heads on real recordings, from audio files to table: scenes are composed from labelled clips, the
 * vectors of both towers made, heads trained by the shipped configuration with several seeds, and held-out scenes retrieved:
 *
 *     nx run bench:towers --bank ESC-50/audio --csv ESC-50/meta/esc50.csv --model yamnet256.onnx --out docs/results/towers
 *
 * Scenes and vectors are the same for every seed; weights, batches and captions drawn differ. With --draws 4 heads learn from three further draws of
 * the training clips too, with the first seed. With --crnn 17,18,19 a CRNN from scratch learns from the same clips with those seeds and stands beside; the
 * report is written after each of them.
 */
import '../direct.js'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openBackend } from '@sonotext/core/backend'
import { readCsv, row } from '@sonotext/core/base'
import type { Corpus } from '@sonotext/core/corpus'
import { withoutPerQuery } from '@sonotext/core/metrics'
import {
  evaluateRun,
  type OpenRun,
  openRun,
  parseConfig,
  type RunConfig,
  trainRun,
} from '@sonotext/core/runs'
import { useTower } from '@sonotext/core/text'
import { folderBank } from '@sonotext/scenes'
import { parse } from 'yaml'
import { CheckError } from '../check/check-error.js'
import { environment } from '../harness/environment.js'
import { thesisCrnn } from '../scenes/thesis-crnn.js'
import { reportText, type TowerResult } from '../towers/report.js'
import { readFreeCaptions, readRecordings, SingleRecordings, vectorsOf } from '../towers/single-recordings.js'
import { type DrawOptions, writeDraw } from '../towers/training-draw.js'

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
    draws: { type: 'string', default: '1' },
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
const sampleRate = 22_050

const all = await readRecordings(csv)
const inFolds = (folds: string) => all.filter(({ fold }) => folds.split(',').includes(fold))
const drawing: DrawOptions = {
  bank: await folderBank(folder, {
    csv,
    splits: { train: options.train.split(','), test: options.test.split(',') },
  }),
  folder: options.work,
  scenes: trainScenes,
  heldOut: testScenes,
  single: Number(options.single),
  recordings: options.recordings === 'yes' ? inFolds(options.train) : [],
  recordingsFolder: folder,
  sampleRate,
}
const free = fileURLToPath(new URL('../../data/free-captions.tsv', import.meta.url))
const second = new SingleRecordings(
  inFolds(options.test),
  await readFreeCaptions(options.captions ?? free),
  measures,
)
const cacheFolder = join(options.work, 'features')

function configOf(seed: number, manifest: string) {
  const config = parse(readFileSync(shipped, 'utf8')) as {
    features: Record<string, unknown>
    data: Record<string, unknown>
  }
  config.features['model'] = model
  config.data['manifest'] = manifest
  config.data['cache'] = cacheFolder
  return parseConfig({ ...config, seed })
}

async function trainAndMeasure(name: string, draw: number, config: RunConfig): Promise<TowerResult> {
  const { seed } = config
  const run = join(options.work, name)
  const now = () => ({ clock: performance.now() / 1000, processor: processorTime() })
  let started: ReturnType<typeof now> | undefined
  await trainRun(config, {
    folder: run,
    backend,
    onFeatures: (done, total) => {
      if (done === total) started ??= now()
    },
    onReport: ({ kind, epoch }) => {
      if (kind === 'epoch')
        console.error(`${name}: epoch ${epoch}, ${(now().clock - started!.clock).toFixed(0)} s`)
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
    `${name}: mAP@10 ${evaluation.textToAudio!['mAP@10']!.toFixed(3)}, audio → text ${evaluation.audioToText!['mAP@10']!.toFixed(3)}, free ${free.textToAudio!['mAP@10']!.toFixed(3)} and ${free.audioToText!['mAP@10']!.toFixed(3)}, zero-shot ${zeroShot?.map((x) => x.toFixed(3)).join(' ')}, ${seconds.toFixed(1)} s, ${processorSeconds.toFixed(1)} of processors`,
  )
  return { draw, seed, seconds, processorSeconds, evaluation: withoutPerQuery(evaluation), free, zeroShot }
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

const first = await writeDraw(1, drawing)
const heads: TowerResult[] = []
for (const seed of seeds) heads.push(await trainAndMeasure(`seed-${seed}`, 1, configOf(seed, first)))
const draws = [heads[0]!]
for (let draw = 2; draw <= Number(options.draws); draw++) {
  const config = configOf(seeds[0]!, await writeDraw(draw, drawing))
  draws.push(await trainAndMeasure(`draw-${draw}`, draw, config))
}

const run = await openRun(join(options.work, `seed-${seeds[0]}`), { backend })
await using corpus = await run.corpus({ cacheFolder })
const report = {
  measures,
  data: `${trainScenes} training scenes of folds ${options.train}, ${testScenes} held-out scenes of fold ${options.test}, 10 s each, five captions a scene; no recording in both; beside them in training ${drawing.single} scenes of one thing alone and ${drawing.recordings.length} recordings as they are, captioned by the grammar.`,
  folds: { train: options.train, test: options.test },
  recordings: second.clips.length,
  captions: second.texts.length,
  ...{ heads, draws, crnnEpochs },
  probe: await second.byProbe(inFolds(options.train), corpus, folder, await useTower()),
  oracle: second.byOracle(),
}

const crnn: TowerResult[] = []
if (crnnSeeds.length === 0) write()
for (const seed of crnnSeeds) {
  const config = thesisCrnn({ manifest: first, sampleRate, seed, epochs: crnnEpochs })
  crnn.push(await trainAndMeasure(`crnn-${seed}`, 1, config))
  write()
}

function write(): void {
  const { device, isa, threads } = backend.info
  const about = { device, isa, threads, ...environment() }
  const text = reportText({ ...report, crnn, about })
  if (crnn.length === crnnSeeds.length) console.log(text)
  if (options.out === undefined) return
  writeFileSync(`${options.out}.md`, `# Frozen towers with trained heads\n\n${text}\n`)
  writeFileSync(
    `${options.out}.json`,
    `${JSON.stringify({ ...about, results: heads, draws, crnn }, null, 1)}\n`,
  )
}
