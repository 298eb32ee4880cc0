import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Backend } from '../backend/port.js'
import { isSonotextError, SonotextError } from '../base/errors.js'
import { checkOptions } from '../base/options.js'
import { openSafetensors, type SafetensorsReader, writeSafetensors } from '../base/safetensors.js'
import { sizeOf, withinWeights } from '../nn/index.js'
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

/** Options of {@link loadModel}. */
export interface LoadModelOptions {
  backend?: Backend
  /** Files or packages with parts of the model, see {@link loadPlugins}. */
  plugins?: readonly string[]
}

/**
 * Reads a model from its file, or from a run folder (the best epoch). Throws MISSING_FILE, INVALID_FILE when the file is
 * cut short, holds no model or describes a larger one than it holds (before memory is taken for it), MISSING_DEPENDENCY naming the plugin that a part of it comes from.
 */
export async function loadModel(path: string, given: LoadModelOptions = {}): Promise<DualEncoder> {
  const { plugins = [], ...options } = checkOptions(given, 'loadModel')
  await loadPlugins(plugins)
  const isFolder = await stat(path)
    .then((entry) => entry.isDirectory())
    .catch(() => false)
  const file = isFolder ? join(path, modelFile) : path
  const reader = await openSafetensors(file)
  const { model: config, plugins: from = {} } = descriptionOf<ModelDescription>(reader, models, file)
  const numbers = [...reader.tensors.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  const model = described(file, 'it describes no model', () =>
    withinWeights(numbers, () => modelFromConfig(config, { ...options, plugins: from })),
  )
  try {
    const state = await stateIn(reader)
    described(file, 'it holds other weights than it describes', () => model.load(state))
  } catch (error) {
    model[Symbol.dispose]()
    throw error
  }
  return model
}

async function stateIn(reader: SafetensorsReader): Promise<StateDict> {
  const state: StateDict = new Map()
  for (const [name, { shape }] of reader.tensors)
    state.set(name, { shape, data: (await reader.read(name)) as Float32Array })
  return state
}

/** Whatever a description that no model has leads to is the file's fault. Which plugin is missing is said as it is. */
function described<T>(file: string, fault: string, make: () => T): T {
  try {
    return make()
  } catch (cause) {
    if (isSonotextError(cause) && cause.code === 'MISSING_DEPENDENCY') throw cause
    throw new SonotextError('INVALID_FILE', `${fault}: ${(cause as Error).message}`, {
      file,
      remedy: models.remedy,
      cause,
    })
  }
}
