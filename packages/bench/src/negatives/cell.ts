import type { Backend } from '@sonotext/core/backend'
import { Batches, type Clip, type FeatureSource } from '@sonotext/core/data'
import { evaluateScores } from '@sonotext/core/metrics'
import { crnn, dualEncoder, type DualEncoder, projection, words } from '@sonotext/core/models'
import { frameWord, pooled } from '@sonotext/core/similarity'
import { tokenize, Vocabulary } from '@sonotext/core/text'
import { adam, Learner, type PairBatch } from '@sonotext/core/train'
import { type StudyData, testNames } from './data.js'
import {
  type ByClip,
  type Cell,
  directions,
  guardsOf,
  measures,
  type Setting,
  type TestValues,
  variantNamed,
} from './plan.js'
import { type Histograms, type Look, probe } from './probe.js'

const looks = 6

/** One model after an epoch. */
export interface EpochLook extends Look {
  readonly epoch: number
  readonly loss: number
  /** mAP@10 on the validation scenes, the mean of both ways. */
  readonly quality: number
}

export interface CellResult {
  readonly setting: string
  readonly variant: string
  readonly seed: number
  /** Before training, then {@link looks} times on the way at most; the last is after the last epoch. */
  readonly epochs: readonly EpochLook[]
  /** When training had ended. */
  readonly histograms: Histograms
  readonly tests: TestValues
  readonly chance: Readonly<Record<string, number>>
}

/** Trains one model and measures it as it is after the last epoch. Same cell, same numbers. */
export async function runCell(
  { setting, variant: name, seed }: Cell,
  data: StudyData,
  backend: Backend,
): Promise<CellResult> {
  const { strategy, loss } = variantNamed(name)
  const guards = guardsOf(setting)
  const encode = encoderOf(data)
  const { frameStep } = data
  const features: FeatureSource = (clip) => {
    const rows = data.features(clip)
    return Promise.resolve({ features: rows, frameStep, duration: rows.rows * frameStep })
  }
  using model = modelOf(setting, data, encode.vocabulary, backend, seed)
  const { batchSize } = setting
  const leastFrames = model.audio.encoder.leastFrames
  const common = { features, encode: encode.caption, items: 'clip', prefetch: 0, leastFrames } as const
  const source = new Batches({ ...common, clips: data.train, batchSize, seed, ...loss.batches })
  const fixed = await firstBatches(new Batches({ ...common, clips: data.train, batchSize: 32, seed: 1 }), 4)
  const rate = setting.encoder === 'crnn' ? 1e-3 : 3e-3
  using learner = new Learner({
    model,
    objectives: [{ source, loss }],
    optimizer: adam({ lr: rate }),
    guards,
    seed,
  })
  const epochs: EpochLook[] = []
  let last: Histograms | undefined
  const look = async (epoch: number, meanLoss: number) => {
    const seen = probe({ model, batches: fixed, strategy, guards, classes: data.classes, epoch })
    last = seen.histograms
    const { values } = await evaluate(model, data.validation, data)
    const quality = (values.textToAudio['mAP@10'] + values.audioToText['mAP@10']) / 2
    epochs.push({ epoch, loss: meanLoss, quality, ...seen.look })
  }
  await look(0, Number.NaN)
  for (let epoch = 1; epoch <= setting.epochs; epoch++) {
    const losses: number[] = []
    for await (const batch of source.epoch()) {
      const at = learner.steps / source.batchesPerEpoch
      losses.push(learner.step(batch, { epoch: at }).loss!)
      learner.apply(rate)
    }
    if ((setting.epochs - epoch) % Math.ceil(setting.epochs / looks) === 0)
      await look(epoch, losses.reduce((sum, value) => sum + value, 0) / losses.length)
  }
  const tests: Record<string, unknown> = {}
  const chance: Record<string, number> = {}
  for (const test of testNames) {
    const measured = await evaluate(model, data.tests[test], data)
    tests[test] = measured.byClip
    for (const direction of directions)
      for (const measure of measures)
        chance[`${test} ${direction} ${measure}`] = measured.chance[direction][measure]!
  }
  const result = { setting: setting.name, variant: name, seed, epochs, histograms: last!, chance }
  return { ...result, tests: tests as unknown as TestValues }
}

interface Encoding {
  readonly vocabulary: Vocabulary
  caption(caption: { readonly text: string }): Int32Array
}

function encoderOf({ train }: StudyData): Encoding {
  const texts = train.flatMap(({ captions }) => captions.map(({ text }) => tokenize(text)))
  const vocabulary = Vocabulary.build(texts)
  return { vocabulary, caption: ({ text }) => vocabulary.encode(tokenize(text)) }
}

function modelOf(
  { encoder, similarity, padding }: Setting,
  { cols }: StudyData,
  vocabulary: Vocabulary,
  backend: Backend,
  seed: number,
): DualEncoder {
  const dim = encoder === 'crnn' ? 300 : 64
  return dualEncoder({
    audio: encoder === 'crnn' ? crnn({ bands: cols }) : projection({ inputs: cols, hidden: [128], dim }),
    text: words({ vocabulary, dim }),
    similarity: similarity === 'pooled' ? pooled({ padding }) : frameWord({ padding }),
    backend,
    seed,
  })
}

async function firstBatches(source: Batches, count: number): Promise<PairBatch[]> {
  const batches: PairBatch[] = []
  for await (const batch of source.epoch()) {
    batches.push(batch)
    if (batches.length === count) break
  }
  return batches
}

async function evaluate(model: DualEncoder, clips: readonly Clip[], data: StudyData) {
  const captions = clips.flatMap((clip) => clip.captions.map(({ text }) => text))
  const captionClip = clips.flatMap((clip, row) => clip.captions.map(() => row))
  const scores = await model.score(
    clips.map((clip) => data.features(clip)),
    captions,
  )
  const evaluation = evaluateScores(scores, captionClip, {
    measures: [...measures],
    interval: 'query-jackknife',
  })
  const perClip = (direction: 'textToAudio' | 'audioToText'): ByClip => {
    const { clusters, values } = evaluation.perQuery[direction]
    return Object.fromEntries(
      measures.map((measure) => [measure, meansBy(clusters, values[measure]!)]),
    ) as unknown as ByClip
  }
  return {
    values: { textToAudio: evaluation.textToAudio, audioToText: evaluation.audioToText } as Record<
      'textToAudio' | 'audioToText',
      Record<string, number>
    >,
    chance: evaluation.chance as Record<'textToAudio' | 'audioToText', Record<string, number>>,
    byClip: { textToAudio: perClip('textToAudio'), audioToText: perClip('audioToText') },
  }
}

function meansBy(clusters: readonly string[], values: readonly number[]): number[] {
  const groups = Map.groupBy(values.keys(), (query) => clusters[query]!)
  return [...groups.values()].map((queries) => {
    const mean = queries.reduce((sum, query) => sum + values[query]!, 0) / queries.length
    return Math.round(mean * 1e5) / 1e5
  })
}
