import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Backend } from '../backend/port.js'
import { SonotextError } from '../base/errors.js'
import type { BatchesState } from '../data/index.js'
import {
  type DualEncoder,
  type ModelConfig,
  modelFromConfig,
  type ModelPlugins,
  pluginsOf,
  type StateDict,
} from '../models/index.js'
import { loadPlugins } from '../registry/index.js'
import { type NamedTensor, readSafetensors, type TensorFile, writeSafetensors } from '../base/safetensors.js'
import { checkOptions } from '../base/options.js'

/** File of everything a run needs to go on, in its folder. */
export const checkpointFile = 'checkpoint.safetensors'
/** File of a model alone: the best epoch's weights and the configuration. */
export const modelFile = 'model.safetensors'

/** Everything of a run that is not a tensor. */
export interface TrainerState {
  readonly seed: number
  /** Optimiser steps. */
  readonly step: number
  /** Finished epochs. */
  readonly epoch: number
  /** Batches done of the current epoch. */
  readonly batch: number
  /** Of the current epoch: pairs seen and the sum of their losses. */
  readonly pairs: number
  readonly lossSum: number
  readonly source: BatchesState
  readonly loss: string
  readonly optimizer: { readonly name: string; readonly steps: number }
  readonly schedule: { readonly name: string; readonly state: Readonly<Record<string, number>> }
  readonly stopper: { readonly name: string; readonly state: readonly number[] } | null
  /** Why the run stopped early; null while it goes on. */
  readonly stopped: string | null
  readonly stuckEpochs: number
  readonly best: { readonly epoch: number; readonly metric: number } | null
}

export interface Checkpoint {
  readonly model: ModelConfig
  readonly trainer: TrainerState
  /** Tensors by part: `model`, `loss`, `optimizer`, `best`. */
  readonly parts: Readonly<Record<Part, Map<string, NamedTensor>>>
}

const parts = ['model', 'loss', 'optimizer', 'best'] as const
type Part = (typeof parts)[number]

const version = 1

/** Writes the checkpoint of a run as one file, atomically. */
export async function writeCheckpoint(
  folder: string,
  { model, trainer, parts: tensors }: Checkpoint,
): Promise<void> {
  const all = new Map<string, NamedTensor>()
  for (const part of parts) for (const [name, tensor] of tensors[part]) all.set(`${part}/${name}`, tensor)
  await writeSafetensors(join(folder, checkpointFile), all, header('sonotext-checkpoint', { model, trainer }))
}

/**
 * Reads the checkpoint of a run and removes what a killed save left half-written. Throws MISSING_FILE, or INVALID_FILE when
 * the file is cut short or no checkpoint.
 */
export async function readCheckpoint(folder: string): Promise<Checkpoint> {
  const path = join(folder, checkpointFile)
  const file = await readSafetensors(path)
  const { model, trainer } = content<{ model: ModelConfig; trainer: TrainerState }>(
    file,
    'sonotext-checkpoint',
    path,
  )
  const tensors = Object.fromEntries(parts.map((part) => [part, new Map<string, NamedTensor>()])) as Record<
    Part,
    Map<string, NamedTensor>
  >
  for (const [name, tensor] of file.tensors) {
    const slash = name.indexOf('/')
    tensors[name.slice(0, slash) as Part]?.set(name.slice(slash + 1), tensor)
  }
  await removeLeftovers(folder)
  return { model, trainer, parts: tensors }
}

/** Temporary files of atomic writes to the files of a run folder. */
async function removeLeftovers(folder: string): Promise<void> {
  const stale = (await readdir(folder)).filter((name) =>
    /^(checkpoint|model)\.safetensors\.\d+\.[0-9a-f]+\.tmp$/.test(name),
  )
  await Promise.all(stale.map((name) => rm(join(folder, name), { force: true })))
}

/** Writes a model alone: its configuration and weights (the given ones, else its own). Atomic. */
export async function saveModel(
  model: DualEncoder,
  path: string,
  state: Readonly<StateDict> = model.state(),
): Promise<void> {
  await writeSafetensors(path, state, header('sonotext-model', describe(model)))
}

/** What a model file says: the model, and where parts of it come from that the library does not have. */
interface ModelDescription {
  readonly model: ModelConfig
  readonly plugins?: ModelPlugins
}

function describe({ config }: DualEncoder): ModelDescription {
  const plugins = pluginsOf(config)
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
  const { model: config, plugins: from = {} } = content<ModelDescription>(read, 'sonotext-model', file)
  const model = modelFromConfig(config, { ...options, plugins: from })
  model.load(read.tensors as StateDict, file)
  return model
}

function header(format: string, body: object): Record<string, string> {
  return { format, version: String(version), content: JSON.stringify(body) }
}

function content<T>({ metadata }: TensorFile, format: string, path: string): T {
  const bad = (got: string): SonotextError =>
    new SonotextError(
      'INVALID_FILE',
      `Expected a file of format ${format}, version ${version}, got ${got}.`,
      {
        file: path,
        remedy:
          format === 'sonotext-model'
            ? 'Give a model.safetensors or the folder of a run.'
            : 'Give the folder of a run.',
      },
    )
  if (metadata['format'] !== format) throw bad(metadata['format'] ?? 'another kind of safetensors file')
  if (metadata['version'] !== String(version)) throw bad(`version ${metadata['version']}`)
  try {
    return JSON.parse(metadata['content']!) as T
  } catch {
    throw bad('a description that is not JSON')
  }
}
