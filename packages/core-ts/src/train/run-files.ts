import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isSonotextError, SonotextError } from '../base/errors.js'
import { modelFile, saveModel, type StateDict } from '../models/index.js'
import type { TrainableModel } from './batch-source.js'
import { type Checkpoint, checkpointFile, writeCheckpoint } from './checkpoint.js'

/** The best epoch so far and its weights; null where no epoch has ended, then a model file holds the model as it is. */
export interface BestModel {
  readonly epoch: number
  readonly state: StateDict
}

/** What a trainer keeps in a folder: the checkpoint, and beside it the best epoch's model. */
export class RunFiles {
  readonly #model: TrainableModel
  /** Where the last checkpoint is. */
  #directory: string | null = null
  /** The epoch whose model lies there. */
  #bestEpoch: number | null = null

  constructor(model: TrainableModel) {
    this.#model = model
  }

  /** Each file atomically. Throws WRITE_FAILED; what was there before stays valid. */
  async write(directory: string, checkpoint: Checkpoint, best: BestModel | null): Promise<void> {
    await writeCheckpoint(directory, { ...checkpoint, ...(best && { best: best.state }) })
    if (this.#directory !== directory) this.#moveTo(directory)
    await this.writeModel(directory, best)
  }

  /** Unless the best epoch's is there. */
  async writeModel(directory: string, best: BestModel | null): Promise<void> {
    const written = this.#directory === directory ? this.#bestEpoch : null
    if (best !== null && best.epoch === written) return
    await saveModel(this.#model, join(directory, modelFile), best?.state)
    this.#moveTo(directory)
    this.#bestEpoch = best?.epoch ?? null
  }

  /** The run goes on from the checkpoint of this folder. */
  goOnIn(directory: string): void {
    this.#moveTo(directory)
  }

  /** Throws INVALID_CONFIG for a folder that holds a run which is not this one. */
  refuseForeign(directory: string): void {
    if (this.#directory === directory || !existsSync(join(directory, checkpointFile))) return
    throw new SonotextError('INVALID_CONFIG', 'there is already a run in this folder.', {
      file: directory,
      remedy: 'Go on with it by resume(), or give this run another folder.',
    })
  }

  /** An error of numbers, saying where the last checkpoint is; any other as it is. */
  withLastGood(error: unknown): unknown {
    if (!isSonotextError(error) || error.code !== 'NUMERIC') return error
    const remedy =
      this.#directory === null
        ? 'No checkpoint was written yet.'
        : `The last good checkpoint is kept in ${this.#directory}.`
    return new SonotextError('NUMERIC', error.message, { remedy, cause: error })
  }

  #moveTo(directory: string): void {
    this.#directory = directory
    this.#bestEpoch = null
  }
}
