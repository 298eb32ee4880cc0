import { performance } from 'node:perf_hooks'
import { type Backend, openBackend } from '@sonotext/core/backend'
import { openCorpus } from '@sonotext/core/corpus'
import { Batches, type Clip } from '@sonotext/core/data'
import { tripletLoss } from '@sonotext/core/losses'
import { crnn, type DualEncoder, dualEncoder, words } from '@sonotext/core/models'
import { strategies } from '@sonotext/core/negatives'
import { frameWord, pooled, type Similarity } from '@sonotext/core/similarity'
import { tokenize, Vocabulary } from '@sonotext/core/text'
import { evaluateModel } from '@sonotext/core/evaluation'
import { adam, createTrainer } from '@sonotext/core/train'
import { generatedClips, generatedFeatures } from './generated.js'

export interface PhaseOptions {
  readonly folder: string
  readonly clips: number
  readonly captions: number
  readonly frames: number
  readonly steps: number
  /** Clips of the split that is evaluated with STSQ. */
  readonly split: number
  readonly workers: number | undefined
}

/** What one phase did, each in a process of its own. */
export interface PhaseResult {
  readonly phase: PhaseName
  readonly what: string
  readonly seconds: number
  /** Largest resident set of the process, bytes. */
  readonly peak: number
  readonly audioFiles: number
  readonly cacheBytes: number
  /** Share of the time in which the main thread was at work and did not wait. */
  readonly busy: number
}

export const phaseNames = ['generate', 'train', 'stsq', 'pooled'] as const
export type PhaseName = (typeof phaseNames)[number]

const batchSize = 32
const dim = 300

/** Runs one phase in this process. */
export async function runPhase(phase: PhaseName, options: PhaseOptions): Promise<PhaseResult> {
  const backend = openBackend()
  const { folder, frames, workers } = options
  const clips = await generatedClips(folder, options.clips, options.captions)
  await using corpus = await openCorpus({
    features: generatedFeatures({ frames, cols: 64 }),
    cacheFolder: `${folder}/features`,
    backend,
    ...(workers === undefined ? {} : { workers }),
    onNote: (note) => console.error(note),
  })
  const work: Record<PhaseName, () => Promise<string>> = {
    async generate() {
      const { clips: kept } = await corpus.sift(clips)
      return `${kept.length} feature files written`
    },
    train: () => train(clips, corpus.source, backend, options.steps),
    stsq: () => evaluate(clips.slice(0, options.split), corpus.source, modelOf(clips, backend, frameWord())),
    pooled: () => evaluate(clips, corpus.source, modelOf(clips, backend, pooled())),
  }
  const start = performance.now()
  const before = performance.eventLoopUtilization()
  const what = await work[phase]()
  const { audioFiles, cacheBytes } = corpus.stats
  return {
    ...{ phase, what, audioFiles, cacheBytes },
    seconds: (performance.now() - start) / 1000,
    peak: process.resourceUsage().maxRSS * 1024,
    busy: performance.eventLoopUtilization(before).utilization,
  }
}

function modelOf(clips: readonly Clip[], backend: Backend, similarity: Similarity): DualEncoder {
  const vocabulary = Vocabulary.build(clips.slice(0, 1000).map(({ captions }) => tokenize(captions[0]!.text)))
  return dualEncoder({
    audio: crnn({ hidden: dim / 2 }),
    text: words({ vocabulary, dim }),
    similarity,
    backend,
  })
}

type Source = Parameters<typeof evaluateModel>[2]

async function train(
  clips: readonly Clip[],
  features: Source,
  backend: Backend,
  steps: number,
): Promise<string> {
  const model = modelOf(clips, backend, frameWord())
  const data = new Batches({
    ...{ clips, features, batchSize, seed: 1, items: 'clip' as const },
    encode: ({ text }) => model.text.encoder.encode(tokenize(text)),
    leastFrames: model.audio.encoder.leastFrames,
  })
  await using trainer = createTrainer({
    ...{ model, data, epochs: Math.ceil((steps * batchSize) / clips.length), seed: 1 },
    loss: tripletLoss({ margin: 1, negatives: strategies.build('semi-hard') }),
    optimizer: adam({ lr: 1e-3 }),
  })
  let done = 0
  for await (const report of trainer.steps()) {
    if (report.kind === 'step' && ++done === steps) break
  }
  return `${done} steps of ${batchSize} clips, triplet with semi-hard negatives`
}

async function evaluate(clips: readonly Clip[], features: Source, model: DualEncoder): Promise<string> {
  const { textToAudio, queries } = await evaluateModel(model, clips, features, { measures: ['mAP@10'] })
  const map = textToAudio!['mAP@10']!.toPrecision(2)
  return `${clips.length} clips × ${queries} captions, ${model.similarity.name} (mAP@10 ${map})`
}
