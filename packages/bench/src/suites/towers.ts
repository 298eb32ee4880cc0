/**
 * Frozen pretrained models with trained heads on real recordings, from audio files to table: scenes are composed from labelled clips, the
 * vectors of both towers made, heads trained by the shipped configuration with several seeds, and held-out scenes retrieved:
 *
 *     nx run bench:towers --bank ESC-50/audio --csv ESC-50/meta/esc50.csv --model yamnet256.onnx --out docs/results/towers
 *
 * Scenes and vectors are the same for every seed; weights, batches and captions drawn differ.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openBackend } from '@sonotext/core/backend'
import { type Evaluation, withoutPerQuery } from '@sonotext/core/metrics'
import { evaluateRun, openRun, parseConfig, trainRun } from '@sonotext/core/runs'
import { composeScenes, folderBank } from '@sonotext/scenes'
import { parse } from 'yaml'
import { environment, environmentLine } from '../harness/environment.js'
import { seedRows, seedTable } from '../harness/seeds.js'

const { values: options } = parseArgs({
  options: {
    bank: { type: 'string' },
    csv: { type: 'string' },
    model: { type: 'string' },
    train: { type: 'string', default: '1,2,3' },
    test: { type: 'string', default: '4' },
    scenes: { type: 'string', default: '800,150' },
    seeds: { type: 'string', default: '17,18,19,20,21' },
    set: { type: 'string', multiple: true, default: [] },
    work: { type: 'string', default: 'runs/towers' },
    out: { type: 'string' },
  },
})
const { bank: folder, csv, model } = options
if (folder === undefined || csv === undefined || model === undefined) {
  throw new Error(
    'Name a folder of labelled clips with --bank, the CSV of their labels and folds with --csv, and an audio tower with --model.',
  )
}
const measures = ['R@1', 'R@5', 'R@10', 'mAP@10']
const [trainScenes, testScenes] = options.scenes.split(',').map(Number) as [number, number]
const seeds = options.seeds.split(',').map(Number)
const backend = openBackend()
const shipped = fileURLToPath(new URL('../../../../examples/configs/towers.yaml', import.meta.url))

const bank = await folderBank(folder, {
  csv,
  splits: { train: options.train.split(','), test: options.test.split(',') },
})
const { manifest } = await composeScenes(
  { bank, scenes: { train: trainScenes, test: testScenes }, seed: 1, sampleRate: 22_050 },
  join(options.work, 'scenes'),
)

interface SeedResult {
  readonly seed: number
  /** From the first step to the last. */
  readonly seconds: number
  readonly evaluation: Omit<Evaluation, 'perQuery'>
}

function configOf(seed: number) {
  const config = parse(readFileSync(shipped, 'utf8')) as {
    features: Record<string, unknown>
    data: Record<string, unknown>
  }
  config.features['model'] = model
  config.data['manifest'] = manifest
  return parseConfig({ ...config, seed })
}

async function trainAndMeasure(seed: number): Promise<SeedResult> {
  const run = join(options.work, `seed-${seed}`)
  let started: number | undefined
  await trainRun(configOf(seed), {
    folder: run,
    backend,
    onReport: () => void (started ??= performance.now()),
  })
  const seconds = (performance.now() - (started ?? performance.now())) / 1000
  const opened = await openRun(run, { backend })
  const evaluation = await evaluateRun(opened, { split: 'test', measures })
  console.error(
    `seed ${seed}: mAP@10 ${evaluation.textToAudio!['mAP@10']!.toFixed(3)}, audio → text ${evaluation.audioToText!['mAP@10']!.toFixed(3)}, ${seconds.toFixed(1)} s`,
  )
  return { seed, seconds, evaluation: withoutPerQuery(evaluation) }
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
const about = {
  device: backend.info.device,
  isa: backend.info.isa,
  threads: backend.info.threads,
  ...environment(),
}
const text = [
  `${trainScenes} training scenes of folds ${options.train}, ${testScenes} held-out scenes of fold ${options.test}, 10 s each, five captions a scene; no recording in both.`,
  'Configuration: examples/configs/towers.yaml.',
  '',
  table,
  '',
  environmentLine(about),
  `Heads trained in ${results.map(({ seconds }) => seconds.toFixed(1)).join(', ')} s on ${about.device} (${about.isa}), ${about.threads} threads, while other work ran.`,
].join('\n')
console.log(text)
if (options.out !== undefined) {
  writeFileSync(`${options.out}.md`, `# Frozen towers with trained heads\n\n${text}\n`)
  writeFileSync(`${options.out}.json`, `${JSON.stringify({ ...about, results }, null, 1)}\n`)
}
