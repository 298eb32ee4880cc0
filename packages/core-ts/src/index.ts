/**
 * The names people start with. Everything else is in the folders: `@sonotext/core/audio`, `/text`, `/data`, `/corpus`, `/models`,
 * `/similarity`, `/negatives`, `/losses`, `/train`, `/retrieval`, `/metrics`, `/evaluation`, `/runs`, `/registry`, `/nn`, `/comm`,
 * `/backend`, `/base`.
 */
export { type Matrix, matrix, Rng, row, SonotextError } from './base/index.js'
export { type Backend, openBackend } from './backend/index.js'
export {
  decodeAudio,
  logMel,
  logMelFeatures,
  logMelPresets,
  readMono,
  resample,
  writeWav,
} from './audio/index.js'
export { embeddingTable, readWordVectors, tokenize, trainWordVectors, Vocabulary } from './text/index.js'
export {
  Batches,
  checkClips,
  type Clip,
  clipsOfSplit,
  importAudioCaps,
  importClotho,
  importFolder,
  type Manifest,
  readManifest,
  writeManifest,
} from './data/index.js'
export { type Corpus, givenFeatures, openCorpus } from './corpus/index.js'
export { frameWord, pooled } from './similarity/index.js'
export {
  crnn,
  type DualEncoder,
  dualEncoder,
  loadModel,
  meanWords,
  projection,
  saveModel,
  words,
} from './models/index.js'
export { type Guard, negativeQuery, type NegativeStrategy, strategies } from './negatives/index.js'
export { infoNceLoss, type Loss, sigmoidLoss, softTargetLoss, tripletLoss } from './losses/index.js'
export {
  adam,
  adamw,
  constant,
  cosine,
  createTrainer,
  jsonlLogger,
  patience,
  plateau,
  tensorBoardLogger,
  type Trainer,
} from './train/index.js'
export { evaluateModel } from './evaluation/index.js'
export { createIndex, type EmbeddingIndex, type Hit, loadIndex, searchByScore } from './retrieval/index.js'
export { evaluateRunFiles, evaluateScores, type Evaluation, measures } from './metrics/index.js'
export {
  evaluateRun,
  loadPlugins,
  type OpenRun,
  openRun,
  parseConfig,
  type RunConfig,
  searchCaptions,
  searchRun,
  trainRun,
} from './runs/index.js'
