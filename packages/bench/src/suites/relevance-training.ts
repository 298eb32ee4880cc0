/**
 * Does training with graded relevance help? Composed scenes whose captions fit other scenes by what they share, five objectives, heads over
 * a frozen tower and a CRNN from scratch, several seeds, graded and binary measures on held-out scenes:
 *
 *     nx run bench:relevance-training --data FOLDER --out docs/results/relevance-training
 *
 * The folder holds esc10/audio with esc10/esc10.csv, from which scenes are composed, and the tower models/yamnet256.onnx; --tower names
 * other features as a configuration has them, --seeds and --crnn-seeds what is trained (none: '-'). What is there is not trained again.
 */
import '../direct.js'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openBackend } from '@sonotext/core/backend'
import { clipsOfSplit, readManifest } from '@sonotext/core/data'
import { writeRelevances } from '@sonotext/core/relevance'
import { realData } from '@sonotext/core/testing'
import { composeScenes, folderBank } from '@sonotext/scenes'
import { CheckError } from '../check/check-error.js'
import { environment, environmentLine } from '../harness/environment.js'
import { mean, meanText } from '../harness/seeds.js'
import { type Column, markdownTable } from '../harness/table.js'
import { sceneLists, sceneRelevance } from '../relevance/scene-relevance.js'
import {
  type EncoderName,
  encoderNames,
  measures,
  objectiveNames,
  type RunValues,
  runValues,
} from '../relevance/training-study.js'

const { values: options } = parseArgs({
  options: {
    data: { type: 'string' },
    tower: { type: 'string' },
    scenes: { type: 'string', default: '300,120' },
    epochs: { type: 'string', default: '25' },
    seeds: { type: 'string', default: '17,18,19,20,21' },
    'crnn-epochs': { type: 'string', default: '12' },
    'crnn-seeds': { type: 'string', default: '17,18,19' },
    work: { type: 'string', default: 'runs/relevance' },
    out: { type: 'string' },
  },
})
const data = options.data ?? realData()
if (data === null) throw new CheckError('Expected --data FOLDER with esc10 and models.')
const [trainScenes, testScenes] = options.scenes.split(',').map(Number) as [number, number]
const backend = openBackend({ threads: 1 })
const bank = await folderBank(join(data, 'esc10', 'audio'), {
  csv: join(data, 'esc10', 'esc10.csv'),
  splits: { train: ['1', '2', '3'], test: ['4'] },
})
mkdirSync(options.work, { recursive: true })
const { manifest } = await composeScenes(
  { bank, scenes: { train: trainScenes, test: testScenes }, seed: 1, sampleRate: 22_050 },
  join(options.work, 'scenes'),
)
const { clips } = await readManifest(manifest)
const split = (name: string) => clipsOfSplit({ path: manifest, clips }, name)
const files = { pairs: join(options.work, 'pairs.csv'), lists: join(options.work, 'lists.csv') }
// What two scenes share by less is as good as nothing, and the file stays small.
await writeRelevances(files.pairs, sceneRelevance(split('train'), 0.1))
await writeRelevances(files.lists, sceneLists(split('train'), 1))
const truth = sceneRelevance(split('test'), 0)
const towerFeatures = (
  options.tower === undefined
    ? {
        type: 'onnx',
        model: join(data, 'models', 'yamnet256.onnx'),
        frontEnd: { preset: 'yamnet' },
        pool: ['mean', 'max', 'std'],
      }
    : JSON.parse(options.tower)
) as object

const seedsOf = (text: string) => (text === '-' ? [] : text.split(',').map(Number))
const plan: Readonly<Record<EncoderName, { seeds: number[]; epochs: number }>> = {
  tower: { seeds: seedsOf(options.seeds), epochs: Number(options.epochs) },
  crnn: { seeds: seedsOf(options['crnn-seeds']), epochs: Number(options['crnn-epochs']) },
}

interface Row {
  readonly name: string
  /** By seed. */
  readonly runs: readonly RunValues[]
}
const found: { encoder: EncoderName; seeds: readonly number[]; epochs: number; rows: readonly Row[] }[] = []
for (const encoder of encoderNames) {
  const { seeds, epochs } = plan[encoder]
  const rows = objectiveNames.map((name) => ({ name, runs: [] as RunValues[] }))
  for (const seed of seeds) {
    for (const { name, runs } of rows) {
      const setting = { encoder, manifest, towerFeatures, epochs, files }
      const values = await runValues(name, seed, setting, { truth, work: options.work, backend })
      runs.push(values)
      const shown = ['mAP@10 t→a', 'nDCG@10 t→a'].map((key) => values[key]!.toFixed(3))
      console.error(encoder, seed, name, ...shown)
    }
  }
  if (seeds.length > 0) found.push({ encoder, seeds, epochs, rows })
}

const keys = [...measures.binary, ...measures.graded].flatMap((measure) => [
  `${measure} t→a`,
  `${measure} a→t`,
])
/** A line for each measure, a column for each objective: the mean over seeds, and what it is more than binary seed by seed. */
function tableOf(rows: readonly Row[]): string {
  const [base, ...others] = rows
  const valuesOf = ({ runs }: Row, key: string) => runs.map((values) => values[key]!)
  const difference = (row: Row, key: string) => {
    const differences = valuesOf(row, key).map((value, i) => value - valuesOf(base!, key)[i]!)
    return `${mean(valuesOf(row, key)).toFixed(3)} (${mean(differences) < 0 ? '' : '+'}${meanText(differences)})`
  }
  const columns: Column<string>[] = [
    { title: 'measure', align: 'left', text: (key) => key },
    { title: base!.name, align: 'right', text: (key) => meanText(valuesOf(base!, key)) },
    ...others.map((row): Column<string> => ({
      title: row.name,
      align: 'right',
      text: (key) => difference(row, key),
    })),
  ]
  return markdownTable(columns, keys)
}

const about = environment()
const report = [
  `${split('train').length} training scenes, ${split('test').length} held-out ones. binary: mean over seeds ± 95 % (Student's t). The others: ` +
    'mean, and in brackets how much more than binary with the same seed, which draws the same weights and batches, ± 95 %.',
  ...found.flatMap(({ encoder, seeds, epochs, rows }) => [
    `${encoder}, ${seeds.length} seeds, ${epochs} epochs:`,
    tableOf(rows),
  ]),
  environmentLine(about),
].join('\n\n')
console.log(report)
if (options.out !== undefined) {
  writeFileSync(`${options.out}.md`, `${report}\n`)
  writeFileSync(`${options.out}.json`, `${JSON.stringify({ environment: about, found }, null, 1)}\n`)
}
