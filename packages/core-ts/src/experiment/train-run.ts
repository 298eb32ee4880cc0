import { join } from 'node:path'
import type { Backend } from '../backend/port.js'
import {
  Batches,
  type Caption,
  type Clip,
  clipsOfSplit,
  type FeatureSource,
  type QuarantinedClip,
  readManifest,
  splitsOf,
} from '../data/index.js'
import { tripletLoss } from '../losses/index.js'
import type { DualEncoder } from '../models/index.js'
import { negatives } from '../negatives/index.js'
import { tokenize } from '../text/index.js'
import {
  createTrainer,
  jsonlLogger,
  type Logger,
  retrievalMeasures,
  type Trainer,
  type TrainingReport,
  tensorBoardLogger,
  type ValidationOptions,
} from '../train/index.js'
import { buildGuards, buildLoss, buildModel, buildOptimizer, buildSchedule, buildStopper } from './build.js'
import type { ExperimentConfig } from './config.js'
import { cacheFolderOf, corpusOf, decodePolicyOf, prepareClips } from './prepare.js'
import { claimRunFolder, runFiles } from './run-folder.js'

export interface TrainRunOptions {
  /** Folder of the run; made when it is not there. */
  folder: string
  backend: Backend
  /** Go on where the run in the folder stopped. Default false: a folder that holds a run is refused. */
  resume?: boolean
  signal?: AbortSignal
  onFeatures?: (done: number, total: number) => void
  /** Told which clips cannot be used, and why; the rest is trained on. */
  onSetAside?: (clips: readonly QuarantinedClip[]) => void
  /** Told what is not as it was asked for, as sentences. */
  onNote?: (note: string) => void
  onReport?: (report: TrainingReport, trainer: Trainer) => void
}

export interface TrainRunResult {
  readonly folder: string
  readonly epochs: number
  readonly steps: number
  /** The epoch in model.safetensors, and the number that picked it. */
  readonly best: { readonly epoch: number; readonly monitor: string; readonly metric: number } | null
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
  const started = await claimRunFolder(folder, config, resume)

  const manifest = await readManifest(config.data.manifest, abortable)
  const training = clipsOfSplit(manifest, config.data.trainSplit)
  const validation = splitsOf(manifest.clips).includes(config.data.validationSplit)
    ? clipsOfSplit(manifest, config.data.validationSplit)
    : []
  await using corpus = await corpusOf(config.features, {
    cacheFolder: cacheFolderOf(config),
    backend,
    decode: decodePolicyOf(config),
    ...abortable,
    ...(options.onNote === undefined ? {} : { onNote: options.onNote }),
  })
  const prepared = await prepareClips([...training, ...validation], corpus, {
    maxBadShare: config.data.maxBadShare,
    needCaptions: true,
    ...abortable,
    ...(options.onFeatures === undefined ? {} : { onProgress: options.onFeatures }),
  })
  const setAside = prepared.quarantine.clips
  await prepared.quarantine.save(join(folder, runFiles.quarantine))
  if (setAside.length > 0) options.onSetAside?.(setAside)
  const trainClips = prepared.quarantine.keep(training)
  const validationClips = prepared.quarantine.keep(validation)

  const captions = trainClips.flatMap((clip) => clip.captions.map(tokensOf))
  const model = await buildModel(config, captions, { backend, features: config.features, ...abortable })
  const stopper = buildStopper(config)
  const hasValidation = validationClips.length >= 2
  await using trainer = createTrainer({
    model,
    data: batchesOf(config, model, trainClips, corpus.source),
    loss: buildLoss(config),
    guards: buildGuards(config),
    optimizer: buildOptimizer(config),
    schedule: buildSchedule(config),
    epochs: config.training.epochs,
    seed: config.seed,
    loggers: loggersOf(config, folder),
    directory: folder,
    ...(config.training.saveEvery === 0 ? {} : { saveEvery: config.training.saveEvery }),
    ...(stopper === null ? {} : { stopper }),
    ...(hasValidation ? { validation: validationOf(config, model, validationClips, corpus.source) } : {}),
  })
  if (started) await trainer.resume(folder)
  for await (const report of trainer.steps(abortable)) options.onReport?.(report, trainer)
  return {
    folder,
    epochs: trainer.epoch,
    steps: trainer.step,
    best: trainer.best && { ...trainer.best, monitor: hasValidation ? config.training.monitor : 'trainLoss' },
    trainClips: trainClips.length,
    validationClips: validationClips.length,
    quarantined: setAside.length,
  }
}

/** A caption's own tokens, where the manifest gives them. */
function tokensOf({ tokens, text }: Caption): readonly string[] {
  return tokens ?? tokenize(text)
}

function batchesOf(
  config: ExperimentConfig,
  model: DualEncoder,
  clips: readonly Clip[],
  features: FeatureSource,
  items = config.data.items,
): Batches {
  return new Batches({
    clips,
    features,
    encode: (caption) => model.text.encoder.encode(tokensOf(caption)),
    batchSize: config.training.batchSize,
    seed: config.seed,
    items,
    maxFrames: config.data.maxFrames,
    leastFrames: model.audio.encoder.leastFrames,
  })
}

/**
 * The loss over the validation clips with one caption each, always the same, and, where it is asked for, mAP@10 in both
 * directions over the whole split.
 */
function validationOf(
  config: ExperimentConfig,
  model: DualEncoder,
  clips: readonly Clip[],
  features: FeatureSource,
): ValidationOptions {
  const { monitor, watch, validateEvery: every, retrieval, randomYardstick } = config.training
  const { margin } = config.loss
  return {
    data: batchesOf(config, model, clips, features, 'clip'),
    every,
    monitor,
    watch: watch === 'monitor' ? monitor : watch,
    ...(randomYardstick && {
      yardsticks: { random: tripletLoss({ negatives: negatives.random(), margin }) },
    }),
    ...(retrieval && { measure: retrievalOf(clips, features) }),
  }
}

function retrievalOf(
  clips: readonly Clip[],
  features: FeatureSource,
): NonNullable<ValidationOptions['measure']> {
  const measure = retrievalMeasures(clips, features)
  return async (model, options) => {
    const found = await measure(model, options)
    const [textToAudio, audioToText] = [found['textToAudio.mAP@10']!, found['audioToText.mAP@10']!]
    return { textToAudio, audioToText, 'mAP@10': (textToAudio + audioToText) / 2 }
  }
}

function loggersOf({ logging }: ExperimentConfig, folder: string): Logger[] {
  const loggers = [jsonlLogger(join(folder, runFiles.log))]
  if (logging.tensorboard) loggers.push(tensorBoardLogger(join(folder, runFiles.tensorboard)))
  return loggers
}
