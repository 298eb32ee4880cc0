import { existsSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { featuresPart, logMelFeatures } from '@sonotext/core/audio'
import type { Backend } from '@sonotext/core/backend'
import { writeFileAtomic } from '@sonotext/core/base'
import { featureKinds } from '@sonotext/core/corpus'
import type { Relevances } from '@sonotext/core/relevance'
import { evaluateRun, openRun, parseConfig, trainRun } from '@sonotext/core/runs'

/** Log-mel frames eight times as far apart as the thesis's, so that a CRNN trains in a minute on one core. */
featureKinds.register(
  featuresPart({
    name: 'coarse-log-mel',
    description: 'Log-mel spectrograms with a frame every 160 ms.',
    schema: { properties: {} },
    fromConfig: () =>
      logMelFeatures({
        preset: 'thesis',
        overrides: { sampleRate: 22_050, windowLength: 4096, hop: 3528, nFft: 4096 },
      }),
  }),
)

/** What is trained, and on what. */
export interface StudySetting {
  readonly encoder: EncoderName
  readonly manifest: string
  /** Of the frozen tower, as a configuration has them. */
  readonly towerFeatures: object
  readonly epochs: number
  readonly files: RelevanceFiles
}

export const encoderNames = ['tower', 'crnn'] as const
export type EncoderName = (typeof encoderNames)[number]

export interface RelevanceFiles {
  /** Relevance of captions and clips of the training scenes. */
  readonly pairs: string
  /** The same of the pairs that lists hold. */
  readonly lists: string
}

export const objectiveNames = ['binary', 'guard only', 'soft', 'mixed', 'dual'] as const
export type ObjectiveName = (typeof objectiveNames)[number]

function objectiveOf(
  name: ObjectiveName,
  { pairs: file, lists }: RelevanceFiles,
  encoder: EncoderName,
): object {
  const contrastive = { type: 'info-nce', temperature: 0.07 }
  const targets = (of: string) => ({ type: 'relevance', file: of, temperature: 0.1 })
  const soft = { type: 'soft-target', targets: targets(file), temperature: 0.07 }
  const objectives: Record<ObjectiveName, object> = {
    binary: { loss: contrastive },
    'guard only': { loss: contrastive, guards: [{ type: 'relevant-pairs', file, least: 0.5 }] },
    soft: { loss: soft },
    mixed: { loss: { ...soft, hard: 0.5 } },
    dual: {
      loss: contrastive,
      objectives: [
        {
          name: 'lists',
          loss: { ...soft, targets: targets(lists), direction: 'text-to-audio', compare: 'list' },
          // Clips cost a CRNN much and a head over kept vectors little.
          source: { type: 'rated-lists', file: lists, queries: encoder === 'crnn' ? 2 : 8, clips: 17 },
        },
      ],
    },
  }
  return objectives[name]
}

function configOf(objective: ObjectiveName, seed: number, setting: StudySetting) {
  const { encoder, manifest, towerFeatures, epochs, files } = setting
  return parseConfig({
    seed,
    data: { manifest, validationSplit: null },
    features: encoder === 'crnn' ? { type: 'coarse-log-mel' } : towerFeatures,
    model: {
      audio: encoder === 'crnn' ? { type: 'crnn' } : { type: 'projection', hidden: [512], dropout: 0.2 },
      text: { type: 'mean-words', dim: encoder === 'crnn' ? 128 : 256, trainable: true },
      similarity: 'pooled',
    },
    schedule: 'cosine',
    training: { epochs, batchSize: 32 },
    logging: { tensorboard: false },
    ...objectiveOf(objective, files, encoder),
  })
}

export const measures = {
  binary: ['R@1', 'R@10', 'mAP@10'],
  graded: ['nDCG@10', 'gAP', 'Spearman'],
} as const

/** `nDCG@10 t→a` and so on. */
export type RunValues = Readonly<Record<string, number>>

/**
 * What one model measures on the held-out scenes. Kept in a file beside its run with the configuration it comes from, so that a study that
 * was stopped goes on where it stopped and no model of other settings is taken for its own.
 */
export async function runValues(
  objective: ObjectiveName,
  seed: number,
  setting: StudySetting,
  { truth, work, backend }: { truth: Relevances; work: string; backend: Backend },
): Promise<RunValues> {
  const config = configOf(objective, seed, setting)
  const name = [setting.encoder, objective.replace(' ', '-'), seed].join('-')
  const [folder, file] = [join(work, name), join(work, `${name}.json`)]
  if (existsSync(file)) {
    const kept = JSON.parse(readFileSync(file, 'utf8')) as { config: unknown; values: RunValues }
    if (JSON.stringify(kept.config) === JSON.stringify(config)) return kept.values
  }
  await rm(folder, { recursive: true, force: true })
  await trainRun(config, { folder, backend })
  const run = await openRun(folder, { backend })
  const values: Record<string, number> = {}
  for (const kind of ['binary', 'graded'] as const) {
    const found = await evaluateRun(run, {
      measures: measures[kind],
      ...(kind === 'graded' && { relevance: truth }),
    })
    for (const measure of measures[kind]) {
      values[`${measure} t→a`] = found.textToAudio![measure]!
      values[`${measure} a→t`] = found.audioToText![measure]!
    }
  }
  await writeFileAtomic(file, `${JSON.stringify({ config, values })}\n`)
  return values
}
