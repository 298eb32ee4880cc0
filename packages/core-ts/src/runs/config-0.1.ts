import { isPlainObject } from '../registry/index.js'

type Group = Readonly<Record<string, unknown>>

/** Keys of version 0.1 that stand elsewhere now, by their last name. */
export const movedKeys: ReadonlyMap<string, string> = new Map([
  ['vectors', 'model.text.vectors'],
  ['dim', 'model.text.dim'],
  ['minCount', 'model.text.minCount'],
  ['trainable', 'model.text.trainable'],
  ['text', 'model.text'],
  ['dropout', 'model.audio.dropout'],
  ['score', 'model.similarity'],
  ['padding', 'model.similarity.padding'],
  ['learnableTemperature', 'loss.learnable'],
  ['learningRate', 'optimizer.lr'],
  ['weightDecay', 'optimizer.weightDecay'],
  ['decoupledWeightDecay', 'optimizer.type=adamw'],
  ['clipNorm', 'optimizer.clip'],
  ['warmupEpochs', 'schedule.warmup'],
  ['plateauPatience', 'schedule.patience'],
  ['plateauFactor', 'schedule.factor'],
  ['minLearningRate', 'schedule.minLr'],
  ['monitor', 'validation.monitor'],
  ['earlyStopping', 'stopper.patience'],
])

/** Groups and keys that only version 0.1 had. */
const old: Readonly<Record<string, readonly string[]>> = {
  model: ['dropout', 'score'],
  loss: ['padding', 'learnableTemperature'],
  training: [
    'learningRate',
    'weightDecay',
    'decoupledWeightDecay',
    'clipNorm',
    'schedule',
    'warmupEpochs',
    'plateauPatience',
    'plateauFactor',
    'minLearningRate',
    'monitor',
    'earlyStopping',
  ],
}

/** Groups that version 0.1 did not have. */
const since = ['plugins', 'guards', 'optimizer', 'schedule', 'stopper', 'validation'] as const

/**
 * A configuration of version 0.1, whose groups were flat and whose keys of other choices were ignored, as one of today; any other as it
 * is. One that mixes both is left alone: its old keys are refused by name.
 */
export function upgraded(config: unknown): unknown {
  if (!isPlainObject(config) || !isOld(config)) return config
  const { text, model, loss, training, data, ...rest } = config
  const [ofText, ofModel, ofLoss, ofTraining] = [group(text), group(model), group(loss), group(training)]
  const { learningRate, weightDecay = 0, decoupledWeightDecay, clipNorm, ...more } = ofTraining
  const {
    schedule = 'plateau',
    warmupEpochs,
    plateauPatience,
    plateauFactor,
    minLearningRate,
    ...left
  } = more
  const { monitor, earlyStopping, ...kept } = left
  const { audio = 'crnn', dropout, score = 'stsq', ...otherModel } = ofModel
  const {
    type = 'triplet',
    margin,
    negatives,
    temperature,
    learnableTemperature,
    padding,
    ...otherLoss
  } = ofLoss
  const pooled = score === 'pooled'
  return said({
    ...rest,
    data: isPlainObject(data) ? withoutDefaultSplit(data) : data,
    model: {
      ...otherModel,
      audio: { type: audio, dropout },
      text: { type: pooled ? 'mean-words' : 'words', ...ofText },
      similarity: pooled
        ? { type: 'pooled', padding }
        : { type: 'frame-word', reduction: String(score).toUpperCase(), padding },
    },
    loss: {
      ...otherLoss,
      type,
      ...(type === 'info-nce' ? { temperature, learnable: learnableTemperature } : { margin, negatives }),
    },
    optimizer: {
      type: decoupledWeightDecay === true ? 'adamw' : 'adam',
      lr: learningRate,
      weightDecay,
      clip: clipNorm === 0 ? null : clipNorm,
    },
    schedule: {
      type: schedule,
      ...(schedule === 'cosine' ? { warmup: warmupEpochs, end: minLearningRate } : {}),
      ...(schedule === 'plateau'
        ? { patience: plateauPatience, factor: plateauFactor, minLr: minLearningRate }
        : {}),
    },
    stopper:
      typeof earlyStopping === 'number' && earlyStopping > 0
        ? { type: 'patience', patience: earlyStopping }
        : { type: 'never' },
    training: kept,
    validation: { monitor },
  })
}

function isOld(config: Group): boolean {
  if (since.some((key) => Object.hasOwn(config, key))) return false
  if (Object.hasOwn(config, 'text')) return true
  return Object.entries(old).some(([name, keys]) =>
    keys.some((key) => Object.hasOwn(group(config[name]), key)),
  )
}

function group(value: unknown): Group {
  return isPlainObject(value) ? value : {}
}

/** Its default was written into every run's configuration, and did not have to be there. */
function withoutDefaultSplit({ validationSplit, ...data }: Group): Group {
  return validationSplit === 'validation' ? data : { ...data, validationSplit }
}

/** The same without what is undefined. */
function said(value: unknown): unknown {
  if (!isPlainObject(value)) return value
  const entries = Object.entries(value).filter(([, child]) => child !== undefined)
  return Object.fromEntries(entries.map(([key, child]) => [key, said(child)]))
}
