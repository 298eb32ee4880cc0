/**
 * Does training with graded relevance help? Composed scenes whose captions fit other scenes by what they share, five objectives, several
 * seeds, graded and binary measures on held-out scenes:
 *
 *     nx run bench:relevance-training --manifest scenes/manifest.jsonl --features '{"type":"given","file":"vectors.npy"}' --out …
 *
 * The manifest has events (`sonotext compose` writes them) and the splits train and test; features are any kind of a configuration.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openBackend } from '@sonotext/core/backend'
import { clipsOfSplit, readManifest } from '@sonotext/core/data'
import { writeRelevances } from '@sonotext/core/relevance'
import { evaluateRun, openRun, parseConfig, trainRun } from '@sonotext/core/runs'
import { environment, environmentLine } from '../harness/environment.js'
import { markdownTable } from '../harness/table.js'
import { sceneRelevance } from '../relevance/scene-relevance.js'

const { values: options } = parseArgs({
  options: {
    manifest: { type: 'string' },
    features: { type: 'string', default: '{"type":"log-mel"}' },
    audio: { type: 'string', default: '{"type":"projection","hidden":[512],"dropout":0.2}' },
    epochs: { type: 'string', default: '30' },
    seeds: { type: 'string', default: '17,18,19,20,21' },
    work: { type: 'string', default: 'runs/relevance' },
    out: { type: 'string' },
  },
})
if (options.manifest === undefined) throw new Error('Expected --manifest of composed scenes.')
const { clips } = await readManifest(options.manifest)
const split = (name: string) => clipsOfSplit({ path: options.manifest!, clips }, name)
mkdirSync(options.work, { recursive: true })
const file = join(options.work, 'relevance-train.csv')
// What two scenes share by less is as good as nothing, and the file stays small.
await writeRelevances(file, sceneRelevance(split('train'), 0.1))
const truth = sceneRelevance(split('test'), 0)

const contrastive = { type: 'info-nce', temperature: 0.07 }
const soft = {
  type: 'soft-target',
  targets: { type: 'relevance', file, temperature: 0.1 },
  temperature: 0.07,
}
const objectives = {
  binary: { loss: contrastive },
  'guard only': { loss: contrastive, guards: [{ type: 'relevant-pairs', file, least: 0.5 }] },
  soft: { loss: soft },
  mixed: { loss: { ...soft, hard: 0.5 } },
  dual: { loss: { type: 'sum', losses: [contrastive, { ...soft, direction: 'text-to-audio' }] } },
} as const
const measures = {
  binary: ['R@1', 'mAP@10'],
  graded: ['nDCG@10', 'gAP', 'Spearman'],
} as const

const backend = openBackend({ threads: 1 })
const found = new Map<string, Map<string, number[]>>()
for (const seed of options.seeds.split(',').map(Number)) {
  for (const [name, objective] of Object.entries(objectives)) {
    const config = parseConfig({
      seed,
      data: { manifest: options.manifest, validationSplit: null },
      features: JSON.parse(options.features) as object,
      model: {
        audio: JSON.parse(options.audio) as object,
        text: { type: 'mean-words', dim: 256, trainable: true },
        similarity: 'pooled',
      },
      schedule: 'cosine',
      training: { epochs: Number(options.epochs), batchSize: 32 },
      logging: { tensorboard: false },
      ...objective,
    })
    const folder = join(options.work, `${name.replace(' ', '-')}-${seed}`)
    await trainRun(config, { folder, backend })
    const run = await openRun(folder, { backend })
    const values = found.get(name) ?? new Map<string, number[]>()
    found.set(name, values)
    for (const kind of ['binary', 'graded'] as const) {
      const { textToAudio, audioToText } = await evaluateRun(run, {
        measures: measures[kind],
        ...(kind === 'graded' && { relevance: truth }),
      })
      for (const measure of measures[kind])
        for (const [arrow, of] of [
          ['t→a', textToAudio],
          ['a→t', audioToText],
        ] as const) {
          const key = `${measure} ${arrow}`
          values.set(key, [...(values.get(key) ?? []), of![measure]!])
        }
    }
    console.error(
      seed,
      name,
      values.get('mAP@10 t→a')!.at(-1)!.toFixed(3),
      values.get('nDCG@10 t→a')!.at(-1)!.toFixed(3),
    )
  }
}

/** Student's t, two-sided 95 %, by degrees of freedom from 1. */
const student = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262]
function meanAndHalf(values: readonly number[]): readonly [number, number] {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (values.length - 1)
  return [mean, (student[values.length - 2] ?? 2) * Math.sqrt(variance / values.length)]
}

const keys = [...found.get('binary')!.keys()]
const cell = (values: readonly number[]) => {
  const [mean, half] = meanAndHalf(values)
  return `${mean.toFixed(3)} ± ${half.toFixed(3)}`
}
const rows = [...found]
const absolute = markdownTable(
  [
    { title: 'objective', align: 'left', text: ([name]: (typeof rows)[number]) => name },
    ...keys.map((key) => ({
      title: key,
      align: 'right' as const,
      text: ([, values]: (typeof rows)[number]) => cell(values.get(key)!),
    })),
  ],
  rows,
)
// The same seed draws the same weights and batches, so differences are taken seed by seed.
const differences = markdownTable(
  [
    { title: 'less binary', align: 'left', text: ([name]: (typeof rows)[number]) => name },
    ...keys.map((key) => ({
      title: key,
      align: 'right' as const,
      text: ([, values]: (typeof rows)[number]) => {
        const base = found.get('binary')!.get(key)!
        return cell(values.get(key)!.map((value, i) => value - base[i]!)).replace(/^(?=\d)/, '+')
      },
    })),
  ],
  rows.slice(1),
)
const seeds = options.seeds.split(',').length
const report = [
  `${split('train').length} training scenes, ${split('test').length} held-out ones, ${options.epochs} epochs; mean of ${seeds} seeds ± 95 % (Student's t over seeds).`,
  '',
  absolute,
  '',
  differences,
  '',
  environmentLine(environment()),
].join('\n')
console.log(report)
if (options.out !== undefined) {
  writeFileSync(`${options.out}.md`, `${report}\n`)
  const values = Object.fromEntries(rows.map(([name, of]) => [name, Object.fromEntries(of)]))
  writeFileSync(`${options.out}.json`, `${JSON.stringify({ environment: environment(), values }, null, 1)}\n`)
}
