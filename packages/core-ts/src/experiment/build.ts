import type { Backend } from '../backend/port.js'
import { SonotextError } from '../base/errors.js'
import { infoNceLoss, type Loss, tripletLoss } from '../losses/index.js'
import { crnn, type DualEncoder, dualEncoder, type Json, meanWords, words } from '../models/index.js'
import { equalCaptions, type Guard, negativeStrategy } from '../negatives/index.js'
import { frameWord, pooled, type Similarity } from '../similarity/index.js'
import {
  type EmbeddingTable,
  embeddingTable,
  readEmbeddingTable,
  trainWordVectors,
  Vocabulary,
} from '../text/index.js'
import {
  adam,
  adamw,
  constant,
  cosine,
  type Optimizer,
  patience,
  plateau,
  type Schedule,
  stagnation,
  type Stopper,
} from '../train/index.js'
import type { ExperimentConfig } from './config.js'

/**
 * The untrained model of a configuration. Vocabulary and, where no file is given, word vectors come from the tokenised
 * training captions. `features` is kept with the model, so that search computes the same ones.
 */
export async function buildModel(
  config: ExperimentConfig,
  captions: readonly (readonly string[])[],
  options: { backend: Backend; features: Json; signal?: AbortSignal },
): Promise<DualEncoder> {
  const { signal } = options
  const vocabulary = Vocabulary.build(captions, { minCount: config.text.minCount })
  const { vectors } = await vectorTable(config, captions, vocabulary, signal)
  const side = config.model.score === 'pooled' ? meanWords : words
  return dualEncoder({
    audio: crnn({ hidden: vectors.cols / 2, dropout: config.model.dropout }),
    text: side({ vocabulary, vectors, trainable: config.text.trainable }),
    similarity: buildSimilarity(config),
    features: options.features,
    backend: options.backend,
    seed: config.seed,
  })
}

async function vectorTable(
  { text, seed }: ExperimentConfig,
  captions: readonly (readonly string[])[],
  vocabulary: Vocabulary,
  signal: AbortSignal | undefined,
): Promise<EmbeddingTable> {
  const abortable = signal === undefined ? {} : { signal }
  if (text.vectors !== undefined) {
    const table = await readEmbeddingTable(vocabulary, text.vectors, { seed, ...abortable })
    if (table.vectors.cols % 2 === 0) return table
    throw new SonotextError('INVALID_FILE', `Expected vectors of even length, got ${table.vectors.cols}.`, {
      file: text.vectors,
      remedy: 'The GRU gives half of it in each direction: take vectors of another length.',
    })
  }
  const trained = await trainWordVectors(captions, { dim: text.dim, seed, ...abortable })
  return embeddingTable(vocabulary, trained, { seed })
}

function buildSimilarity({ model, loss }: ExperimentConfig): Similarity {
  const { padding } = loss
  if (model.score === 'pooled') return pooled({ padding })
  const reduction = ({ stsq: 'STSQ', mtsq: 'MTSQ', mqst: 'MQST' } as const)[model.score]
  return frameWord({ reduction, padding })
}

export function buildLoss({ loss }: ExperimentConfig): Loss {
  if (loss.type === 'info-nce') {
    const { temperature, learnableTemperature: learnable, positives } = loss
    return infoNceLoss({ temperature, learnable, positives })
  }
  return tripletLoss({ margin: loss.margin, negatives: negativeStrategy(loss.negatives) })
}

export function buildOptimizer({ training }: ExperimentConfig): Optimizer {
  const make = training.decoupledWeightDecay ? adamw : adam
  return make({
    lr: training.learningRate,
    weightDecay: training.weightDecay,
    clip: training.clipNorm > 0 ? training.clipNorm : null,
  })
}

export function buildSchedule({ training }: ExperimentConfig): Schedule {
  switch (training.schedule) {
    case 'constant':
      return constant()
    case 'cosine':
      return cosine({ warmup: training.warmupEpochs, end: training.minLearningRate })
    case 'plateau':
      return plateau({
        factor: training.plateauFactor,
        patience: training.plateauPatience,
        threshold: training.plateauThreshold,
        thresholdMode: training.plateauThresholdMode,
        minLr: training.minLearningRate,
      })
  }
}

/** Null when the configuration never stops early. */
export function buildStopper({ training }: ExperimentConfig): Stopper | null {
  const { earlyStopping, stagnationWindow: window, stagnationStd: std, stagnationGrace: grace } = training
  if (earlyStopping > 0) return patience({ patience: earlyStopping })
  return window > 0 ? stagnation({ std, window, grace }) : null
}

export function buildGuards({ loss }: ExperimentConfig): Guard[] {
  return loss.guardEqualCaptions ? [equalCaptions()] : []
}
