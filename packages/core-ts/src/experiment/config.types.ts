// Generated from config.schema.json by tools/schema-types.mjs.

/**
 * One training run: data, features, model, loss and schedule. Every key has a default except data.manifest.
 */
export interface ExperimentConfig {
  /**
   * Seed of every random stream: weights, order, crops, dropout, negatives.
   */
  seed: number
  data: {
    /**
     * Manifest (JSONL). Paths in a configuration file are relative to the file.
     */
    manifest: string
    /**
     * Split that is trained on.
     */
    trainSplit: string
    /**
     * Split that the schedule watches and that picks the best epoch; without two such clips the training loss does both.
     */
    validationSplit: string
    /**
     * clip: each epoch visits every clip once with one of its captions drawn at random; pair: every (clip, caption) pair.
     */
    items: 'clip' | 'pair'
    /**
     * Longer clips are cropped at random to so many feature frames in training; evaluation and search take them whole.
     */
    maxFrames: number
    /**
     * Unusable clips are set aside with their reason; past this share of them the run is refused.
     */
    maxBadShare: number
    /**
     * Longer recordings are refused before memory is taken for them.
     */
    maxSeconds: number
    /**
     * Takes what is there of recordings whose end is missing; without it they count as unusable.
     */
    acceptCut: boolean
    /**
     * Lets the ffmpeg on the path decode what the library does not read itself.
     */
    ffmpeg: boolean
    /**
     * Folder of the feature cache; default: features beside the manifest.
     */
    cache?: string
  }
  features: {
    /**
     * Kind of log-mel features.
     */
    preset: 'thesis' | 'dcase2023' | 'librosa' | 'torchaudio' | 'clap'
    /**
     * Hz; clips of another rate are resampled to it. clap always takes 48000.
     */
    sampleRate: number
  }
  text: {
    /**
     * word2vec, GloVe or fastText file; without it vectors are trained on the captions.
     */
    vectors?: string
    /**
     * Length of the trained vectors; vectors from a file keep their own length. The GRU has half as many units.
     */
    dim: number
    /**
     * Rarer words share the unknown-word vector.
     */
    minCount: number
    /**
     * Whether training changes the word vectors.
     */
    trainable: boolean
  }
  model: {
    /**
     * Audio encoder.
     */
    audio: 'crnn'
    /**
     * Share of values dropped between convolution and GRU.
     */
    dropout: number
    /**
     * frame×word scores (STSQ, MTSQ, MQST) or pooled embeddings.
     */
    score: 'stsq' | 'mtsq' | 'mqst' | 'pooled'
  }
  loss: {
    /**
     * triplet takes margin and negatives, info-nce takes the temperature and all other clips of the batch.
     */
    type: 'triplet' | 'info-nce'
    /**
     * triplet: how much higher a matching pair must score than its negatives.
     */
    margin: number
    /**
     * triplet: how the negatives of a batch are chosen, a name of the registry in negatives/.
     */
    negatives: string
    /**
     * info-nce: what scores are divided by.
     */
    temperature: number
    /**
     * info-nce: train the temperature too.
     */
    learnableTemperature: boolean
    /**
     * info-nce: whether other captions of the same clip are left out or count as matches too.
     */
    positives: 'own-pair' | 'same-clip'
    /**
     * Captions that say the same as a clip's own are not its negatives.
     */
    guardEqualCaptions: boolean
    /**
     * masked: scores over true lengths; padded-compat: training counts padding as zeros, as the published experiments did.
     */
    padding: 'masked' | 'padded-compat'
  }
  training: {
    /**
     * Epochs of the whole run; a resumed run may have more.
     */
    epochs: number
    /**
     * Clip–caption pairs in a batch.
     */
    batchSize: number
    /**
     * Of Adam, before the schedule.
     */
    learningRate: number
    /**
     * Added to the gradient, or applied to the weights with decoupledWeightDecay.
     */
    weightDecay: number
    /**
     * AdamW instead of Adam.
     */
    decoupledWeightDecay: boolean
    /**
     * Largest gradient norm; 0: no clipping.
     */
    clipNorm: number
    /**
     * What the learning rate does.
     */
    schedule: 'constant' | 'plateau' | 'cosine'
    /**
     * cosine: epochs of linear warm-up, also a fraction.
     */
    warmupEpochs: number
    /**
     * plateau: looks without a better watched number before the rate falls.
     */
    plateauPatience: number
    /**
     * plateau: least improvement that counts.
     */
    plateauThreshold: number
    /**
     * plateau: whether the threshold is a share of the best number or added to it.
     */
    plateauThresholdMode: 'relative' | 'absolute'
    /**
     * plateau: what the rate is multiplied by.
     */
    plateauFactor: number
    /**
     * plateau and cosine: the lowest rate.
     */
    minLearningRate: number
    /**
     * Validation number that picks the best epoch; mAP@10 is the mean of both directions.
     */
    monitor: 'loss' | 'mAP@10'
    /**
     * Validation number that schedule and stopping watch; monitor: the one that picks the best epoch.
     */
    watch: 'monitor' | 'loss' | 'mAP@10'
    /**
     * Epochs between two looks at the validation split; the last epoch is always looked at.
     */
    validateEvery: number
    /**
     * Compute mAP@10 of the validation split at every look; without it a look is the loss alone.
     */
    retrieval: boolean
    /**
     * Log the triplet loss with random negatives too, to compare runs of different losses.
     */
    randomYardstick: boolean
    /**
     * Looks without a better watched number after which the run stops; 0: never.
     */
    earlyStopping: number
    /**
     * Looks over which the watched number must stand still for the run to stop; 0: never.
     */
    stagnationWindow: number
    /**
     * stagnation: largest standard deviation that counts as standing still.
     */
    stagnationStd: number
    /**
     * stagnation: looks before which the run never stops.
     */
    stagnationGrace: number
    /**
     * Steps between further checkpoints besides the one after each epoch; 0: none.
     */
    saveEvery: number
  }
  logging: {
    /**
     * Write TensorBoard events beside log.jsonl.
     */
    tensorboard: boolean
  }
}
