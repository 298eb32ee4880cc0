import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Backend } from '../backend/port.js'
import { SonotextError } from '../base/errors.js'
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
import type { TrainableModel } from './batch-source.js'
import type { LearnerSnapshot } from './learner.js'

/** File of everything a run needs to go on, in its folder. */
export const checkpointFile = 'checkpoint.safetensors'
/** File of a model alone: the best epoch's weights and the configuration. */
export const modelFile = 'model.safetensors'

/** A run as a file: what a learner needs to go on, and whatever the loop around it wants to find again. */
export interface Checkpoint<Loop = unknown> extends LearnerSnapshot {
  /** JSON: positions of the sources, schedule, … */
  readonly loop: Loop
  /** Weights of the best model so far, when they are kept. */
  readonly best?: Map<string, NamedTensor>
}

const parts = ['model', 'loss', 'optimizer', 'best'] as const
type Part = (typeof parts)[number]

const checkpoints: Format = {
  name: 'sonotext-checkpoint',
  version: 2,
  remedy:
    'Give the folder of a run that this version wrote; a run of version 0.1 is gone on with by Sonotext 0.1.',
}
const models: Format = {
  name: 'sonotext-model',
  version: 1,
  remedy: 'Give a model.safetensors or the folder of a run.',
}

/** Writes the checkpoint of a run as one file, atomically. */
export async function writeCheckpoint(folder: string, checkpoint: Checkpoint): Promise<void> {
  const { model, learner, loop, best } = checkpoint
  const all = new Map<string, NamedTensor>()
  for (const part of parts) {
    const tensors = part === 'best' ? best : checkpoint.parts[part]
    for (const [name, tensor] of tensors ?? []) all.set(`${part}/${name}`, tensor)
  }
  await writeSafetensors(join(folder, checkpointFile), all, header(checkpoints, { model, learner, loop }))
}

/**
 * Reads the checkpoint of a run and removes what a killed save left half-written. Throws MISSING_FILE, or INVALID_FILE when
 * the file is cut short or no checkpoint. What `loop` holds is taken on trust: it is what was written.
 */
export async function readCheckpoint<Loop = unknown>(folder: string): Promise<Checkpoint<Loop>> {
  const path = join(folder, checkpointFile)
  const file = await readSafetensors(path)
  const { model, learner, loop } = content<Pick<Checkpoint<Loop>, 'model' | 'learner' | 'loop'>>(
    file,
    checkpoints,
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
  const { best, ...own } = tensors
  return { model, learner, loop, parts: own, best }
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
  model: Pick<TrainableModel, 'config' | 'state'>,
  path: string,
  state: Readonly<StateDict> = model.state(),
): Promise<void> {
  await writeSafetensors(path, state, header(models, describe(model)))
}

/** What a model file says: the model, and where parts of it come from that the library does not have. */
interface ModelDescription {
  readonly model: ModelConfig
  readonly plugins?: ModelPlugins
}

function describe({ config }: Pick<TrainableModel, 'config'>): object {
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
  const { model: config, plugins: from = {} } = content<ModelDescription>(read, models, file)
  const model = modelFromConfig(config, { ...options, plugins: from })
  model.load(read.tensors as StateDict, file)
  return model
}

interface Format {
  readonly name: string
  readonly version: number
  /** What to do when a file is none of it. */
  readonly remedy: string
}

function header({ name, version }: Format, body: object): Record<string, string> {
  return { format: name, version: String(version), content: JSON.stringify(body) }
}

function content<T>({ metadata }: TensorFile, { name, version, remedy }: Format, path: string): T {
  const bad = (got: string): SonotextError =>
    new SonotextError('INVALID_FILE', `Expected a file of format ${name}, version ${version}, got ${got}.`, {
      file: path,
      remedy,
    })
  if (metadata['format'] !== name) throw bad(metadata['format'] ?? 'another kind of safetensors file')
  if (metadata['version'] !== String(version)) throw bad(`version ${metadata['version']}`)
  try {
    return JSON.parse(metadata['content']!) as T
  } catch {
    throw bad('a description that is not JSON')
  }
}
