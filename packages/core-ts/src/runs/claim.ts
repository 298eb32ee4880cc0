import { existsSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { SonotextError } from '../base/errors.js'
import { makeFolder, writeFileAtomic } from '../base/files.js'
import { type Lock, type LockOwner, takeLock } from '../base/lock.js'
import { readText } from '../base/text.js'
import { modelFile } from '../models/index.js'
import { checkpointFile } from '../train/index.js'
import { changedKeys, configSchemaId, type RunConfig } from './config.js'
import { readRunConfig, runFiles } from './run-folder.js'

/** Keys that may change when a run goes on: they do not change what is computed up to there, or what they stand for is compared itself. */
const changeable = new Set([
  'plugins',
  'data.manifest',
  'data.cache',
  'data.maxBadShare',
  'data.maxSeconds',
  'data.maxExpansion',
  'data.acceptCut',
  'data.ffmpeg',
  'data.validationSplit',
  'training.epochs',
  'training.saveEvery',
  'logging.tensorboard',
])

/** A folder that this process alone may write a run into, until it is released. */
export interface ClaimedFolder extends Disposable {
  readonly folder: string
  /** Whether there is a checkpoint to go on from. */
  readonly started: boolean
  /** Writes the configuration. */
  keepConfig(): Promise<void>
}

/**
 * Takes a folder for a run, made when it is not there: a lock names pid, host and start of the process, and one of a process that has
 * ended is taken over. Nothing else in the folder is changed. A folder that holds a checkpoint is taken only to resume, and only with the
 * configuration it was started with; one with such files of somebody else, or with a model that lost its checkpoint, is not taken.
 * @throws SonotextError IN_USE naming the process that has it, INVALID_CONFIG, WRITE_FAILED
 */
export async function claimRunFolder(
  folder: string,
  config: RunConfig,
  { resume = false }: { resume?: boolean } = {},
): Promise<ClaimedFolder> {
  const isNew = !existsSync(folder)
  const lock = await lockOf(folder)
  const release = (): void => {
    lock.release()
    // A folder that was made for nothing goes again; one that holds something stays.
    if (isNew) removeEmptyFolder(folder)
  }
  try {
    const started = existsSync(join(folder, checkpointFile))
    if (started && !resume) {
      throw new SonotextError('INVALID_CONFIG', 'there is already a run in this folder.', {
        file: folder,
        remedy: 'Resume it (resume: true, on the command line --resume), or choose another folder.',
      })
    }
    if (started) await refuseOtherConfig(folder, config)
    else {
      await refuseForeignFiles(folder)
      refuseLostCheckpoint(folder)
    }
    const text = `${JSON.stringify({ $schema: configSchemaId, ...config }, null, 2)}\n`
    return {
      folder,
      started,
      keepConfig: () => writeFileAtomic(join(folder, runFiles.config), text),
      [Symbol.dispose]: release,
    }
  } catch (error) {
    release()
    throw error
  }
}

function removeEmptyFolder(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // It holds something, or somebody else has removed it.
  }
}

async function lockOf(folder: string): Promise<Lock> {
  const file = join(folder, runFiles.lock)
  const taken = await makeFolder(folder)
    .then(() => takeLock(file))
    .catch((cause: unknown) => {
      throw new SonotextError('WRITE_FAILED', 'the folder of the run cannot be written to.', {
        file: folder,
        remedy: 'Choose another folder, or make this one writable.',
        cause,
      })
    })
  if (!('owner' in taken)) return taken
  const { pid, host, since }: LockOwner = taken.owner
  throw new SonotextError(
    'IN_USE',
    `another training writes into this folder: process ${pid} on ${host}, since ${new Date(since).toISOString()}.`,
    {
      file: folder,
      remedy: `Wait for it or choose another folder; if that process has ended, remove ${runFiles.lock}.`,
    },
  )
}

async function refuseOtherConfig(folder: string, config: RunConfig): Promise<void> {
  const file = join(folder, runFiles.config)
  if (!existsSync(file)) return
  const shown = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value))
  const changed = changedKeys(await readRunConfig(folder), config).filter(({ key }) => !changeable.has(key))
  if (changed.length === 0) return
  const list = changed.map(({ key, was, is }) => `${key} was ${shown(was)}, now ${shown(is)}`)
  throw new SonotextError(
    'INVALID_CONFIG',
    `the run was started with another configuration: ${list.join('; ')}.`,
    { file, remedy: 'Resume without these changes, or start a new run in another folder.' },
  )
}

/** Files of the names of a run's that no run has written: a configuration of ours says that the others are ours too. */
async function refuseForeignFiles(folder: string): Promise<void> {
  const names = [...Object.values(runFiles).filter((name) => name !== runFiles.lock), modelFile]
  const there = names.filter((name) => existsSync(join(folder, name)))
  if (there.length === 0 || (await isRunConfig(join(folder, runFiles.config)))) return
  throw new SonotextError(
    'INVALID_CONFIG',
    `there are files of other work in this folder that the run would overwrite: ${there.join(', ')}.`,
    { file: folder, remedy: 'Choose another folder, or remove them.' },
  )
}

/** Checkpoints are written before models: a model alone is that of a run whose checkpoint was removed, and beginning anew would end it. */
function refuseLostCheckpoint(folder: string): void {
  if (!existsSync(join(folder, modelFile))) return
  throw new SonotextError(
    'INVALID_CONFIG',
    `the run in this folder has a model and no ${checkpointFile} any more: it cannot go on, and another would overwrite the model.`,
    {
      file: folder,
      remedy: `Choose another folder, bring the checkpoint back, or remove ${modelFile} to begin anew.`,
    },
  )
}

async function isRunConfig(file: string): Promise<boolean> {
  if (!existsSync(file)) return false
  try {
    const value = JSON.parse(await readText(file)) as { $schema?: unknown } | null
    return value?.$schema === configSchemaId
  } catch {
    return false
  }
}
