/** Mirrors config.schema.json after defaults are filled; config.test.ts keeps the two equal. */
export interface ExperimentConfig {
  seed: number
  data: {
    manifest: string
    trainSplit: string
    validationSplit: string
    items: 'clip' | 'pair'
    maxFrames: number
    maxBadShare: number
    cache?: string
  }
  features: {
    preset: 'thesis' | 'dcase2023' | 'librosa' | 'torchaudio' | 'clap'
    sampleRate: number
  }
  text: { vectors?: string; dim: number; minCount: number; trainable: boolean }
  model: { audio: 'crnn'; dropout: number; score: 'stsq' | 'mtsq' | 'mqst' | 'pooled' }
  loss: {
    type: 'triplet' | 'info-nce'
    margin: number
    negatives:
      'random' | 'full-batch' | 'easy-text' | 'hard-text' | 'easy-audio' | 'hard-audio' | 'semi-hard' | 'hard'
    temperature: number
    learnableTemperature: boolean
    padding: 'masked' | 'padded-compat'
  }
  training: {
    epochs: number
    batchSize: number
    learningRate: number
    weightDecay: number
    decoupledWeightDecay: boolean
    clipNorm: number
    schedule: 'constant' | 'plateau' | 'cosine'
    warmupEpochs: number
    plateauPatience: number
    plateauFactor: number
    minLearningRate: number
    monitor: 'loss' | 'mAP@10'
    earlyStopping: number
  }
  logging: { tensorboard: boolean }
}
