import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { FeatureStore } from '../audio/index.js'
import type { DecodePolicy } from '../audio/index.js'
import type { Backend } from '../backend/port.js'
import { isSonotextError, SonotextError } from '../base/errors.js'
import { writeFileAtomic } from '../base/files.js'
import { readText } from '../base/text.js'
import type { DualEncoder } from '../models/index.js'
import { checkpointFile, loadModel, modelFile } from '../train/index.js'
import { changedKeys, parseConfig, type RunConfig } from '../runs/index.js'
import { type FeatureConfig, featureConfigOf, storeOf, decodePolicyOf } from './prepare.js'

/** Files of a run folder, besides the trainer's checkpoint.safetensors and model.safetensors. */
export const runFiles = {
  config: 'config.json',
  log: 'log.jsonl',
  tensorboard: 'tensorboard',
  quarantine: 'quarantine.jsonl',
} as const

/** Keys that may change when a run goes on: they do not change what is computed up to there, or the trainer checks them. */
const changeable = new Set([
  'data.manifest',
  'data.cache',
  'data.maxBadShare',
  'data.maxSeconds',
  'data.acceptCut',
  'data.ffmpeg',
  'plugins',
  'training.epochs',
  'training.saveEvery',
  'logging.tensorboard',
])

/**
 * Takes a folder for a run and writes the configuration into it. A folder that holds a checkpoint is taken only to resume,
 * and only with the configuration it was started with; nothing of it is changed otherwise. True when there is a checkpoint.
 * @throws SonotextError INVALID_CONFIG, WRITE_FAILED
 */
export async function claimRunFolder(folder: string, config: RunConfig, resume: boolean): Promise<boolean> {
  const started = existsSync(join(folder, checkpointFile))
  if (started && !resume) {
    throw new SonotextError('INVALID_CONFIG', 'there is already a run in this folder.', {
      file: folder,
      remedy: 'Resume it with --resume, or choose another folder.',
    })
  }
  const file = join(folder, runFiles.config)
  if (started && existsSync(file)) {
    const before = await readRunConfig(folder)
    const shown = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value))
    const changed = changedKeys(before, config).filter(({ key }) => !changeable.has(key))
    if (changed.length > 0) {
      const list = changed.map(({ key, was, is }) => `${key} was ${shown(was)}, now ${shown(is)}`)
      throw new SonotextError(
        'INVALID_CONFIG',
        `the run was started with another configuration: ${list.join('; ')}.`,
        { file, remedy: 'Resume without these changes, or start a new run in another folder.' },
      )
    }
  }
  await writeFileAtomic(file, `${JSON.stringify(config, null, 2)}\n`)
  return started
}

/** The configuration a run was started with. Throws MISSING_FILE for a folder that is no run, INVALID_CONFIG. */
export async function readRunConfig(folder: string): Promise<RunConfig> {
  const file = join(folder, runFiles.config)
  const text = await readText(file).catch((cause: unknown) => {
    if (!isSonotextError(cause) || cause.code !== 'MISSING_FILE') throw cause
    throw new SonotextError('MISSING_FILE', 'this folder holds no training run.', {
      file,
      remedy: 'Give the folder that `sonotext train --run` wrote.',
      cause,
    })
  })
  try {
    return parseConfig(JSON.parse(text), { source: file })
  } catch (cause) {
    if (cause instanceof SonotextError) throw cause
    throw new SonotextError('INVALID_FILE', 'the configuration of the run is damaged.', {
      file,
      remedy: 'Give the run another config.json: `sonotext config` prints every key.',
      cause,
    })
  }
}

/** A finished (or stopped) run, ready to embed: the best epoch's model and the features it was trained on. */
export interface OpenRun {
  readonly folder: string
  readonly config: RunConfig
  readonly model: DualEncoder
  readonly features: FeatureConfig
  /** Features of recordings as the model was trained on them; kept in `cacheFolder` where one is given. */
  featureStore(cacheFolder?: string): FeatureStore
}

export interface OpenRunOptions {
  backend: Backend
  /** Which recordings are read, and by whom, where it is not as in training. */
  decode?: DecodePolicy
}

/** Throws MISSING_FILE, INVALID_FILE and INVALID_CONFIG naming the file. */
export async function openRun(folder: string, options: OpenRunOptions): Promise<OpenRun> {
  const config = await readRunConfig(folder)
  const file = join(folder, modelFile)
  if (!existsSync(file)) {
    throw new SonotextError('MISSING_FILE', 'the run has no model yet.', {
      file,
      remedy: `Train it on until its first epoch ends: sonotext train --run ${folder} --resume.`,
    })
  }
  const model = await loadModel(folder, options)
  const features = featureConfigOf(model, file)
  const decode = { ...decodePolicyOf(config), ...options.decode }
  return {
    folder,
    config,
    model,
    features,
    featureStore: (cacheFolder) => storeOf(features, cacheFolder, options.backend, decode),
  }
}
