import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Backend } from '../backend/port.js'
import { isSonotextError, SonotextError } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import { readSafetensors, writeSafetensors } from '../base/safetensors.js'
import { loadPlugins } from '../registry/index.js'
import {
  type DualEncoder,
  type ModelConfig,
  modelFromConfig,
  type ModelPlugins,
  pluginsOf,
} from './dual-encoder.js'
import { descriptionOf, type FileFormat, formatHeader } from './file-format.js'
import type { StateDict } from './state.js'

/** Name of a model's file in the folder of a run: weights and the configuration. */
export const modelFile = 'model.safetensors'

const models: FileFormat = {
  name: 'sonotext-model',
  version: 1,
  remedy: 'Give a model.safetensors or the folder of a run.',
}

/** What is written of a model. */
export interface SavedModel {
  /** Everything but the weights, as JSON. */
  readonly config: object
  state(): StateDict
}

/** Writes a model alone: its configuration and weights (the given ones, else its own). Atomic. */
export async function saveModel(
  model: SavedModel,
  path: string,
  state: Readonly<StateDict> = model.state(),
): Promise<void> {
  await writeSafetensors(path, state, formatHeader(models, describe(model)))
}

/** What a model file says: the model, and where parts of it come from that the library does not have. */
interface ModelDescription {
  readonly model: ModelConfig
  readonly plugins?: ModelPlugins
}

function describe({ config }: Pick<SavedModel, 'config'>): object {
  const plugins = pluginsOf({ ...config })
  return { model: config, ...(Object.keys(plugins).length > 0 && { plugins }) }
}

export interface LoadModelOptions {
  backend?: Backend
  /** Files or packages with parts of the model, see {@link loadPlugins}. */
  plugins?: readonly string[]
}

/**
 * Reads a model from its file, or from a run folder (the best epoch). Throws MISSING_FILE, INVALID_FILE when the file is
 * cut short or holds no model, MISSING_DEPENDENCY naming the plugin that a part of it comes from.
 */
export async function loadModel(path: string, given: LoadModelOptions = {}): Promise<DualEncoder> {
  const { plugins = [], ...options } = checkOptions(given, 'loadModel')
  await loadPlugins(plugins)
  const isFolder = await stat(path)
    .then((entry) => entry.isDirectory())
    .catch(() => false)
  const file = isFolder ? join(path, modelFile) : path
  const read = await readSafetensors(file)
  const { model: config, plugins: from = {} } = descriptionOf<ModelDescription>(read, models, file)
  const model = described(file, () => modelFromConfig(config, { ...options, plugins: from }))
  model.load(read.tensors as StateDict, file)
  return model
}

/** Whatever a description that no model has leads to is the file's fault. Which plugin is missing is said as it is. */
function described(file: string, make: () => DualEncoder): DualEncoder {
  try {
    return make()
  } catch (cause) {
    if (isSonotextError(cause) && cause.code === 'MISSING_DEPENDENCY') throw cause
    throw new SonotextError('INVALID_FILE', `it describes no model: ${(cause as Error).message}`, {
      file,
      remedy: models.remedy,
      cause,
    })
  }
}
