import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Corpus } from '../corpus/index.js'
import type { DecodePolicy } from '../audio/index.js'
import type { Backend } from '../backend/port.js'
import { isSonotextError, SonotextError } from '../base/errors.js'
import { readText } from '../base/text.js'
import { type DualEncoder, loadModel, modelFile } from '../models/index.js'
import { checkpointFile } from '../train/index.js'
import { loadPlugins } from '../registry/index.js'

import { parseConfig, type RunConfig } from './config.js'
import { runFiles } from './run-files.js'
import { namingPlugins } from './run-plugins.js'
import {
  type ClipCorpusOptions,
  corpusOf,
  decodePolicyOf,
  type FeatureConfig,
  featureConfigOf,
} from './prepare.js'

export { runFiles }

/** The configuration a run was started with. Throws MISSING_FILE for a folder that is no run, INVALID_CONFIG. */
export async function readRunConfig(folder: string): Promise<RunConfig> {
  const file = join(folder, runFiles.config)
  const text = await readText(file).catch((cause: unknown) => {
    if (!isSonotextError(cause) || cause.code !== 'MISSING_FILE') throw cause
    const isRun = [modelFile, checkpointFile].some((name) => existsSync(join(folder, name)))
    throw isRun
      ? new SonotextError('MISSING_FILE', 'the configuration of this run is gone.', {
          file,
          remedy: `Bring it back, or write it again: sonotext train --run ${folder} --resume --config FILE, with the configuration it was trained with.`,
          cause,
        })
      : new SonotextError('MISSING_FILE', 'this folder holds no training run.', {
          file,
          remedy: 'Give the folder that `sonotext train --run` wrote.',
          cause,
        })
  })
  try {
    return parseConfig(JSON.parse(text), { source: file })
  } catch (cause) {
    if (cause instanceof SonotextError) throw await namingPlugins(cause, folder)
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
  /** Which recordings are read, and by whom. */
  readonly decode: DecodePolicy
  /** Features of recordings as the model was trained on them; kept in `cacheFolder` where one is given. To be closed. */
  corpus(options?: Pick<ClipCorpusOptions, 'cacheFolder' | 'windows' | 'onNote' | 'signal'>): Promise<Corpus>
}

/** Whether there is a decoder for what the library does not read itself. */
export function readsForeign({ decode: { decoders = [] } }: OpenRun): boolean {
  return decoders.length > 0
}

export interface OpenRunOptions {
  backend: Backend
  /** Which recordings are read, and by whom, where it is not as in training. */
  decode?: DecodePolicy
  /** Files or packages with parts of the run: a folder names its plugins, but runs no code by itself. */
  plugins?: readonly string[]
}

/** Throws MISSING_FILE, INVALID_FILE and INVALID_CONFIG naming the file. */
export async function openRun(
  folder: string,
  { plugins = [], ...options }: OpenRunOptions,
): Promise<OpenRun> {
  await loadPlugins(plugins)
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
    decode,
    corpus: (own = {}) => corpusOf(features, { backend: options.backend, decode, ...own }),
  }
}
