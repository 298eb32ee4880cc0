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
import type { DualEncoder } from '../models/index.js'
import { tokenize } from '../text/index.js'
import {
  createTrainer,
  optimizers,
  schedules,
  stoppers,
  evaluateModel,
  jsonlLogger,
  type Logger,
  type Trainer,
  type TrainingReport,
  tensorBoardLogger,
  type ValidationOptions,
} from '../train/index.js'
import { losses } from '../losses/index.js'
import { buildModel, buildYardsticks, type RunConfig } from '../runs/index.js'
import { cacheFolderOf, type PreparedClips, prepareClips, storeOf, decodePolicyOf } from './prepare.js'
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
export async function trainRun(config: RunConfig, options: TrainRunOptions): Promise<TrainRunResult> {
  const { folder, backend, resume = false, signal } = options
  const abortable = signal === undefined ? {} : { signal }
  const started = await claimRunFolder(folder, config, resume)

  const manifest = await readManifest(config.data.manifest, abortable)
  const training = clipsOfSplit(manifest, config.data.trainSplit)
  const { validationSplit = splitsOf(manifest.clips).includes('validation') ? 'validation' : null } =
    config.data
  const validation = validationSplit === null ? [] : clipsOfSplit(manifest, validationSplit)
  const store = storeOf(config.features, cacheFolderOf(config), backend, decodePolicyOf(config))
  const prepared = await prepareClips([...training, ...validation], store, {
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
  const model = await buildModel(config, captions, { backend, bands: store.bands, ...abortable })
  const stopper = stoppers.build(config.stopper)
  const hasValidation = validationClips.length >= 2
  await using trainer = createTrainer({
    model,
    data: batchesOf(config, model, trainClips, prepared),
    loss: losses.build(config.loss),
    optimizer: optimizers.build(config.optimizer),
    schedule: schedules.build(config.schedule),
    epochs: config.training.epochs,
    seed: config.seed,
    loggers: loggersOf(config, folder),
    directory: folder,
    ...(config.training.saveEvery === 0 ? {} : { saveEvery: config.training.saveEvery }),
    ...(stopper === null ? {} : { stopper }),
    ...(hasValidation ? { validation: validationOf(config, model, validationClips, prepared) } : {}),
  })
  if (started) await trainer.resume(folder)
  for await (const report of trainer.steps(abortable)) options.onReport?.(report, trainer)
  return {
    folder,
    epochs: trainer.epoch,
    steps: trainer.step,
    best: trainer.best && {
      ...trainer.best,
      monitor: hasValidation ? config.validation.monitor : 'trainLoss',
    },
    trainClips: trainClips.length,
    validationClips: validationClips.length,
    quarantined: setAside.length,
  }
}

/** A caption's own tokens, where the manifest gives them. */
function tokensOf({ tokens, text }: Caption): readonly string[] {
  return tokens ?? tokenize(text)
}

const featuresIn =
  ({ features }: PreparedClips): FeatureSource =>
  async (clip) =>
    features.get(clip.id)!

function batchesOf(
  config: RunConfig,
  model: DualEncoder,
  clips: readonly Clip[],
  prepared: PreparedClips,
  items = config.data.items,
): Batches {
  return new Batches({
    clips,
    features: featuresIn(prepared),
    encode: (caption) => model.text.encoder.encode(tokensOf(caption)),
    batchSize: config.training.batchSize,
    seed: config.seed,
    items,
    maxFrames: config.data.maxFrames,
    leastFrames: model.audio.encoder.leastFrames,
  })
}

/** The loss over the validation clips with one caption each, always the same, and retrieval measures in both directions over the whole split. */
function validationOf(
  config: RunConfig,
  model: DualEncoder,
  clips: readonly Clip[],
  prepared: PreparedClips,
): ValidationOptions {
  const { monitor, measures } = config.validation
  return {
    data: batchesOf(config, model, clips, prepared, 'clip'),
    monitor,
    mode: measures.some((name) => monitor.endsWith(name) && name !== 'medR') ? 'max' : 'min',
    yardsticks: buildYardsticks(config),
    async measure(current, options) {
      if (measures.length === 0) return {}
      const { textToAudio, audioToText } = await evaluateModel(current, clips, featuresIn(prepared), {
        measures,
        ...options,
      })
      const all = measures.flatMap((name): [string, number][] => {
        const [toAudio, toText] = [textToAudio![name]!, audioToText![name]!]
        return [
          [`textToAudio.${name}`, toAudio],
          [`audioToText.${name}`, toText],
          [name, (toAudio + toText) / 2],
        ]
      })
      return Object.fromEntries(all)
    },
  }
}

function loggersOf({ logging }: RunConfig, folder: string): Logger[] {
  const loggers = [jsonlLogger(join(folder, runFiles.log))]
  if (logging.tensorboard) loggers.push(tensorBoardLogger(join(folder, runFiles.tensorboard)))
  return loggers
}
