import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type NamedTensor, readSafetensors, writeSafetensors } from '../base/safetensors.js'
import { descriptionOf, type FileFormat, formatHeader } from '../models/file-format.js'
import type { LearnerSnapshot } from './learner.js'

/** File of everything a run needs to go on, in its folder. */
export const checkpointFile = 'checkpoint.safetensors'

/** A run as a file: what a learner needs to go on, and whatever the loop around it wants to find again. */
export interface Checkpoint<Loop = unknown> extends LearnerSnapshot {
  /** JSON: positions of the sources, schedule, … */
  readonly loop: Loop
  /** Weights of the best model so far, when they are kept. */
  readonly best?: Map<string, NamedTensor>
}

const parts = ['model', 'loss', 'optimizer', 'best'] as const
type Part = (typeof parts)[number]

const checkpoints: FileFormat = {
  name: 'sonotext-checkpoint',
  version: 2,
  remedy:
    'Give the folder of a run that this version wrote; a run of version 0.1 is gone on with by Sonotext 0.1.',
}

/** Writes the checkpoint of a run as one file, atomically. */
export async function writeCheckpoint(folder: string, checkpoint: Checkpoint): Promise<void> {
  const { model, learner, loop, best } = checkpoint
  const all = new Map<string, NamedTensor>()
  for (const part of parts) {
    const tensors = part === 'best' ? best : checkpoint.parts[part]
    for (const [name, tensor] of tensors ?? []) all.set(`${part}/${name}`, tensor)
  }
  await writeSafetensors(
    join(folder, checkpointFile),
    all,
    formatHeader(checkpoints, { model, learner, loop }),
  )
}

/**
 * Reads the checkpoint of a run and removes what a killed save left half-written. Throws MISSING_FILE, or INVALID_FILE when
 * the file is cut short or no checkpoint. What `loop` holds is taken on trust: it is what was written.
 */
export async function readCheckpoint<Loop = unknown>(folder: string): Promise<Checkpoint<Loop>> {
  const path = join(folder, checkpointFile)
  const file = await readSafetensors(path)
  const { model, learner, loop } = descriptionOf<Pick<Checkpoint<Loop>, 'model' | 'learner' | 'loop'>>(
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
