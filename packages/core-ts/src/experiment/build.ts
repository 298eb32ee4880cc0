import type { Backend } from '../backend/port.js'
import { infoNce, type Loss, tripletLoss } from '../losses/index.js'
import { crnn, type DualEncoder, dualEncoder, type Json, meanWords, words } from '../models/index.js'
import { negatives } from '../negatives/index.js'
import { frameWord, pooled, type Similarity } from '../similarity/index.js'
import {
  type EmbeddingTable,
  embeddingTable,
  readEmbeddingTable,
  tokenize,
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
  type Stopper,
} from '../train/index.js'
import type { ExperimentConfig } from './config.js'

/**
 * The untrained model of a configuration. Vocabulary and, where no file is given, word vectors come from the training
 * captions. `features` is kept with the model, so that search computes the same ones.
 */
export async function buildModel(
  config: ExperimentConfig,
  captions: readonly string[],
  options: { backend: Backend; features: Json; signal?: AbortSignal },
): Promise<DualEncoder> {
  const { signal } = options
  const tokens = captions.map(tokenize)
  const vocabulary = Vocabulary.build(tokens, { minCount: config.text.minCount })
  const { vectors } = await vectorTable(config, tokens, vocabulary, signal)
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
  tokens: readonly string[][],
  vocabulary: Vocabulary,
  signal: AbortSignal | undefined,
): Promise<EmbeddingTable> {
  const abortable = signal === undefined ? {} : { signal }
  if (text.vectors !== undefined) return readEmbeddingTable(vocabulary, text.vectors, { seed, ...abortable })
  const trained = await trainWordVectors(tokens, { dim: text.dim, seed, ...abortable })
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
    return infoNce({ temperature: loss.temperature, learnable: loss.learnableTemperature })
  }
  return tripletLoss({ margin: loss.margin, negatives: negatives[loss.negatives]() })
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
        minLr: training.minLearningRate,
      })
  }
}

/** Null when the configuration never stops early. */
export function buildStopper({ training }: ExperimentConfig): Stopper | null {
  return training.earlyStopping > 0 ? patience({ patience: training.earlyStopping }) : null
}
