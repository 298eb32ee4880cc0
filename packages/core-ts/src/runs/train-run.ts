import { join } from 'node:path'
import { isGiven } from '../audio/index.js'
import type { Backend } from '../backend/port.js'
import type { Matrix } from '../base/matrix.js'
import { type InPieces, inTurns } from '../base/turn.js'
import { type Comm, fromLead, leadFirst, singleComm } from '../comm/index.js'
import { heldSource } from '../corpus/index.js'
import {
  type Batches,
  type Caption,
  type Clip,
  type FeatureSource,
  openBatches,
  type QuarantinedClip,
  readManifest,
} from '../data/index.js'
import { type RelevanceOptions, retrievalMeasures } from '../evaluation/index.js'
import { losses } from '../losses/index.js'
import { type DualEncoder, starts } from '../models/index.js'
import { tokenize } from '../text/index.js'
import {
  createTrainer,
  jsonlLogger,
  type Logger,
  optimizers,
  schedules,
  type SourceSetting,
  stoppers,
  type Trainer,
  type TrainingReport,
  tensorBoardLogger,
  type ValidationOptions,
} from '../train/index.js'
import { buildGuards, buildModel, buildObjectives, buildYardsticks } from './build.js'
import { openRelevance, refuseMissingFiles } from './check-relevance.js'
import { claimRunFolder } from './claim.js'
import type { RunConfig } from './config.js'
import { keepMadeWith, refuseOtherProducts } from './made-with.js'
import { movedManifest } from './moved-manifest.js'
import { cacheFolderOf, corpusOf, decodePolicyOf, prepareClips } from './prepare.js'
import { keepClips, leakNotes, refuseOtherClips, runClipsOf } from './run-clips.js'
import { runFiles } from './run-folder.js'
import { keepPlugins, refuseOtherPlugins } from './run-plugins.js'

/** Options of {@link trainRun}. */
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
  /** Told what is not as it was asked for or as it should be, such as recordings in two splits, as sentences. */
  onNote?: (note: string) => void
  onReport?: (report: TrainingReport, trainer: Trainer) => void
  /**
   * The processes that share the run's batches: each calls this with the same configuration and folder, and rank 0 writes into it. An
   * error of one ends it for all. Default: this process alone.
   */
  comm?: Comm
}

/** What {@link trainRun} left behind. */
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
 * TensorBoard events, quarantine.jsonl, clips.jsonl, made-with.json (version, Node.js,
 * platform and device of every start).
 * @throws SonotextError IN_USE while another process trains in the folder; ABORTED after a stop with a resumable checkpoint; NUMERIC when training diverges; the errors of the
 *   parts, each naming its file; RANK_LOST when another process of the run failed or is gone
 */
export async function trainRun(config: RunConfig, options: TrainRunOptions): Promise<TrainRunResult> {
  const { comm = singleComm() } = options
  try {
    return await trainRank(config, options, comm)
  } catch (error) {
    await comm.close(error)
    throw error
  }
}

async function trainRank(config: RunConfig, options: TrainRunOptions, comm: Comm): Promise<TrainRunResult> {
  const { folder, backend, resume = false, onNote = () => {} } = options
  // Ranks stop together, between steps: one that leaves by itself would be an error to the others.
  const signal = comm.size === 1 ? options.signal : undefined
  const abortable = signal === undefined ? {} : { signal }
  const leads = comm.rank === 0
  using claim = leads ? await claimRunFolder(folder, config, { resume }) : null
  const started = fromLead(comm, claim?.started ?? false, 'the folder of the run')
  const manifest = await readManifest(config.data.manifest, abortable).catch((cause: unknown) => {
    throw started ? movedManifest(cause, config.data.manifest, 'name it: --set data.manifest=PATH') : cause
  })
  const wanted = runClipsOf(config, manifest, onNote)
  const inUse = new Set([...wanted.training, ...wanted.validation])
  const early = leakNotes(wanted, { others: manifest.clips.filter((clip) => !inUse.has(clip)) })
  for (const note of early) onNote(note)
  // Before the features, which may take hours: what would be refused then is refused now.
  await refuseMissingFiles(config)
  const relevance = await openRelevance(config, wanted, signal)
  const guards = await buildGuards(config)
  const { order, writer } = losses.build(config.loss).batches ?? {}
  if (claim !== null) {
    if (started) {
      await refuseOtherPlugins(folder)
      await refuseOtherProducts(folder, backend.info)
    }
    await claim.keepConfig()
    await keepPlugins(folder)
    await keepMadeWith(folder, backend.info, { ranks: comm.size, started })
  }

  await using corpus = await corpusOf(config.features, {
    cacheFolder: cacheFolderOf(config),
    backend,
    decode: decodePolicyOf(config),
    onNote,
    ...abortable,
  })
  const { quarantine, contents } = await leadFirst(comm, 'features', () =>
    prepareClips([...wanted.training, ...wanted.validation], corpus, {
      maxBadShare: config.data.maxBadShare,
      needCaptions: true,
      ...abortable,
      ...(options.onFeatures === undefined ? {} : { onProgress: options.onFeatures }),
    }),
  )
  if (leads) await quarantine.save(join(folder, runFiles.quarantine))
  if (quarantine.clips.length > 0) options.onSetAside?.(quarantine.clips)
  const training = quarantine.keep(wanted.training)
  const validation = quarantine.keep(wanted.validation)
  if (early.length === 0 && !isGiven(corpus.kind))
    for (const note of leakNotes({ training, validation }, { contents })) onNote(note)
  if (started && leads) await refuseOtherClips(folder, { training, validation }, contents)
  if (leads) await keepClips(folder, { training, validation }, contents)

  const captions = await inTurns(tokensOfAll(training), signal)
  const pins = isGiven(corpus.kind) ? undefined : corpus.kind.pins
  const model = await buildModel(config, captions, { backend, bands: corpus.kind.cols, pins, ...abortable })
  const all = [...training, ...validation].flatMap((clip) => clip.captions)
  const vectors = { cacheFolder: cacheFolderOf(config), signal }
  await leadFirst(comm, 'vectors of captions', async () => {
    await model.text.prepare(all, vectors)
    await model.text.fit(
      training.flatMap((clip) => clip.captions),
      vectors,
    )
  })
  const source = heldSource(corpus.source)
  if (!started) await beginWeights(config, model, training, source, signal)
  const setting: SourceSetting = {
    clips: (split = config.data.trainSplit) => training.filter((clip) => clip.split === split),
    batches: (clips, options) => batchesOf(config, model, clips, source, { ...options, signal }),
  }
  const main = await setting.batches(setting.clips(), { order, writer })
  const objectives = await buildObjectives(config, main, setting)
  const stopper = stoppers.build(config.stopper)
  const { epochs, saveEvery, readEvery, mix } = config.training
  const hasValidation = validation.length >= 2
  await using trainer = createTrainer({
    model,
    objectives,
    mix,
    guards,
    optimizer: optimizers.build(config.optimizer),
    schedule: schedules.build(config.schedule),
    epochs,
    seed: config.seed,
    loggers: loggersOf(config, folder),
    directory: folder,
    comm,
    readEvery,
    recordNegatives: config.logging.negatives,
    ...(saveEvery === 0 ? {} : { saveEvery }),
    ...(stopper === null ? {} : { stopper }),
    ...(hasValidation
      ? { validation: await validationOf(config, model, validation, source, relevance, signal) }
      : {}),
  })
  if (started) await trainer.resume(folder)
  const stoppable = options.signal === undefined ? {} : { signal: options.signal }
  for await (const report of trainer.steps(stoppable)) options.onReport?.(report, trainer)
  return {
    folder,
    epochs: trainer.epoch,
    steps: trainer.step,
    best: trainer.best && {
      ...trainer.best,
      monitor: hasValidation ? config.validation.monitor : 'trainLoss',
    },
    trainClips: training.length,
    validationClips: validation.length,
    quarantined: quarantine.clips.length,
  }
}

/** Sets the weights that the configuration wants to begin with; a run that goes on has its own. */
async function beginWeights(
  config: RunConfig,
  { audio, text }: DualEncoder,
  clips: readonly Clip[],
  source: FeatureSource,
  signal: AbortSignal | undefined,
): Promise<void> {
  const start = starts.build(config.model.start)
  if (start === null) return
  const features: Matrix[] = []
  for (const clip of clips)
    features.push((await source(clip, signal === undefined ? {} : { signal })).features)
  await start.apply(
    { audio: audio.encoder, text: text.encoder },
    { clips: features, captions: clips.map(({ captions }) => captions), signal },
  )
}

/** A caption's own tokens, where the manifest gives them. */
function tokensOf({ tokens, text }: Caption): readonly string[] {
  return tokens ?? tokenize(text)
}

/** Of every caption; a great many are work for seconds. */
function* tokensOfAll(clips: readonly Clip[]): InPieces<(readonly string[])[]> {
  const all: (readonly string[])[] = []
  for (const [i, { captions }] of clips.entries()) {
    if (i % 200 === 199) yield
    for (const caption of captions) all.push(tokensOf(caption))
  }
  return all
}

function batchesOf(
  config: RunConfig,
  model: DualEncoder,
  clips: readonly Clip[],
  features: FeatureSource,
  { signal, ...options }: Parameters<SourceSetting['batches']>[1] & { signal: AbortSignal | undefined },
): Promise<Batches> {
  const encode = (caption: Caption): Int32Array =>
    model.text.encode({ ...caption, tokens: tokensOf(caption) })
  return openBatches(
    {
      clips,
      features,
      encode,
      batchSize: config.training.batchSize,
      seed: config.seed,
      items: config.data.items,
      maxFrames: config.data.maxFrames,
      leastFrames: model.audio.encoder.leastFrames,
      ...options,
    },
    { signal },
  )
}

/**
 * The loss over the validation clips with one caption each, always the same, and the retrieval measures over the whole split: each
 * direction, and their mean by the name of the measure.
 */
async function validationOf(
  config: RunConfig,
  model: DualEncoder,
  clips: readonly Clip[],
  features: FeatureSource,
  graded: RelevanceOptions,
  signal: AbortSignal | undefined,
): Promise<ValidationOptions> {
  const { every, monitor, watch = monitor, measures } = config.validation
  return {
    data: await batchesOf(config, model, clips, features, { items: 'clip', signal }),
    every,
    monitor,
    watch,
    yardsticks: buildYardsticks(config),
    ...(measures.length > 0 && { measure: bothWays(clips, features, measures, graded) }),
  }
}

function bothWays(
  clips: readonly Clip[],
  features: FeatureSource,
  measures: readonly string[],
  graded: RelevanceOptions,
): NonNullable<ValidationOptions['measure']> {
  const measure = retrievalMeasures(clips, features, { measures, ...graded })
  return async (model, options) => {
    const found = await measure(model, options)
    const means = measures.map((name): [string, number] => [
      name,
      (found[`textToAudio.${name}`]! + found[`audioToText.${name}`]!) / 2,
    ])
    return { ...found, ...Object.fromEntries(means) }
  }
}

function loggersOf({ logging }: RunConfig, folder: string): Logger[] {
  const loggers = [jsonlLogger(join(folder, runFiles.log))]
  if (logging.tensorboard) loggers.push(tensorBoardLogger(join(folder, runFiles.tensorboard)))
  return loggers
}
