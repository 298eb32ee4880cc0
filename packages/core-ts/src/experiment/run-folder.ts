import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Backend } from '../backend/port.js'
import { SonotextError } from '../base/errors.js'
import { writeFileAtomic } from '../base/files.js'
import type { FeatureStore } from '../audio/index.js'
import type { DualEncoder } from '../models/index.js'
import { loadModel } from '../train/index.js'
import { type ExperimentConfig, parseConfig } from './config.js'
import { cacheFolderOf, type FeatureConfig, storeOf } from './prepare.js'

/** Files of a run folder, besides the trainer's checkpoint.safetensors and model.safetensors. */
export const runFiles = {
  config: 'config.json',
  log: 'log.jsonl',
  tensorboard: 'tensorboard',
  quarantine: 'quarantine.jsonl',
} as const

export async function writeRunConfig(folder: string, config: ExperimentConfig): Promise<void> {
  await writeFileAtomic(join(folder, runFiles.config), `${JSON.stringify(config, null, 2)}\n`)
}

/** The configuration a run was started with. Throws MISSING_FILE for a folder that is no run, INVALID_CONFIG. */
export async function readRunConfig(folder: string): Promise<ExperimentConfig> {
  const file = join(folder, runFiles.config)
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new SonotextError('MISSING_FILE', 'this folder holds no training run.', {
      file,
      remedy: 'Give the folder that `sonotext train --run` wrote.',
      cause,
    })
  })
  try {
    return parseConfig(JSON.parse(text), file)
  } catch (cause) {
    if (cause instanceof SonotextError) throw cause
    throw new SonotextError('INVALID_FILE', 'the configuration of the run is damaged.', { file, cause })
  }
}

/** A finished (or stopped) run, ready to embed: the best epoch's model and the features it was trained on. */
export interface OpenRun {
  readonly folder: string
  readonly config: ExperimentConfig
  readonly model: DualEncoder
  readonly store: FeatureStore
}

/** Throws MISSING_FILE, INVALID_FILE and INVALID_CONFIG naming the file. */
export async function openRun(folder: string, options: { backend: Backend }): Promise<OpenRun> {
  const config = await readRunConfig(folder)
  const model = await loadModel(folder, options)
  const features = model.config.features as unknown as FeatureConfig
  return { folder, config, model, store: storeOf(features, cacheFolderOf(config), options.backend) }
}
