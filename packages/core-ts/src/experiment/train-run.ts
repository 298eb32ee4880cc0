import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Backend } from '../backend/port.js'
import { SonotextError } from '../base/errors.js'
import { Batches, type Caption, type Clip, clipsOfSplit, readManifest, splitsOf } from '../data/index.js'
import { evaluateScores } from '../metrics/index.js'
import type { DualEncoder } from '../models/index.js'
import { tokenize } from '../text/index.js'
import {
  checkpointFile,
  createTrainer,
  jsonlLogger,
  type Logger,
  type Trainer,
  type TrainingReport,
  tensorBoardLogger,
  type ValidationOptions,
} from '../train/index.js'
import { buildLoss, buildModel, buildOptimizer, buildSchedule, buildStopper } from './build.js'
import type { ExperimentConfig } from './config.js'
import { pairsOf } from './pairs.js'
import { cacheFolderOf, type PreparedClips, prepareClips, storeOf } from './prepare.js'
import { readRunConfig, runFiles, writeRunConfig } from './run-folder.js'

export interface TrainRunOptions {
  /** Folder of the run; made when it is not there. */
  folder: string
  backend: Backend
  /** Go on where the run in the folder stopped. Default false: a folder that holds a run is refused. */
  resume?: boolean
  signal?: AbortSignal
  onFeatures?: (done: number, total: number) => void
  onReport?: (report: TrainingReport, trainer: Trainer) => void
}

export interface TrainRunResult {
  readonly folder: string
  readonly epochs: number
  readonly steps: number
  readonly best: { readonly epoch: number; readonly metric: number } | null
  readonly trainClips: number
  readonly validationClips: number
  /** Clips set aside with their reasons, also in quarantine.jsonl. */
  readonly quarantined: number
}

/**
 * Trains as a configuration says: manifest → features → vocabulary, vectors and model → trainer. Everything lands in the
 * folder: config.json, checkpoint.safetensors (resumes bit for bit), model.safetensors (the best epoch), log.jsonl,
 * TensorBoard events, quarantine.jsonl.
 * @throws SonotextError ABORTED after a stop with a resumable checkpoint; NUMERIC when training diverges; the errors of the
 *   parts, each naming its file
 */
export async function trainRun(config: ExperimentConfig, options: TrainRunOptions): Promise<TrainRunResult> {
  const { folder, backend, resume = false, signal } = options
  const abortable = signal === undefined ? {} : { signal }
  await claimFolder(folder, config, resume)

  const manifest = await readManifest(config.data.manifest, abortable)
  const training = clipsOfSplit(manifest, config.data.trainSplit)
  const hasValidation = splitsOf(manifest.clips).includes(config.data.validationSplit)
  const validation = hasValidation ? clipsOfSplit(manifest, config.data.validationSplit) : []
  const prepared = await prepareClips(
    [...training, ...validation],
    storeOf(config.features, cacheFolderOf(config), backend),
    {
      maxBadShare: config.data.maxBadShare,
      ...abortable,
      ...(options.onFeatures === undefined ? {} : { onProgress: options.onFeatures }),
    },
  )
  await prepared.quarantine.save(join(folder, runFiles.quarantine))
  const ofSplit = (clips: readonly Clip[]): Clip[] => prepared.quarantine.keep(clips)
  const trainClips = ofSplit(training)
  const validationClips = ofSplit(validation)

  const captions = trainClips.flatMap((clip) => clip.captions.map(({ text }) => text))
  const model = await buildModel(config, captions, { backend, features: config.features, ...abortable })
  const stopper = buildStopper(config)
  await using trainer = createTrainer({
    model,
    data: batchesOf(config, model, trainClips, prepared),
    loss: buildLoss(config),
    optimizer: buildOptimizer(config),
    schedule: buildSchedule(config),
    epochs: config.training.epochs,
    seed: config.seed,
    loggers: loggersOf(config, folder),
    directory: folder,
    ...(stopper === null ? {} : { stopper }),
    ...(validationClips.length < 2
      ? {}
      : { validation: validationOf(config, model, validationClips, prepared) }),
  })
  if (resume && existsSync(join(folder, checkpointFile))) await trainer.resume(folder)
  for await (const report of trainer.steps(abortable)) options.onReport?.(report, trainer)
  return {
    folder,
    epochs: trainer.epoch,
    steps: trainer.step,
    best: trainer.best,
    trainClips: trainClips.length,
    validationClips: validationClips.length,
    quarantined: prepared.quarantine.clips.length,
  }
}

/** A new folder gets the configuration; one that holds a run is only taken to resume it with the same configuration. */
async function claimFolder(folder: string, config: ExperimentConfig, resume: boolean): Promise<void> {
  const taken = existsSync(join(folder, runFiles.config))
  if (!taken) {
    await mkdir(folder, { recursive: true })
    return writeRunConfig(folder, config)
  }
  if (!resume) {
    throw new SonotextError('INVALID_CONFIG', 'there is already a run in this folder.', {
      file: folder,
      remedy: 'Resume it with --resume, or choose another folder.',
    })
  }
  // More epochs is a fair wish when resuming; anything else would not be the same run.
  const before = await readRunConfig(folder)
  const comparable = ({ training, ...rest }: ExperimentConfig): string =>
    JSON.stringify({ ...rest, training: { ...training, epochs: 0 } })
  if (comparable(before) !== comparable(config)) {
    throw new SonotextError('INVALID_CONFIG', 'the run was started with another configuration.', {
      file: join(folder, runFiles.config),
      remedy: 'Resume without --config and --set, or start a new run in another folder.',
    })
  }
  await writeRunConfig(folder, config)
}

function batchesOf(
  config: ExperimentConfig,
  model: DualEncoder,
  clips: readonly Clip[],
  prepared: PreparedClips,
  extra: { shuffle?: boolean; items?: 'clip' | 'pair' } = {},
): Batches {
  return new Batches({
    clips,
    features: async (clip) => prepared.features.get(clip.id)!,
    encode: (caption: Caption) => model.text.encoder.encode(caption.tokens ?? tokenize(caption.text)),
    batchSize: config.training.batchSize,
    seed: config.seed,
    items: config.data.items,
    maxFrames: config.data.maxFrames,
    leastFrames: model.audio.encoder.leastFrames,
    ...extra,
  })
}

/** The loss over every validation pair, and mAP@10 in both directions over the whole split. */
function validationOf(
  config: ExperimentConfig,
  model: DualEncoder,
  clips: readonly Clip[],
  prepared: PreparedClips,
): ValidationOptions {
  const { captions, captionClip } = pairsOf(clips)
  const features = clips.map((clip) => prepared.features.get(clip.id)!)
  return {
    data: batchesOf(config, model, clips, prepared, { items: 'clip' }),
    monitor: config.training.monitor,
    mode: config.training.monitor === 'loss' ? 'min' : 'max',
    async measure(current, options) {
      const scores = await current.score(features, captions, options)
      const { textToAudio, audioToText } = evaluateScores(scores, captionClip, { measures: ['mAP@10'] })
      const [toAudio, toText] = [textToAudio!['mAP@10']!, audioToText!['mAP@10']!]
      return { textToAudio: toAudio, audioToText: toText, 'mAP@10': (toAudio + toText) / 2 }
    },
  }
}

function loggersOf({ logging }: ExperimentConfig, folder: string): Logger[] {
  const loggers = [jsonlLogger(join(folder, runFiles.log))]
  if (logging.tensorboard) loggers.push(tensorBoardLogger(join(folder, runFiles.tensorboard)))
  return loggers
}
